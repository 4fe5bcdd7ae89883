/* auth_oauth_claims.c - a genuine token must be for us, now, of somebody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "oauth.h"

static const char *
with(const char *claims)
{
	return oa_sign(
	    OA_RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"r\"}", claims);
}

/* Good claims but for ${iss}, ${aud} and what is behind them. */
static const char *
built(const char *iss, const char *aud, const char *more)
{
	return with(oa_print("{%s%s%s}", iss, aud, more));
}

#define ISS "\"iss\":\"" OA_ISSUER "\""
#define AUD ",\"aud\":\"" OA_AUDIENCE "\""
#define EXP ",\"exp\":9999999999"
#define WHO ",\"email\":\"carol@example.org\",\"email_verified\":true"

static void
source_and_audience(void **state)
{
	(void)state;
	oa_start();
	assert_int_equal(oa_try(built(ISS, AUD, EXP WHO)), POPPER_AUTH_YES);
	assert_int_equal(
	    oa_try(built(ISS, ",\"aud\":[\"web\",\"pop\"]", EXP WHO)),
	    POPPER_AUTH_YES);
	oa_refused(built("\"iss\":\"https://id.example.org/\"", AUD, EXP WHO),
	    "another issuer");
	oa_refused(built("\"iss\":[\"" OA_ISSUER "\"]", AUD, EXP WHO),
	    "another issuer");
	oa_refused(built("\"x\":1", AUD, EXP WHO), "another issuer");
	oa_refused(built(ISS, ",\"aud\":\"web\"", EXP WHO), "audience");
	oa_refused(built(ISS, ",\"aud\":\"pop3\"", EXP WHO), "audience");
	oa_refused(built(ISS, ",\"aud\":[]", EXP WHO), "audience");
	oa_refused(built(ISS, ",\"aud\":[[\"pop\"]]", EXP WHO), "audience");
	oa_refused(built(ISS, ",\"aud\":{\"pop\":1}", EXP WHO), "audience");
	oa_refused(built(ISS, "", EXP WHO), "audience");
}

static const char *
timed(const char *name, double offset, const char *more)
{
	return built(ISS, AUD,
	    oa_print(
		",\"%s\":%.1f%s" WHO, name, (double)time(NULL) + offset, more));
}

static void
times(void **state)
{
	(void)state;
	oa_start();
	assert_int_equal(oa_try(timed("exp", 5, "")), POPPER_AUTH_YES);
	assert_int_equal(oa_try(timed("exp", -30, "")), POPPER_AUTH_YES);
	oa_refused(timed("exp", -61, ""), "has expired");
	oa_refused(timed("exp", -100000, ""), "has expired");
	assert_int_equal(oa_try(timed("nbf", 30, EXP)), POPPER_AUTH_YES);
	oa_refused(timed("nbf", 100, EXP), "not valid yet");
	assert_int_equal(oa_try(timed("iat", 30, EXP)), POPPER_AUTH_YES);
	oa_refused(timed("iat", 100, EXP), "in the future");
	assert_int_equal(oa_try(timed("iat", -1000000, EXP)), POPPER_AUTH_YES);
	oa_refused(built(ISS, AUD, WHO), "no exp");
}

static void
no_times(void **state)
{
	static const char *const wrong[] = { "\"1\"", "null", "true", "[]",
		"{}", "1e300", "-1e300", "1e16" };

	(void)state;
	oa_start();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		oa_refused(
		    built(ISS, AUD, oa_print(",\"exp\":%s" WHO, wrong[i])),
		    "is no time");
		oa_refused(
		    built(ISS, AUD, oa_print(EXP ",\"nbf\":%s" WHO, wrong[i])),
		    "is no time");
	}
	oa_refused(built(ISS, AUD, ",\"exp\":-9223372036854775808" WHO),
	    "has expired");
	oa_refused(
	    built(ISS, AUD, ",\"exp\":99999999999999999999" WHO), "no JSON");
	oa_refused(built(ISS, AUD, EXP ",\"nbf\":9223372036854775807" WHO),
	    "not valid yet");
}

static void
the_oldest_token(void **state)
{
	(void)state;
	oa_conf.max_age = 3600;
	oa_start();
	assert_int_equal(oa_try(timed("iat", -3600, EXP)), POPPER_AUTH_YES);
	oa_refused(timed("iat", -3700, EXP), "older than");
	oa_refused(built(ISS, AUD, EXP WHO), "has no iat");
	oa_refused(built(ISS, AUD, EXP ",\"iat\":-9223372036854775808" WHO),
	    "older than");
}

static void
another_skew(void **state)
{
	(void)state;
	oa_conf.skew = 0;
	oa_start();
	oa_refused(timed("exp", -1, ""), "has expired");
	oa_refused(timed("nbf", 20, EXP), "not valid yet");
	assert_int_equal(oa_try(timed("exp", 20, "")), POPPER_AUTH_YES);
}

static void
scopes(void **state)
{
	static const char *const good[] = { "\"scope\":\"mail offline\"",
		"\"scope\":\"x mail y offline\"", "\"scp\":\"offline mail\"",
		"\"scp\":[\"mail\",\"offline\"]",
		"\"scope\":[\"mail\",\"offline\"]" };
	static const char *const bad[] = { "\"scope\":\"mail\"",
		"\"scope\":\"mailoffline\"", "\"scope\":\"Mail offline\"",
		"\"scp\":[\"mail\"]", "\"scope\":7", "\"scope\":\"\"",
		"\"x\":1" };

	(void)state;
	oa_conf.scope = "mail offline";
	oa_start();
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(
		    oa_try(built(ISS, AUD, oa_print(EXP WHO ",%s", good[i]))),
		    POPPER_AUTH_YES);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		oa_refused(built(ISS, AUD, oa_print(EXP WHO ",%s", bad[i])),
		    "lacks the scope");
}

static void
an_email_must_be_verified(void **state)
{
	static const char *const bad[] = { "", ",\"email_verified\":false",
		",\"email_verified\":\"false\"", ",\"email_verified\":1",
		",\"email_verified\":null" };
	const char *email = ",\"email\":\"carol@example.org\"";

	(void)state;
	oa_start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		oa_refused(built(ISS, AUD, oa_print(EXP "%s%s", email, bad[i])),
		    "email_verified");
	assert_int_equal(
	    oa_try(built(ISS, AUD,
		oa_print(EXP "%s,\"email_verified\":\"true\"", email))),
	    POPPER_AUTH_YES);
	oa_conf.verified = false;
	assert_int_equal(oa_try(built(ISS, AUD, oa_print(EXP "%s", email))),
	    POPPER_AUTH_YES);
}

static void
identities(void **state)
{
	static char name[POPPER_USER_MAX + 2];
	static const char *const bad[] = { "", ",\"sub\":\"\"", ",\"sub\":7",
		",\"sub\":[\"carol\"]", ",\"sub\":null" };

	(void)state;
	oa_conf.identity = "sub";
	oa_start();
	assert_int_equal(
	    oa_try(built(ISS, AUD, EXP ",\"sub\":\"carol\"")), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "carol");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		oa_refused(built(ISS, AUD, oa_print(EXP WHO "%s", bad[i])),
		    "identity");
	memset(name, 'n', sizeof(name) - 1);
	oa_refused(
	    built(ISS, AUD, oa_print(EXP ",\"sub\":\"%s\"", name)), "too long");
	oa_refused(
	    built(ISS, AUD, EXP ",\"sub\":\"carol\\u0000x\""), "no JSON");
}

static void
no_claim_is_said_twice(void **state)
{
	(void)state;
	oa_start();
	oa_refused(built(ISS, AUD, EXP WHO ",\"email\":\"dave@example.org\""),
	    "twice");
	oa_refused(built(ISS, AUD AUD, EXP WHO), "twice");
	oa_refused(
	    oa_sign(OA_RSA, "RS256", "{\"alg\":\"none\",\"alg\":\"RS256\"}",
		oa_claims(600, "")),
	    "twice");
}

static void
odd_texts(void **state)
{
	(void)state;
	oa_start();
	oa_refused(with("[]"), "no object");
	oa_refused(with("\"x\""), "no JSON");
	oa_refused(with(""), "no JSON");
	oa_refused(with(oa_print("%s{}", oa_claims(600, ""))), "no JSON");
	oa_refused(built(ISS, AUD, EXP WHO ",\"x\":\"\377\""), "no JSON");
	oa_refused(built(ISS, AUD,
		       EXP WHO ",\"x\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]"),
	    "too deep");
	assert_int_equal(
	    oa_try(with(oa_claims(600, ",\"x\":[[[[[[[[[[[[[[]]]]]]]]]]]]]]"))),
	    POPPER_AUTH_YES);
}

static void
large_tokens(void **state)
{
	static char pad[16000];

	(void)state;
	oa_start();
	memset(pad, 'x', 6000);
	assert_int_equal(
	    oa_try(with(oa_claims(600, oa_print(",\"x\":\"%s\"", pad)))),
	    POPPER_AUTH_YES);
	memset(pad, 'x', sizeof(pad) - 1);
	oa_refused(
	    with(oa_claims(600, oa_print(",\"x\":\"%s\"", pad))), "too long");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, oa_setup, oa_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(source_and_audience),
		TEST(times),
		TEST(no_times),
		TEST(the_oldest_token),
		TEST(another_skew),
		TEST(scopes),
		TEST(an_email_must_be_verified),
		TEST(identities),
		TEST(no_claim_is_said_twice),
		TEST(odd_texts),
		TEST(large_tokens),
	};

	return cmocka_run_group_tests(tests, oa_group_setup, oa_group_teardown);
}
