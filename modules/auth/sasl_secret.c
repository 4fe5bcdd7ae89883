/*
 * sasl_secret.c - secrets made up, and keys of SCRAM from a clear-text one.
 *
 * Runs in:  the gate, as root.
 */
#include <stdio.h>
#include <string.h>

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>
#include <nettle/pbkdf2.h>

#include "sasl.h"

#define SALT_OCTETS 16
#define HASH_MAX 64 /* octets of the largest hash */

/* An HMAC of whatever hash. */
union state {
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
};

struct mac {
	const struct nettle_hash *hash;
	union state outer, inner, state;
};

static void
mac_key(
    struct mac *m, const struct nettle_hash *hash, const void *key, size_t len)
{
	m->hash = hash;
	nettle_hmac_set_key(
	    &m->outer, &m->inner, &m->state, hash, len, (const uint8_t *)key);
}

static void
mac_update(void *ctx, size_t len, const uint8_t *octets)
{
	struct mac *m = ctx;

	nettle_hmac_update(&m->state, m->hash, len, octets);
}

static void
mac_digest(void *ctx, size_t len, uint8_t *out)
{
	struct mac *m = ctx;

	nettle_hmac_digest(&m->outer, &m->inner, &m->state, m->hash, len, out);
}

void
auth_sasl_fake(const struct auth_sasl *s, const char *const label[3],
    unsigned char *out, size_t len)
{
	struct hmac_sha512_ctx h;

	hmac_sha512_set_key(&h, sizeof(s->key), s->key);
	/* With its NUL each, so that no two labels are the same octets. */
	for (size_t i = 0; i < 3; i++)
		hmac_sha512_update(
		    &h, strlen(label[i]) + 1, (const uint8_t *)label[i]);
	hmac_sha512_digest(&h, len, out);
	s->host->wipe(&h, sizeof(h));
}

void
auth_sasl_fake_clear(const struct auth_sasl *s, const char *mechanism,
    const char *user, char out[33])
{
	const char *const label[3] = { "clear", mechanism, user };
	unsigned char octets[16];

	auth_sasl_fake(s, label, octets, sizeof(octets));
	for (size_t i = 0; i < sizeof(octets); i++)
		(void)snprintf(out + 2 * i, 3, "%02x", octets[i]);
}

static const struct nettle_hash *
hash_of(const char *mechanism)
{
	static const struct {
		const char *mechanism;
		const struct nettle_hash *hash;
	} table[] = {
		{ "SCRAM-SHA-1", &nettle_sha1 },
		{ "SCRAM-SHA-224", &nettle_sha224 },
		{ "SCRAM-SHA-256", &nettle_sha256 },
		{ "SCRAM-SHA-384", &nettle_sha384 },
		{ "SCRAM-SHA-512", &nettle_sha512 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].mechanism, mechanism) == 0)
			return table[i].hash;
	return NULL;
}

struct keys {
	unsigned char salt[SALT_OCTETS];
	unsigned char stored[HASH_MAX], server[HASH_MAX];
	size_t len; /* of a key */
};

/* The form of RFC 5803. */
static int
print(const struct auth_sasl *s, const char *mechanism, const struct keys *k,
    char *out, size_t size)
{
	char salt[BASE64_ENCODE_RAW_LENGTH(SALT_OCTETS) + 1] = "";
	char stored[BASE64_ENCODE_RAW_LENGTH(HASH_MAX) + 1] = "";
	char server[BASE64_ENCODE_RAW_LENGTH(HASH_MAX) + 1] = "";
	int n;

	base64_encode_raw(salt, sizeof(k->salt), k->salt);
	base64_encode_raw(stored, k->len, k->stored);
	base64_encode_raw(server, k->len, k->server);
	n = snprintf(out, size, "%s$%s:%s$%s:%s", mechanism, s->iterations,
	    salt, stored, server);
	s->host->wipe(stored, sizeof(stored));
	s->host->wipe(server, sizeof(server));
	return n > 0 && (size_t)n < size ? 0 : -1;
}

int
auth_sasl_fake_keys(const struct auth_sasl *s, const char *mechanism,
    const char *user, char *out, size_t size)
{
	const struct nettle_hash *hash = hash_of(mechanism);
	const char *const salt[3] = { "salt", mechanism, user };
	const char *const stored[3] = { "stored", mechanism, user };
	const char *const server[3] = { "server", mechanism, user };
	struct keys k;

	if (hash == NULL)
		return -1;
	k.len = hash->digest_size;
	auth_sasl_fake(s, salt, k.salt, sizeof(k.salt));
	auth_sasl_fake(s, stored, k.stored, k.len);
	auth_sasl_fake(s, server, k.server, k.len);
	return print(s, mechanism, &k, out, size);
}

static void
label_key(struct mac *m, const unsigned char *salted, const char *label,
    unsigned char *out)
{
	size_t len = m->hash->digest_size;

	mac_key(m, m->hash, salted, len);
	mac_update(m, strlen(label), (const uint8_t *)label);
	mac_digest(m, len, out);
}

/* RFC 5802 section 3. */
int
auth_sasl_derive(const struct auth_sasl *s, const char *const who[2],
    const char *password, char *out, size_t size)
{
	const struct nettle_hash *hash = hash_of(who[0]);
	const char *const salt[3] = { "salt", who[0], who[1] };
	unsigned char salted[HASH_MAX], client[HASH_MAX];
	union state state;
	struct keys k;
	struct mac m;
	int result;

	if (hash == NULL)
		return -1;
	k.len = hash->digest_size;
	auth_sasl_fake(s, salt, k.salt, sizeof(k.salt));
	mac_key(&m, hash, password, strlen(password));
	nettle_pbkdf2(&m, mac_update, mac_digest, k.len,
	    (unsigned)s->conf->iterations, sizeof(k.salt), k.salt, k.len,
	    salted);
	label_key(&m, salted, "Client Key", client);
	label_key(&m, salted, "Server Key", k.server);
	hash->init(&state);
	hash->update(&state, k.len, client);
	hash->digest(&state, k.len, k.stored);
	result = print(s, who[0], &k, out, size);
	s->host->wipe(salted, sizeof(salted));
	s->host->wipe(client, sizeof(client));
	s->host->wipe(&m, sizeof(m));
	s->host->wipe(&k, sizeof(k));
	return result;
}
