/*
 * passwd_scram.c - stored keys of SCRAM (RFC 5802, RFC 7677): reading them,
 * checking a password against one, and handing them to SASL.
 *
 * Runs in:  the gate; parsing also in the warm parent.
 */
#include <stdio.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "passwd.h"

static const struct {
	const char *prefix;
	const char *name; /* SASL's */
	size_t size;
} kinds[] = {
	[PASSWD_SHA_1] = { "$scram-sha-1$", "SCRAM-SHA-1", SHA1_DIGEST_SIZE },
	[PASSWD_SHA_256] = { "$scram-sha-256$", "SCRAM-SHA-256",
	    SHA256_DIGEST_SIZE },
	[PASSWD_SHA_512] = { "$scram-sha-512$", "SCRAM-SHA-512",
	    SHA512_DIGEST_SIZE },
};
_Static_assert(
    sizeof(kinds) / sizeof(*kinds) == PASSWD_KINDS, "describe each kind");

/* Strict base64 of RFC 4648, where nettle's would skip white space.  Returns
 * the octets, or 0 if it is none, is empty, or is more than ${size}; ${out} has
 * room for two more. */
static size_t
decode(struct popper_slice text, unsigned char *out, size_t size)
{
	struct base64_decode_ctx ctx;
	size_t len = size + 2;

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ')
			return 0;
	if (text.len % 4 != 0 || BASE64_DECODE_LENGTH(text.len) > size + 2)
		return 0;
	base64_decode_init(&ctx);
	if (base64_decode_update(&ctx, &len, out, text.len, text.ptr) == 0 ||
	    base64_decode_final(&ctx) == 0)
		return 0;
	return len <= size ? len : 0;
}

/* Cut the octets up to the next "$", or all that is left. */
static struct popper_slice
cut(struct popper_slice *rest)
{
	const char *end =
	    rest->len > 0 ? memchr(rest->ptr, '$', rest->len) : NULL;
	struct popper_slice part = *rest;

	if (end == NULL) {
		*rest = popper_slice(NULL, 0);
		return part;
	}
	part.len = (size_t)(end - rest->ptr);
	rest->ptr = end + 1;
	rest->len -= part.len + 1;
	return part;
}

/* 0 if it is no number or out of bounds. */
static uint32_t
parse_rounds(struct popper_slice s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return 0;
		n = n * 10 + (uint32_t)(s.ptr[i] - '0');
		if (n == 0 || n > PASSWD_ROUNDS_MAX)
			return 0;
	}
	return n < PASSWD_ROUNDS_MIN ? 0 : n;
}

/* What follows the kind. */
static const char *
parse_key(struct popper_slice rest, size_t size, struct passwd_key *key)
{
	unsigned char server[PASSWD_DIGEST_MAX + 2];
	unsigned char stored[PASSWD_DIGEST_MAX + 2];
	unsigned char salt[PASSWD_SALT_MAX + 2];
	uint32_t rounds = parse_rounds(cut(&rest));

	if (key->rounds != 0)
		return "two SCRAM keys of one kind";
	if (rounds == 0)
		return "a SCRAM key's iterations are not 4096 to 10000000";
	key->salt_text = cut(&rest);
	key->stored_text = cut(&rest);
	key->server_text = rest;
	key->salt_len = decode(key->salt_text, salt, PASSWD_SALT_MAX);
	if (key->salt_len == 0)
		return "a SCRAM key's salt is no base64 of 1 to 64 octets";
	if (decode(key->stored_text, stored, PASSWD_DIGEST_MAX) != size ||
	    decode(key->server_text, server, PASSWD_DIGEST_MAX) != size)
		return "a SCRAM key is no base64 of its kind's length";
	memcpy(key->salt, salt, key->salt_len);
	memcpy(key->stored, stored, size);
	key->rounds = rounds;
	return NULL;
}

const char *
passwd_scram_parse(struct popper_slice item, struct passwd_proof *proof)
{
	size_t len;

	for (size_t i = 0; i < PASSWD_KINDS; i++) {
		len = strlen(kinds[i].prefix);
		if (item.len > len &&
		    memcmp(item.ptr, kinds[i].prefix, len) == 0)
			return parse_key(
			    popper_slice(item.ptr + len, item.len - len),
			    kinds[i].size, &proof->key[i]);
	}
	return "a SCRAM key of an unknown kind";
}

void
passwd_scram_derive(enum passwd_kind kind, struct popper_slice phrase,
    const struct passwd_key *key, unsigned char *salted)
{
	const uint8_t *octets = (const uint8_t *)phrase.ptr;

	switch (kind) {
	case PASSWD_SHA_1:
		pbkdf2_hmac_sha1(phrase.len, octets, key->rounds, key->salt_len,
		    key->salt, SHA1_DIGEST_SIZE, salted);
		return;
	case PASSWD_SHA_256:
		pbkdf2_hmac_sha256(phrase.len, octets, key->rounds,
		    key->salt_len, key->salt, SHA256_DIGEST_SIZE, salted);
		return;
	case PASSWD_SHA_512:
		pbkdf2_hmac_sha512(phrase.len, octets, key->rounds,
		    key->salt_len, key->salt, SHA512_DIGEST_SIZE, salted);
		return;
	case PASSWD_KINDS:
		break;
	}
	memset(salted, 0, PASSWD_DIGEST_MAX);
}

static const struct nettle_hash *
hash_of(enum passwd_kind kind)
{
	if (kind == PASSWD_SHA_1)
		return &nettle_sha1;
	return kind == PASSWD_SHA_256 ? &nettle_sha256 : &nettle_sha512;
}

union any_hash {
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
};

/* StoredKey = H(HMAC(SaltedPassword, "Client Key")), RFC 5802 section 3. */
static void
stored_key(const struct popper_host *host, enum passwd_kind kind,
    const unsigned char *salted, unsigned char *out)
{
	static const char word[] = "Client Key";
	const struct nettle_hash *h = hash_of(kind);
	union any_hash outer, inner, state;
	unsigned char client[PASSWD_DIGEST_MAX];

	hmac_set_key(&outer, &inner, &state, h, h->digest_size, salted);
	hmac_update(&state, h, sizeof(word) - 1, (const uint8_t *)word);
	hmac_digest(&outer, &inner, &state, h, h->digest_size, client);
	h->init(&state);
	h->update(&state, h->digest_size, client);
	h->digest(&state, h->digest_size, out);
	host->wipe(&outer, sizeof(outer));
	host->wipe(&inner, sizeof(inner));
	host->wipe(&state, sizeof(state));
	host->wipe(client, sizeof(client));
}

bool
passwd_scram_verify(const struct passwd_self *p, enum passwd_kind kind,
    const struct passwd_key *key, struct popper_slice phrase)
{
	unsigned char salted[PASSWD_DIGEST_MAX];
	unsigned char stored[PASSWD_DIGEST_MAX];
	bool same;

	p->derive(kind, phrase, key, salted);
	stored_key(p->host, kind, salted, stored);
	same = memeql_sec(stored, key->stored, kinds[kind].size) != 0;
	p->host->wipe(salted, sizeof(salted));
	p->host->wipe(stored, sizeof(stored));
	return same;
}

int
passwd_scram_write(
    const char *kind, const struct passwd_proof *proof, char *out, size_t size)
{
	const struct passwd_key *key;
	int len;

	for (size_t i = 0; i < PASSWD_KINDS; i++) {
		key = &proof->key[i];
		if (strcmp(kind, kinds[i].name) != 0 || key->rounds == 0)
			continue;
		len = snprintf(out, size, "%s$%lu:%.*s$%.*s:%.*s", kind,
		    (unsigned long)key->rounds, (int)key->salt_text.len,
		    key->salt_text.ptr, (int)key->stored_text.len,
		    key->stored_text.ptr, (int)key->server_text.len,
		    key->server_text.ptr);
		return len > 0 && (size_t)len < size ? 1 : -1;
	}
	return 0;
}
