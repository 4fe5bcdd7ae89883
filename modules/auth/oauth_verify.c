/*
 * oauth_verify.c - who signed it?  OpenSSL does the work.
 *
 * Runs in:  the gate, as root.
 */
#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "oauth.h"

/* r and s of P-256, as RFC 7518 section 3.4 has them. */
#define HALF 32

/* OpenSSL takes ECDSA signatures in DER only.  Returns its length, or 0. */
static size_t
to_der(const struct oauth_jwt *t, unsigned char out[2 * HALF + 16])
{
	ECDSA_SIG *s = NULL;
	BIGNUM *r_half, *s_half;
	unsigned char *p = out;
	int len = 0;

	if (t->signature_len != 2 * HALF || (s = ECDSA_SIG_new()) == NULL)
		return 0;
	r_half = BN_bin2bn(t->signature, HALF, NULL);
	s_half = BN_bin2bn(t->signature + HALF, HALF, NULL);
	if (r_half == NULL || s_half == NULL ||
	    ECDSA_SIG_set0(s, r_half, s_half) != 1) {
		BN_free(r_half);
		BN_free(s_half);
	} else
		len = i2d_ECDSA_SIG(s, &p);
	ECDSA_SIG_free(s);
	return len > 0 ? (size_t)len : 0;
}

/* For PS256: the salt is as long as the digest, RFC 7518 section 3.5. */
static bool
set_pss(EVP_PKEY_CTX *c)
{
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool
fits(EVP_PKEY *key, const struct oauth_jwt *t)
{
	const EVP_MD *digest =
	    t->algorithm == OAUTH_EDDSA ? NULL : EVP_sha256();
	const unsigned char *signature = t->signature;
	unsigned char der[2 * HALF + 16];
	size_t len = t->signature_len;
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c = NULL;
	bool good =
	    m != NULL && EVP_DigestVerifyInit(m, &c, digest, NULL, key) == 1;

	if (t->algorithm == OAUTH_PS256)
		good = good && set_pss(c);
	if (t->algorithm == OAUTH_ES256) {
		signature = der;
		len = to_der(t, der);
	}
	good = good && len > 0 &&
	    EVP_DigestVerify(m, signature, len,
		(const unsigned char *)t->signing_input.ptr,
		t->signing_input.len) == 1;
	EVP_MD_CTX_free(m);
	ERR_clear_error();
	return good;
}

/* A token without a kid may be of any key, one with a kid is of its own. */
static bool
is_named(const struct oauth_key *k, const struct oauth_jwt *t)
{
	return t->kid == NULL ||
	    (k->kid[0] != '\0' && strcmp(k->kid, t->kid) == 0);
}

const char *
oauth_verify(
    const struct oauth_keys *keys, const struct oauth_jwt *t, unsigned allowed)
{
	const char *why = "no key has its kid";
	bool tried = false;

	if ((t->algorithm & allowed) == 0)
		return "its algorithm is not among \"algorithms\"";
	for (size_t i = 0; i < keys->count; i++) {
		const struct oauth_key *k = &keys->key[i];

		if (!is_named(k, t))
			continue;
		if ((k->algorithms & t->algorithm) == 0) {
			why = "its key is for another algorithm";
			continue;
		}
		if (fits(k->key, t))
			return NULL;
		tried = true;
	}
	return tried ? "its signature is wrong" : why;
}
