/* oauth.c - see oauth.h. */
#include "oauth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>

struct oauth_conf oa_conf;
void *oa_self;
bool oa_trim, oa_replace, oa_separate;
enum popper_status oa_trouble;
unsigned oa_lookups;

static EVP_PKEY *pairs[OA_KEYS];
static char *texts[4096];
static size_t text_count;

const char *
oa_print(const char *format, ...)
{
	va_list args;
	int len;

	assert_true(text_count < sizeof(texts) / sizeof(*texts));
	va_start(args, format);
	len = vasprintf(&texts[text_count], format, args);
	va_end(args);
	assert_true(len >= 0);
	return texts[text_count++];
}

int
oa_group_setup(void **state)
{
	(void)state;
	pairs[OA_RSA] = EVP_RSA_gen(2048);
	pairs[OA_RSA_OTHER] = EVP_RSA_gen(2048);
	pairs[OA_RSA_WEAK] = EVP_RSA_gen(1024);
	pairs[OA_EC] = EVP_EC_gen("P-256");
	pairs[OA_EC_OTHER] = EVP_EC_gen("P-256");
	pairs[OA_EC_384] = EVP_EC_gen("P-384");
	pairs[OA_ED] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (size_t i = 0; i < OA_KEYS; i++)
		if (pairs[i] == NULL)
			return -1;
	return 0;
}

int
oa_group_teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < OA_KEYS; i++)
		EVP_PKEY_free(pairs[i]);
	while (text_count > 0)
		free(texts[--text_count]);
	return 0;
}

EVP_PKEY *
oa_pkey(enum oa_key key)
{
	return pairs[key];
}

/* --- The server's side. --- */

static int
canonical(char *out, size_t size, const char *name, struct popper_error *e)
{
	char *end;

	if (name[0] == '\0' || strlen(name) >= size)
		return (auth_host.fail)(e, POPPER_DENIED, "no such name");
	for (size_t i = 0; i <= strlen(name); i++)
		out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z'
			? name[i] - 'A' + 'a'
			: name[i]);
	/* As preparing would: a letter of full width is the usual one. */
	if (strncmp(out, "\357\275\203", 3) == 0) {
		out[0] = 'c';
		memmove(out + 1, out + 3, strlen(out + 3) + 1);
	}
	end = strchr(out, '@');
	if (oa_trim && end != NULL)
		*end = '\0';
	end = strchr(out, '+');
	if (oa_separate && end != NULL)
		*end = '\0';
	if (oa_replace && strlen(out) + 16 < size)
		(void)strcat(out, "@example.org");
	return 0;
}

static int
lookup(const char *user, struct popper_identity *id, struct popper_error *e)
{
	static const char *const known[] = { "carol@example.org", "carol",
		"j\303\266rg@example.org" };

	oa_lookups++;
	if (oa_trouble != POPPER_OK)
		return (auth_host.fail)(e, oa_trouble, "trouble");
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i], user) != 0)
			continue;
		(void)snprintf(id->user, sizeof(id->user), "%s", user);
		id->uid = 1234;
		return 0;
	}
	return (auth_host.fail)(e, POPPER_ABSENT, "no such account");
}

int
oa_setup(void **state)
{
	(void)state;
	auth_folder_make();
	auth_host.canonical = canonical;
	auth_host.lookup = lookup;
	oa_trim = oa_replace = oa_separate = false;
	oa_trouble = POPPER_OK;
	oa_lookups = 0;
	oa_self = NULL;
	oa_conf = (struct oauth_conf){
		.jwks = oa_print("%s/jwks", auth_folder),
		.issuer = OA_ISSUER,
		.audience = OA_AUDIENCE,
		.algorithms = "RS256 ES256 EdDSA",
		.identity = "email",
		.domains = "",
		.scope = "",
		.hosts = "",
		.discovery = "",
		.verified = true,
		.skew = 60,
		.introspect = "",
		.client_id = "",
		.secret_file = "",
		.ca_file = "",
		.timeout = 5,
	};
	oa_keys(oa_jwk(OA_RSA, ",\"kid\":\"r\""));
	return 0;
}

int
oa_teardown(void **state)
{
	(void)state;
	oauth_LTX_popper_module.auth->stop(oa_self);
	auth_folder_remove();
	return 0;
}

void
oa_keys(const char *list)
{
	(void)auth_write("jwks", 0644, oa_print("{\"keys\":[%s]}", list));
}

void
oa_start(void)
{
	struct popper_error e = { .text = "" };
	int result = oauth_LTX_popper_module.auth->start(
	    &auth_host, &oa_conf, &oa_self, &e);

	if (result != 0)
		print_error("%s\n", e.text);
	assert_int_equal(result, 0);
}

static void
assert_says(const char *text, const char *why)
{
	if (strstr(text, why) == NULL)
		print_error("\"%s\" does not say \"%s\"\n", text, why);
	assert_non_null(strstr(text, why));
}

void
oa_refuse_start(const char *why)
{
	struct popper_error e = { .text = "" };

	assert_int_equal(oauth_LTX_popper_module.auth->start(
			     &auth_host, &oa_conf, &oa_self, &e),
	    -1);
	assert_null(oa_self);
	assert_says(e.text, why);
}

/* --- Keys and tokens. --- */

const char *
oa_encode(struct popper_slice s)
{
	unsigned char *out = malloc(s.len / 3 * 4 + 8);
	const char *text;
	int len;

	assert_non_null(out);
	len = EVP_EncodeBlock(out, (const unsigned char *)s.ptr, (int)s.len);
	while (len > 0 && out[len - 1] == '=')
		out[--len] = '\0';
	for (int i = 0; i < len; i++) {
		if (out[i] == '+')
			out[i] = '-';
		if (out[i] == '/')
			out[i] = '_';
	}
	text = oa_print("%s", (char *)out);
	free(out);
	return text;
}

static const char *
number(EVP_PKEY *key, const char *name)
{
	unsigned char octets[1024];
	BIGNUM *n = NULL;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	len = BN_bn2bin(n, octets);
	BN_free(n);
	return oa_encode(popper_slice(octets, (size_t)len));
}

const char *
oa_jwk(enum oa_key which, const char *more)
{
	EVP_PKEY *key = pairs[which];
	unsigned char point[256];
	size_t len, half;

	if (which <= OA_RSA_WEAK)
		return oa_print("{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
		    number(key, OSSL_PKEY_PARAM_RSA_N),
		    number(key, OSSL_PKEY_PARAM_RSA_E), more);
	if (which == OA_ED) {
		len = sizeof(point);
		assert_int_equal(
		    EVP_PKEY_get_raw_public_key(key, point, &len), 1);
		return oa_print(
		    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}",
		    oa_encode(popper_slice(point, len)), more);
	}
	assert_int_equal(
	    EVP_PKEY_get_octet_string_param(
		key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len),
	    1);
	half = (len - 1) / 2;
	return oa_print("{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":"
			"\"%s\"%s}",
	    which == OA_EC_384 ? "P-384" : "P-256",
	    oa_encode(popper_slice(point + 1, half)),
	    oa_encode(popper_slice(point + 1 + half, half)), more);
}

/* DER to the r and s of JWS. */
static size_t
from_der(unsigned char *signature, size_t len, int half)
{
	const unsigned char *p = signature;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)len);

	assert_non_null(s);
	assert_int_equal(
	    BN_bn2binpad(ECDSA_SIG_get0_r(s), signature, half), half);
	assert_int_equal(
	    BN_bn2binpad(ECDSA_SIG_get0_s(s), signature + half, half), half);
	ECDSA_SIG_free(s);
	return 2 * (size_t)half;
}

const char *
oa_sign(
    enum oa_key which, const char *alg, const char *header, const char *claims)
{
	const char *text =
	    oa_print("%s.%s", oa_encode(popper_slice_text(header)),
		oa_encode(popper_slice_text(claims)));
	unsigned char signature[2048];
	size_t len = sizeof(signature);
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = NULL;

	assert_int_equal(EVP_DigestSignInit(m, &c,
			     strcmp(alg, "EdDSA") == 0 ? NULL : EVP_sha256(),
			     NULL, pairs[which]),
	    1);
	if (strcmp(alg, "PS256") == 0) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST),
		    1);
	}
	assert_int_equal(EVP_DigestSign(m, signature, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	EVP_MD_CTX_free(m);
	if (strcmp(alg, "ES256") == 0)
		len = from_der(signature, len, which == OA_EC_384 ? 48 : 32);
	return oa_print("%s.%s", text, oa_encode(popper_slice(signature, len)));
}

const char *
oa_claims(long exp, const char *more)
{
	return oa_print("{\"iss\":\"" OA_ISSUER "\",\"aud\":\"" OA_AUDIENCE
			"\",\"email\":\"carol@example.org\","
			"\"email_verified\":true,\"exp\":%ld%s}",
	    (long)time(NULL) + exp, more);
}

const char *
oa_good(void)
{
	return oa_sign(OA_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}",
	    oa_claims(600, ""));
}

/* --- Logins. --- */

enum popper_verdict
oa_begin(const char *mechanism, const char *message, void **exchange)
{
	const struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = mechanism,
		.initial = message != NULL,
		.secret = popper_slice_text(message != NULL ? message : ""),
		.tls = true,
		.timestamp = "",
		.client = "192.0.2.7",
		.server = "192.0.2.1",
		.server_name = "pop.example.org",
		.certificate = "",
	};

	memset(&auth_answer, 0, sizeof(auth_answer));
	auth_answer.size = sizeof(auth_answer);
	auth_answer.identity.size = sizeof(auth_answer.identity);
	*exchange = NULL;
	return oauth_LTX_popper_module.auth->begin(
	    oa_self, &attempt, exchange, &auth_answer);
}

enum popper_verdict
oa_step(void *exchange, const char *response)
{
	memset(&auth_answer, 0, sizeof(auth_answer));
	auth_answer.size = sizeof(auth_answer);
	auth_answer.identity.size = sizeof(auth_answer.identity);
	return oauth_LTX_popper_module.auth->step(
	    exchange, popper_slice_text(response), &auth_answer);
}

enum popper_verdict
oa_try(const char *token)
{
	void *x;
	enum popper_verdict v = oa_begin(
	    "OAUTHBEARER", oa_print("n,,\1auth=Bearer %s\1\1", token), &x);

	if (v == POPPER_AUTH_MORE) {
		assert_true(auth_answer.challenge_len > 0);
		assert_string_equal(auth_answer.identity.user, "");
		v = oa_step(x, "\1");
		assert_int_equal(v, POPPER_AUTH_NO);
	}
	oauth_LTX_popper_module.auth->end(x);
	return v;
}

void
oa_refused(const char *token, const char *why)
{
	assert_int_equal(oa_try(token), POPPER_AUTH_NO);
	assert_string_equal(auth_answer.identity.user, "");
	assert_says(auth_answer.error.text, why);
}
