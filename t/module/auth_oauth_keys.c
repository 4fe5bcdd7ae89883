/* auth_oauth_keys.c - keys, signatures, and algorithms that do not mix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "oauth.h"

static const char *
signed_by(enum oa_key key, const char *alg, const char *header)
{
	return oa_sign(key, alg, header, oa_claims(600, ""));
}

static void
every_algorithm(void **state)
{
	(void)state;
	oa_conf.algorithms = "RS256,PS256 ES256 EdDSA";
	oa_keys(oa_print("%s,%s,%s", oa_jwk(OA_RSA, ",\"use\":\"sig\""),
	    oa_jwk(OA_EC, ",\"alg\":\"ES256\""),
	    oa_jwk(OA_ED, ",\"key_ops\":[\"verify\"]")));
	oa_start();
	assert_int_equal(
	    oa_try(signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\"}")),
	    POPPER_AUTH_YES);
	assert_int_equal(
	    oa_try(signed_by(OA_RSA, "PS256", "{\"alg\":\"PS256\"}")),
	    POPPER_AUTH_YES);
	for (int i = 0; i < 64; i++) /* r and s with leading zeros too */
		assert_int_equal(
		    oa_try(signed_by(OA_EC, "ES256", "{\"alg\":\"ES256\"}")),
		    POPPER_AUTH_YES);
	assert_int_equal(
	    oa_try(signed_by(OA_ED, "EdDSA", "{\"alg\":\"EdDSA\"}")),
	    POPPER_AUTH_YES);
}

static void
other_keys_do_not_fit(void **state)
{
	(void)state;
	oa_keys(oa_print("%s,%s", oa_jwk(OA_RSA, ""), oa_jwk(OA_EC, "")));
	oa_start();
	oa_refused(signed_by(OA_RSA_OTHER, "RS256", "{\"alg\":\"RS256\"}"),
	    "signature is wrong");
	oa_refused(signed_by(OA_EC_OTHER, "ES256", "{\"alg\":\"ES256\"}"),
	    "signature is wrong");
	oa_refused(signed_by(OA_EC_384, "ES256", "{\"alg\":\"ES256\"}"),
	    "signature is wrong");
	oa_refused(signed_by(OA_ED, "EdDSA", "{\"alg\":\"EdDSA\"}"),
	    "for another algorithm");
}

/* The text of the public key, as everybody can have it. */
static struct popper_slice
public_pem(enum oa_key key, BIO **bio)
{
	char *text;
	long len;

	*bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(*bio, oa_pkey(key)), 1);
	len = BIO_get_mem_data(*bio, &text);
	return popper_slice(text, (size_t)len);
}

static const char *
hmac(struct popper_slice secret, const char *header)
{
	const char *text =
	    oa_print("%s.%s", oa_encode(popper_slice_text(header)),
		oa_encode(popper_slice_text(oa_claims(600, ""))));
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	assert_non_null(HMAC(EVP_sha256(), secret.ptr, (int)secret.len,
	    (const unsigned char *)text, strlen(text), mac, &len));
	return oa_print("%s.%s", text, oa_encode(popper_slice(mac, len)));
}

/* The confusion: the public key's text as the secret of an HMAC. */
static void
a_public_key_is_no_secret(void **state)
{
	struct popper_slice pem;
	BIO *bio;

	(void)state;
	oa_start();
	pem = public_pem(OA_RSA, &bio);
	oa_refused(
	    hmac(pem, "{\"alg\":\"HS256\",\"kid\":\"r\"}"), "not known here");
	oa_refused(hmac(pem, "{\"alg\":\"RS256\",\"kid\":\"r\"}"),
	    "signature is wrong");
	oa_refused(
	    hmac(popper_slice("", 0), "{\"alg\":\"HS256\"}"), "not known here");
	BIO_free(bio);
	/* Nor is a symmetric key in the file ever used. */
	oa_keys(oa_print("%s,{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":"
			 "\"o\",\"alg\":\"HS256\"}",
	    oa_jwk(OA_RSA, "")));
	oa_refused(hmac(popper_slice_text("secret"),
		       "{\"alg\":\"HS256\",\"kid\":\"o\"}"),
	    "not known here");
}

static void
no_signature_is_none(void **state)
{
	static const char *const alg[] = { "none", "None", "NONE", "nOnE", "",
		"RS256 ", "rs256", "RS512" };
	const char *text;

	(void)state;
	oa_start();
	for (size_t i = 0; i < sizeof(alg) / sizeof(*alg); i++) {
		text = oa_print("%s.%s",
		    oa_encode(popper_slice_text(
			oa_print("{\"alg\":\"%s\",\"kid\":\"r\"}", alg[i]))),
		    oa_encode(popper_slice_text(oa_claims(600, ""))));
		oa_refused(oa_print("%s.", text), "not known here");
		oa_refused(oa_print("%s.AAAA", text), "not known here");
	}
	text = oa_print("%s.%s",
	    oa_encode(popper_slice_text("{\"alg\":\"RS256\"}")),
	    oa_encode(popper_slice_text(oa_claims(600, ""))));
	oa_refused(oa_print("%s.", text), "signature is wrong");
	oa_refused(text, "three parts");
}

static void
an_algorithm_belongs_to_its_key(void **state)
{
	(void)state;
	oa_conf.algorithms = "RS256 PS256 ES256 EdDSA";
	oa_keys(oa_print("%s,%s",
	    oa_jwk(OA_RSA, ",\"kid\":\"r\",\"alg\":\"PS256\""),
	    oa_jwk(OA_EC, ",\"kid\":\"e\"")));
	oa_start();
	oa_refused(
	    signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}"),
	    "for another algorithm");
	oa_refused(
	    signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"e\"}"),
	    "for another algorithm");
	oa_refused(
	    signed_by(OA_EC, "ES256", "{\"alg\":\"EdDSA\",\"kid\":\"e\"}"),
	    "for another algorithm");
	oa_refused(
	    signed_by(OA_RSA, "RS256", "{\"alg\":\"PS256\",\"kid\":\"r\"}"),
	    "signature is wrong");
	assert_int_equal(oa_try(signed_by(OA_RSA, "PS256",
			     "{\"alg\":\"PS256\",\"kid\":\"r\"}")),
	    POPPER_AUTH_YES);
}

static void
the_option_says_which_algorithms(void **state)
{
	(void)state;
	oa_conf.algorithms = "ES256";
	oa_keys(oa_print("%s,%s", oa_jwk(OA_RSA, ""), oa_jwk(OA_EC, "")));
	oa_start();
	oa_refused(signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\"}"),
	    "not among \"algorithms\"");
	assert_int_equal(
	    oa_try(signed_by(OA_EC, "ES256", "{\"alg\":\"ES256\"}")),
	    POPPER_AUTH_YES);
}

/* Another character in the middle of part ${n}, 0 to 2. */
static const char *
tampered(const char *token, unsigned n)
{
	char *text = strdup(token), *start = text, *stop;
	const char *out;

	assert_non_null(text);
	while (n-- > 0)
		start = strchr(start, '.') + 1;
	stop = strchrnul(start, '.');
	start += (stop - start) / 2;
	*start = *start == 'A' ? 'B' : 'A';
	out = oa_print("%s", text);
	free(text);
	return out;
}

static void
tampered_tokens(void **state)
{
	static const struct {
		enum oa_key key;
		const char *alg;
	} all[] = { { OA_RSA, "RS256" }, { OA_EC, "ES256" },
		{ OA_ED, "EdDSA" } };
	const char *token;

	(void)state;
	oa_keys(oa_print("%s,%s,%s", oa_jwk(OA_RSA, ""), oa_jwk(OA_EC, ""),
	    oa_jwk(OA_ED, "")));
	oa_start();
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		token = signed_by(all[i].key, all[i].alg,
		    oa_print("{\"alg\":\"%s\"}", all[i].alg));
		assert_int_equal(oa_try(token), POPPER_AUTH_YES);
		for (unsigned part = 0; part < 3; part++)
			oa_refused(tampered(token, part), "");
		oa_refused(oa_print("%sAAAA", token), "");
		oa_refused(oa_print("%.*s", (int)strlen(token) - 4, token), "");
	}
}

static void
es256_signatures_have_64_octets(void **state)
{
	static const size_t lengths[] = { 1, 32, 63, 65, 70, 71, 72, 96, 128 };
	static const unsigned char zeros[128];
	const char *token;

	(void)state;
	oa_keys(oa_jwk(OA_EC, ""));
	oa_start();
	token = signed_by(OA_EC, "ES256", "{\"alg\":\"ES256\"}");
	token = oa_print("%.*s", (int)(strrchr(token, '.') - token), token);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		oa_refused(oa_print("%s.%s", token,
			       oa_encode(popper_slice(zeros, lengths[i]))),
		    "signature is wrong");
	/* r and s of zero, which other libraries once took for anybody's. */
	oa_refused(oa_print("%s.%s", token, oa_encode(popper_slice(zeros, 64))),
	    "signature is wrong");
}

static void
keys_are_found_by_kid(void **state)
{
	(void)state;
	oa_keys(oa_print("%s,%s,%s", oa_jwk(OA_RSA_OTHER, ",\"kid\":\"a\""),
	    oa_jwk(OA_RSA, ",\"kid\":\"b\""), oa_jwk(OA_EC, "")));
	oa_start();
	assert_int_equal(oa_try(signed_by(OA_RSA, "RS256",
			     "{\"alg\":\"RS256\",\"kid\":\"b\"}")),
	    POPPER_AUTH_YES);
	assert_int_equal(
	    oa_try(signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\"}")),
	    POPPER_AUTH_YES);
	oa_refused(
	    signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"a\"}"),
	    "signature is wrong");
	oa_refused(
	    signed_by(OA_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"c\"}"),
	    "no key has its kid");
	oa_refused(
	    signed_by(OA_EC, "ES256", "{\"alg\":\"ES256\",\"kid\":\"b\"}"),
	    "for another algorithm");
	oa_refused(
	    signed_by(OA_EC, "ES256", "{\"alg\":\"ES256\",\"kid\":\"\"}"),
	    "no key has its kid");
	/* Two keys of one kid: either. */
	oa_keys(oa_print("%s,%s", oa_jwk(OA_RSA_OTHER, ",\"kid\":\"b\""),
	    oa_jwk(OA_RSA, ",\"kid\":\"b\"")));
	assert_int_equal(oa_try(signed_by(OA_RSA, "RS256",
			     "{\"alg\":\"RS256\",\"kid\":\"b\"}")),
	    POPPER_AUTH_YES);
}

static void
keys_in_the_token_do_not_count(void **state)
{
	(void)state;
	oa_start();
	oa_refused(signed_by(OA_RSA_OTHER, "RS256",
		       oa_print("{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":%s}",
			   oa_jwk(OA_RSA_OTHER, ""))),
	    "signature is wrong");
}

static void
the_file_is_read_again(void **state)
{
	const char *token;

	(void)state;
	oa_start();
	token = oa_good();
	assert_int_equal(oa_try(token), POPPER_AUTH_YES);
	oa_keys(oa_jwk(OA_RSA_OTHER, ",\"kid\":\"r\""));
	oa_refused(token, "signature is wrong");
	oa_keys(oa_jwk(OA_RSA, ",\"kid\":\"r\""));
	assert_int_equal(oa_try(token), POPPER_AUTH_YES);
	(void)auth_write("jwks", 0644, "{\"keys\":[");
	assert_int_equal(oa_try(token), POPPER_AUTH_LATER);
	assert_int_equal(unlink(oa_conf.jwks), 0);
	assert_int_equal(oa_try(token), POPPER_AUTH_LATER);
	assert_non_null(strstr(auth_answer.error.text, "jwks"));
	oa_keys(oa_jwk(OA_RSA, ",\"kid\":\"r\""));
	assert_int_equal(oa_try(token), POPPER_AUTH_YES);
	assert_int_equal(chmod(oa_conf.jwks, 0666), 0);
	assert_int_equal(oa_try(token), POPPER_AUTH_LATER);
}

static void
an_unchanged_file_is_not_parsed_again(void **state)
{
	const struct oauth_keys *before;

	(void)state;
	oa_start();
	before = ((struct oauth_self *)oa_self)->keys;
	assert_int_equal(oa_try(oa_good()), POPPER_AUTH_YES);
	assert_ptr_equal(((struct oauth_self *)oa_self)->keys, before);
}

static void
refuse_file(const char *text, const char *why)
{
	(void)auth_write("jwks", 0644, text);
	oa_refuse_start(why);
}

static void
bad_sets_stop_the_start(void **state)
{
	static char many[70 * 4 + 32] = "{\"keys\":[1";
	static char large[OAUTH_KEYS_FILE_MAX + 2];

	(void)state;
	refuse_file("", "no JSON");
	refuse_file("[]", "no object");
	refuse_file("{}", "no list of keys");
	refuse_file("{\"keys\":{}}", "no list of keys");
	refuse_file("{\"keys\":[]}", "has no key");
	refuse_file("{\"keys\":[],\"keys\":[]}", "twice");
	refuse_file("{\"keys\":[7]}", "no object");
	for (int i = 0; i < 70; i++)
		(void)strcat(many, ",1");
	refuse_file(strcat(many, "]}"), "more than 64");
	memset(large, ' ', sizeof(large) - 1);
	refuse_file(large, "larger than");
	assert_int_equal(unlink(oa_conf.jwks), 0);
	oa_refuse_start("jwks");
	assert_int_equal(symlink("/dev/null", oa_conf.jwks), 0);
	oa_refuse_start("symbolic link");
	assert_int_equal(unlink(oa_conf.jwks), 0);
	assert_int_equal(mkfifo(oa_conf.jwks, 0644), 0);
	oa_refuse_start("not a regular file");
}

static void
refuse_key(const char *jwk, const char *why)
{
	refuse_file(oa_print("{\"keys\":[%s]}", jwk), why);
}

static void
bad_keys_are_not_used(void **state)
{
	(void)state;
	refuse_key(oa_jwk(OA_RSA_WEAK, ""), "less than 2048");
	refuse_key(oa_jwk(OA_EC_384, ""), "other than P-256");
	refuse_key(oa_jwk(OA_RSA, ",\"use\":\"enc\""), "not for signatures");
	refuse_key(
	    oa_jwk(OA_RSA, ",\"key_ops\":[\"encrypt\"]"), "not for signatures");
	refuse_key(oa_jwk(OA_RSA, ",\"alg\":\"RSA-OAEP\""), "algorithm");
	refuse_key(oa_jwk(OA_RSA, ",\"alg\":\"ES256\""), "algorithm");
	refuse_key(oa_jwk(OA_RSA, ",\"d\":\"AQAB\""), "private");
	refuse_key(oa_jwk(OA_RSA, ",\"kid\":7"), "kid");
	refuse_key("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}", "another kind");
	refuse_key("{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}", "good n");
	refuse_key("{\"kty\":\"RSA\"}", "good n");
	refuse_key("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"}",
	    "other than Ed25519");
	refuse_key(
	    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "good x");
	refuse_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":"
		   "\"AAAA\"}",
	    "good x or y");
	/* Not on the curve. */
	refuse_key("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		   "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\",\"y\":"
		   "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\"}",
	    "does not take");
}

static void
a_good_key_works_beside_bad_ones(void **state)
{
	(void)state;
	oa_keys(oa_print("%s,7,%s", oa_jwk(OA_RSA_WEAK, ",\"kid\":\"r\""),
	    oa_jwk(OA_RSA, ",\"kid\":\"r\"")));
	oa_start();
	assert_int_equal(auth_logged("1 keys are used, 2 are not"), 1);
	assert_int_equal(oa_try(oa_good()), POPPER_AUTH_YES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, oa_setup, oa_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_algorithm),
		TEST(other_keys_do_not_fit),
		TEST(a_public_key_is_no_secret),
		TEST(no_signature_is_none),
		TEST(an_algorithm_belongs_to_its_key),
		TEST(the_option_says_which_algorithms),
		TEST(tampered_tokens),
		TEST(es256_signatures_have_64_octets),
		TEST(keys_are_found_by_kid),
		TEST(keys_in_the_token_do_not_count),
		TEST(the_file_is_read_again),
		TEST(an_unchanged_file_is_not_parsed_again),
		TEST(bad_sets_stop_the_start),
		TEST(bad_keys_are_not_used),
		TEST(a_good_key_works_beside_bad_ones),
	};

	return cmocka_run_group_tests(tests, oa_group_setup, oa_group_teardown);
}
