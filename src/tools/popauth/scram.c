/*
 * scram.c - keys of SCRAM (RFC 5802), as the passwd module's file holds them.
 *
 * Runs in: popauth.
 */
#include "tools/popauth/scram.h"

#include <string.h>
#include <sys/random.h>

#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"

#define SALT_LEN 16
#define DIGEST_MAX SHA512_DIGEST_SIZE

static const struct {
	const char *name;
	const struct nettle_hash *hash;
} kinds[] = {
	[SCRAM_SHA_1] = { "scram-sha-1", &nettle_sha1 },
	[SCRAM_SHA_256] = { "scram-sha-256", &nettle_sha256 },
	[SCRAM_SHA_512] = { "scram-sha-512", &nettle_sha512 },
};
_Static_assert(
    sizeof(kinds) / sizeof(*kinds) == SCRAM_KINDS, "describe each kind");

union any_hash {
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
};

/* The contexts of HMAC with one key. */
struct mac {
	const struct nettle_hash *hash;
	union any_hash outer, inner, state;
};

static void
mac_init(struct mac *m, const void *key, size_t len)
{
	hmac_set_key(&m->outer, &m->inner, &m->state, m->hash, len, key);
}

static void
mac_update(void *mac, size_t len, const uint8_t *octets)
{
	struct mac *m = mac;

	hmac_update(&m->state, m->hash, len, octets);
}

static void
mac_digest(void *mac, size_t len, uint8_t *out)
{
	struct mac *m = mac;

	hmac_digest(&m->outer, &m->inner, &m->state, m->hash, len, out);
}

static void
mac_of(struct mac *m, const uint8_t *key, const char *word, uint8_t *out)
{
	mac_init(m, key, m->hash->digest_size);
	mac_update(m, strlen(word), (const uint8_t *)word);
	mac_digest(m, m->hash->digest_size, out);
}

/* What is stored of a password. */
struct keys {
	uint8_t salted[DIGEST_MAX], client[DIGEST_MAX]; /* not these */
	uint8_t stored[DIGEST_MAX], server[DIGEST_MAX];
};

/* RFC 5802 section 3. */
static void
derive(const struct nettle_hash *h, const char *password, uint32_t rounds,
    const uint8_t *salt, struct keys *k)
{
	struct mac m = { .hash = h };

	mac_init(&m, password, strlen(password));
	pbkdf2(&m, mac_update, mac_digest, h->digest_size, rounds, SALT_LEN,
	    salt, h->digest_size, k->salted);
	mac_of(&m, k->salted, "Client Key", k->client);
	mac_of(&m, k->salted, "Server Key", k->server);
	h->init(&m.state);
	h->update(&m.state, h->digest_size, k->client);
	h->digest(&m.state, h->digest_size, k->stored);
	secret_wipe(&m, sizeof(m));
}

static void
encode(const uint8_t *octets, size_t len, char *out)
{
	base64_encode(popper_slice(octets, len), out);
	out[BASE64_LEN(len)] = '\0';
}

int
scram_make(enum scram_kind kind, const char *password, uint32_t rounds,
    char *out, struct popper_error *e)
{
	const size_t len = kinds[kind].hash->digest_size;
	char salt_text[BASE64_LEN(SALT_LEN) + 1];
	char stored[BASE64_LEN(DIGEST_MAX) + 1];
	char server[BASE64_LEN(DIGEST_MAX) + 1];
	uint8_t salt[SALT_LEN];
	struct keys k;
	bool fits;

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return error_system(e, POPPER_TEMPORARY, "getrandom");
	derive(kinds[kind].hash, password, rounds, salt, &k);
	encode(salt, sizeof(salt), salt_text);
	encode(k.stored, len, stored);
	encode(k.server, len, server);
	secret_wipe(&k, sizeof(k));
	fits = text_print(out, SCRAM_KEY_SIZE, "$%s$%lu$%s$%s$%s",
	    kinds[kind].name, (unsigned long)rounds, salt_text, stored, server);
	return fits ? 0 : error_set(e, POPPER_TEMPORARY, "a key too long");
}

bool
scram_is(struct popper_slice item)
{
	static const char start[] = "$scram-sha-";

	return item.len >= sizeof(start) - 1 &&
	    memcmp(item.ptr, start, sizeof(start) - 1) == 0;
}

/* Where the first item ends: before a comma, and a hash only before a key. */
static size_t
item_length(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == ',' &&
		    (scram_is(s) ||
			scram_is(popper_slice(s.ptr + i + 1, s.len - i - 1))))
			return i;
	return s.len;
}

struct popper_slice
scram_crypt_of(struct popper_slice field)
{
	size_t len;

	while (field.len > 0) {
		len = item_length(field);
		if (!scram_is(field))
			return popper_slice(field.ptr, len);
		if (len < field.len)
			len++;
		field.ptr += len;
		field.len -= len;
	}
	return field;
}
