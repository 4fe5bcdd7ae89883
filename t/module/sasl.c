/* sasl.c - see sasl.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/nettle-meta.h>
#include <nettle/pbkdf2.h>

#undef fail /* the name of a service, too */

#include "auth.h"
#include "sasl.h"

extern const struct popper_module sasl_LTX_popper_module;

struct auth_sasl_conf sasl_conf;
struct popper_error sasl_error;
char sasl_challenge[POPPER_CHALLENGE_MAX + 1];

static const struct popper_auth *driver;
static void *self, *exchange;

/* --- The server around the module --- */

static int
canonical(char *out, size_t size, const char *name, struct popper_error *e)
{
	if (strlen(name) >= size || strchr(name, '/') != NULL)
		return auth_host.fail(e, POPPER_DENIED, "no name");
	for (size_t i = 0; i <= strlen(name); i++)
		out[i] = name[i] >= 'A' && name[i] <= 'Z'
		    ? (char)(name[i] + 'a' - 'A')
		    : name[i];
	return 0;
}

static int
lookup(const char *user, struct popper_identity *id, struct popper_error *e)
{
	if (strcmp(user, "dave") == 0)
		return auth_host.fail(e, POPPER_ABSENT, "no account");
	if (strcmp(user, "eve") == 0)
		return auth_host.fail(e, POPPER_TEMPORARY, "not now");
	(void)snprintf(id->user, sizeof(id->user), "%s", user);
	id->uid = 1000;
	return 0;
}

/* --- Keys and proofs --- */

/* HMAC of ${text} with ${key}, both of the hash's size at most. */
static void
mac(const struct nettle_hash *hash, const unsigned char *key, const char *text,
    unsigned char out[64])
{
	union {
		struct sha512_ctx largest;
		unsigned char room[512];
	} outer, inner, state;

	nettle_hmac_set_key(
	    &outer, &inner, &state, hash, hash->digest_size, key);
	nettle_hmac_update(&state, hash, strlen(text), (const uint8_t *)text);
	nettle_hmac_digest(
	    &outer, &inner, &state, hash, hash->digest_size, out);
}

static const struct nettle_hash *
hash_of(const char *mechanism)
{
	if (strncmp(mechanism, "SCRAM-SHA-256", 13) == 0)
		return &nettle_sha256;
	if (strncmp(mechanism, "SCRAM-SHA-512", 13) == 0)
		return &nettle_sha512;
	return &nettle_sha1;
}

static void
salted(const struct nettle_hash *hash, const char *password, size_t salt_len,
    const unsigned char *salt, unsigned iterations, unsigned char out[64])
{
	size_t len = strlen(password);
	const uint8_t *p = (const uint8_t *)password;

	if (hash == &nettle_sha1)
		pbkdf2_hmac_sha1(
		    len, p, iterations, salt_len, salt, hash->digest_size, out);
	else if (hash == &nettle_sha256)
		pbkdf2_hmac_sha256(
		    len, p, iterations, salt_len, salt, hash->digest_size, out);
	else
		pbkdf2_hmac_sha512(
		    len, p, iterations, salt_len, salt, hash->digest_size, out);
}

static void
hashed(const struct nettle_hash *hash, const unsigned char *in,
    unsigned char out[64])
{
	union {
		struct sha512_ctx largest;
		unsigned char room[512];
	} state;

	hash->init(&state);
	hash->update(&state, hash->digest_size, in);
	hash->digest(&state, hash->digest_size, out);
}

static void
encode(char *out, size_t len, const unsigned char *in)
{
	base64_encode_raw(out, len, in);
	out[BASE64_ENCODE_RAW_LENGTH(len)] = '\0';
}

static void
print_keys(const char *kind, char *out, size_t size)
{
	const struct nettle_hash *hash = hash_of(kind);
	const unsigned char salt[16] = "sixteen octets!";
	unsigned char all[64], client[64], server[64], stored[64];
	char texts[3][128];

	salted(hash, SASL_PASSWORD, sizeof(salt), salt, 5000, all);
	mac(hash, all, "Client Key", client);
	mac(hash, all, "Server Key", server);
	hashed(hash, client, stored);
	encode(texts[0], sizeof(salt), salt);
	encode(texts[1], hash->digest_size, stored);
	encode(texts[2], hash->digest_size, server);
	(void)snprintf(
	    out, size, "%s$5000:%s$%s:%s", kind, texts[0], texts[1], texts[2]);
}

static int
secret(const char *user, const char *kind, char *out, size_t size,
    struct popper_error *e)
{
	bool clear = strcmp(kind, "clear") == 0;
	const char *const have =
	    clear ? " alice carol long " : " alice bob dave eve a,b=c ";
	char word[64];

	if (strcmp(user, "broken") == 0)
		return auth_host.fail(e, POPPER_TEMPORARY, "a torn database");
	(void)snprintf(word, sizeof(word), " %s ", user);
	if (strstr(have, word) == NULL)
		return auth_host.fail(e, POPPER_ABSENT, "nothing");
	if (clear)
		(void)snprintf(out, size, "%s",
		    strcmp(user, "long") == 0 ? SASL_LONG : SASL_PASSWORD);
	else
		print_keys(kind, out, size);
	return 0;
}

/* --- The module --- */

void
sasl_defaults(void)
{
	static char key[300];

	auth_host.canonical = canonical;
	auth_host.lookup = lookup;
	auth_host.secret = secret;
	(void)snprintf(key, sizeof(key), "%s/key", auth_folder);
	sasl_conf = (struct auth_sasl_conf){ .mechanisms = "",
		.store = "popper",
		.sasldb = "/nonexistent/sasldb",
		.saslauthd = "/nonexistent/mux",
		.plugins = "",
		.keytab = "",
		.krb5_conf = "",
		.realm = "",
		.service = "pop",
		.key_file = key,
		.iterations = 5000,
		.log_level = 5 };
}

int
sasl_start(void)
{
	memset(&sasl_error, 0, sizeof(sasl_error));
	driver = sasl_LTX_popper_module.auth;
	return driver->start(&auth_host, &sasl_conf, &self, &sasl_error);
}

void
sasl_stop(void)
{
	sasl_end();
	driver->stop(self);
	self = NULL;
}

void
sasl_restart(void)
{
	if (self != NULL)
		sasl_stop();
	if (sasl_start() == -1)
		assert_string_equal(sasl_error.text, "no error");
}

int
sasl_needs(const char *mechanism)
{
	const struct popper_mechanism *m = driver->offers(self);

	while (m->name != NULL && strcmp(m->name, mechanism) != 0)
		m++;
	return m->name != NULL ? (int)m->needs : -1;
}

static enum popper_verdict
answered(enum popper_verdict v)
{
	if (v == POPPER_AUTH_MORE) {
		memcpy(sasl_challenge, auth_answer.challenge,
		    auth_answer.challenge_len);
		sasl_challenge[auth_answer.challenge_len] = '\0';
	}
	return v;
}

static void
clear(void)
{
	memset(&auth_answer, 0, sizeof(auth_answer));
	auth_answer.size = sizeof(auth_answer);
	auth_answer.identity.size = sizeof(auth_answer.identity);
}

enum popper_verdict
sasl_begin(const char *mechanism, const char *first, const char *binding)
{
	const struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = mechanism,
		.secret = popper_slice_text(first != NULL ? first : ""),
		.initial = first != NULL,
		.tls = binding != NULL,
		.timestamp = "",
		.client = "192.0.2.7",
		.server = "192.0.2.1",
		.server_name = "pop.example.org",
		.certificate = "",
		.binding = popper_slice_text(binding != NULL ? binding : ""),
	};

	sasl_end();
	clear();
	return answered(driver->begin(self, &attempt, &exchange, &auth_answer));
}

enum popper_verdict
sasl_step(const char *response)
{
	clear();
	return answered(
	    driver->step(exchange, popper_slice_text(response), &auth_answer));
}

void
sasl_end(void)
{
	driver->end(exchange);
	exchange = NULL;
}

/* --- The client --- */

struct sasl_client
sasl_scram(const char *mechanism, const char *header, const char *user)
{
	struct sasl_client c = { .mechanism = mechanism,
		.header = header,
		.user = user,
		.password = SASL_PASSWORD };

	if (strstr(mechanism, "-PLUS") != NULL)
		c.binding = SASL_BINDING;
	(void)snprintf(
	    c.bare, sizeof(c.bare), "n=%s,r=fyko+d2lbbFgONRv9qkxdawL", user);
	return c;
}

enum popper_verdict
sasl_scram_begin(struct sasl_client *c)
{
	char message[512];
	enum popper_verdict v;

	(void)snprintf(message, sizeof(message), "%s%s", c->header, c->bare);
	v = sasl_begin(c->mechanism, message, c->binding);
	if (v == POPPER_AUTH_MORE)
		assert_int_equal(
		    sscanf(sasl_challenge, "r=%255[^,],s=%127[^,],i=%u",
			c->nonce, c->salt, &c->iterations),
		    3);
	return v;
}

void
sasl_scram_prove(struct sasl_client *c)
{
	const struct nettle_hash *hash = hash_of(c->mechanism);
	unsigned char all[64], client[64], stored[64], out[64], salt[128];
	char header[512], message[2048];
	struct base64_decode_ctx d;
	size_t len = sizeof(salt);

	(void)snprintf(header, sizeof(header), "%s%s", c->header,
	    c->binding != NULL && c->header[0] == 'p' ? c->binding : "");
	memcpy(c->channel, "c=", 2);
	encode(c->channel + 2, strlen(header), (const unsigned char *)header);
	(void)snprintf(message, sizeof(message), "%s,r=%s,s=%s,i=%u,%s,r=%s",
	    c->bare, c->nonce, c->salt, c->iterations, c->channel, c->nonce);
	base64_decode_init(&d);
	assert_true(
	    base64_decode_update(&d, &len, salt, strlen(c->salt), c->salt));
	salted(hash, c->password, len, salt, c->iterations, all);
	mac(hash, all, "Client Key", client);
	hashed(hash, client, stored);
	mac(hash, stored, message, out);
	for (size_t i = 0; i < hash->digest_size; i++)
		out[i] ^= client[i];
	memcpy(c->proof, "p=", 2);
	encode(c->proof + 2, hash->digest_size, out);
	mac(hash, all, "Server Key", client);
	mac(hash, client, message, out);
	memcpy(c->wanted, "v=", 2);
	encode(c->wanted + 2, hash->digest_size, out);
}

enum popper_verdict
sasl_scram_end(struct sasl_client *c)
{
	char message[1024];

	(void)snprintf(message, sizeof(message), "%s,r=%s,%s", c->channel,
	    c->nonce, c->proof);
	return sasl_step(message);
}

enum popper_verdict
sasl_scram_run(struct sasl_client *c)
{
	enum popper_verdict v = sasl_scram_begin(c);

	if (v != POPPER_AUTH_MORE)
		return v;
	sasl_scram_prove(c);
	v = sasl_scram_end(c);
	if (v != POPPER_AUTH_MORE)
		return v;
	assert_string_equal(sasl_challenge, c->wanted);
	return sasl_step("");
}
