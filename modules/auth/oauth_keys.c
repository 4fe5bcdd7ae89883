/*
 * oauth_keys.c - a set of public keys: JSON by jansson, keys by OpenSSL.
 *
 * Runs in:  the warm parent, and the gate when the file has changed; as root.
 *
 * A key's kind says which algorithms it may be used with, its "alg" narrows
 * that down, and a token has no say in it: doc/why/oauth-keys.md.
 */
#include "oauth_keys.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_EXPONENT_BITS_MAX 64
#define P256_OCTETS 32

/* A member that is base64url. */
static bool
octets(const json_t *jwk, const char *name, unsigned char *out, size_t room,
    size_t *len)
{
	const json_t *j = json_object_get(jwk, name);

	return json_is_string(j) &&
	    oauth_base64url(
		popper_slice(json_string_value(j), json_string_length(j)), out,
		room, len) &&
	    *len > 0;
}

static EVP_PKEY *
make(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (c == NULL || params == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
	    EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(c);
	return key;
}

static EVP_PKEY *
make_rsa(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key;

	if (b != NULL && n != NULL && e != NULL &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(b);
	key = make("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	return key;
}

static const char *
check_rsa(const BIGNUM *n, const BIGNUM *e)
{
	if (n == NULL || e == NULL)
		return "no memory";
	if (BN_num_bits(n) < RSA_BITS_MIN)
		return "an RSA key of less than 2048 bits";
	if (BN_num_bits(n) > RSA_BITS_MAX)
		return "an RSA key of more than 8192 bits";
	if (BN_is_odd(n) != 1 || BN_is_odd(e) != 1 || BN_is_one(e) == 1 ||
	    BN_num_bits(e) > RSA_EXPONENT_BITS_MAX)
		return "no such RSA key";
	return NULL;
}

static const char *
read_rsa(const json_t *jwk, EVP_PKEY **key)
{
	unsigned char n[OAUTH_SIGNATURE_MAX + 1], e[OAUTH_SIGNATURE_MAX];
	size_t n_len, e_len;
	BIGNUM *number, *exponent;
	const char *problem;

	if (!octets(jwk, "n", n, sizeof(n), &n_len) ||
	    !octets(jwk, "e", e, sizeof(e), &e_len))
		return "an RSA key without a good n or e";
	number = BN_bin2bn(n, (int)n_len, NULL);
	exponent = BN_bin2bn(e, (int)e_len, NULL);
	problem = check_rsa(number, exponent);
	if (problem == NULL)
		*key = make_rsa(number, exponent);
	BN_free(number);
	BN_free(exponent);
	return problem;
}

static bool
says(const json_t *jwk, const char *name, const char *value)
{
	const json_t *j = json_object_get(jwk, name);

	return json_is_string(j) && strcmp(json_string_value(j), value) == 0;
}

/* OpenSSL refuses a point that is not on the curve. */
static const char *
read_ec(const json_t *jwk, EVP_PKEY **key)
{
	unsigned char point[1 + 2 * P256_OCTETS] = { 4 }; /* uncompressed */
	char curve[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	size_t x, y;

	if (!says(jwk, "crv", "P-256"))
		return "a curve other than P-256";
	if (!octets(jwk, "x", point + 1, P256_OCTETS, &x) ||
	    !octets(jwk, "y", point + 1 + P256_OCTETS, P256_OCTETS, &y) ||
	    x != P256_OCTETS || y != P256_OCTETS)
		return "a key of P-256 without a good x or y";
	*key = make("EC", params);
	return NULL;
}

static const char *
read_okp(const json_t *jwk, EVP_PKEY **key)
{
	unsigned char x[32];
	size_t len;

	if (!says(jwk, "crv", "Ed25519"))
		return "a curve other than Ed25519";
	if (!octets(jwk, "x", x, sizeof(x), &len) || len != sizeof(x))
		return "a key of Ed25519 without a good x";
	*key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len);
	return NULL;
}

static const struct {
	const char *name;
	unsigned algorithms;
	const char *(*read)(const json_t *, EVP_PKEY **);
} kinds[] = {
	{ "RSA", OAUTH_RS256 | OAUTH_PS256, read_rsa },
	{ "EC", OAUTH_ES256, read_ec },
	{ "OKP", OAUTH_EDDSA, read_okp },
};

/* A key that a set names for something else than signatures, RFC 7517 4.2 to
 * 4.4. */
static bool
is_for_signatures(const json_t *jwk)
{
	const json_t *use = json_object_get(jwk, "use");
	const json_t *ops = json_object_get(jwk, "key_ops"), *op;
	size_t i;

	if (use != NULL && !says(jwk, "use", "sig"))
		return false;
	if (ops == NULL)
		return true;
	json_array_foreach(ops, i, op) if (json_is_string(op) &&
	    strcmp(json_string_value(op), "verify") == 0) return true;
	return false;
}

static const char *
read_kid(const json_t *jwk, struct oauth_key *k)
{
	const json_t *kid = json_object_get(jwk, "kid");

	if (kid == NULL)
		return NULL;
	if (!json_is_string(kid) || json_string_length(kid) > OAUTH_KID_MAX ||
	    json_string_length(kid) == 0)
		return "a key whose kid is no text, empty or too long";
	memcpy(k->kid, json_string_value(kid), json_string_length(kid) + 1);
	return NULL;
}

/* What the key's own "alg" leaves of the algorithms of its kind. */
static unsigned
pinned(const json_t *jwk, unsigned algorithms)
{
	const json_t *alg = json_object_get(jwk, "alg");

	if (alg == NULL)
		return algorithms;
	if (!json_is_string(alg))
		return 0;
	return algorithms &
	    oauth_algorithm(
		popper_slice(json_string_value(alg), json_string_length(alg)));
}

/* NULL, or why this key is not used. */
static const char *
read_key(const json_t *jwk, struct oauth_key *k)
{
	const char *problem = "a key of another kind than RSA, EC and OKP";

	*k = (struct oauth_key){ .kid = "" };
	if (!json_is_object(jwk))
		return "a key that is no object";
	if (!is_for_signatures(jwk))
		return "a key that is not for signatures";
	if (json_object_get(jwk, "d") != NULL)
		return "a private key: publish public ones only";
	if ((problem = read_kid(jwk, k)) != NULL)
		return problem;
	problem = "a key of another kind than RSA, EC and OKP";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!says(jwk, "kty", kinds[i].name))
			continue;
		k->algorithms = pinned(jwk, kinds[i].algorithms);
		if (k->algorithms == 0)
			return "a key for an algorithm that is not known here";
		problem = kinds[i].read(jwk, &k->key);
		if (problem == NULL && k->key == NULL)
			problem = "a key that OpenSSL does not take";
	}
	return problem;
}

static const char *
read_all(const json_t *set, struct oauth_keys *keys)
{
	const json_t *list = json_object_get(set, "keys"), *jwk;
	const char *why;
	size_t i;

	if (!json_is_array(list))
		return "no list of keys in it";
	if (json_array_size(list) > OAUTH_KEYS_MAX)
		return "more than 64 keys";
	json_array_foreach(list, i, jwk)
	{
		why = read_key(jwk, &keys->key[keys->count]);
		if (why == NULL) {
			keys->count++;
		} else {
			keys->ignored++;
			keys->why = why;
		}
	}
	/* OpenSSL's words about keys it refused are not asked for. */
	ERR_clear_error();
	if (keys->count > 0)
		return NULL;
	return keys->why != NULL ? keys->why : "it has no key";
}

struct oauth_keys *
oauth_keys_parse(struct popper_slice text, const char **problem)
{
	struct oauth_keys *keys = calloc(1, sizeof(*keys));
	json_t *set = NULL;

	*problem = "no memory";
	if (keys == NULL)
		return NULL;
	set = oauth_json(text, problem);
	if (set == NULL || (*problem = read_all(set, keys)) != NULL) {
		oauth_keys_free(keys);
		keys = NULL;
	}
	json_decref(set);
	return keys;
}

void
oauth_keys_free(struct oauth_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		EVP_PKEY_free(keys->key[i].key);
	free(keys);
}
