/* auth_apop.c - the apop module: digests, accounts, refused passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apop.h"

static bool
offers(const char *name)
{
	const struct popper_mechanism *m = ap_driver->offers(ap_self);

	while (m->name != NULL && strcmp(m->name, name) != 0)
		m++;
	return m->name != NULL;
}

static void
the_example_of_the_rfc(void **state)
{
	(void)state;
	ap_start();
	assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "mrose");
	assert_int_equal(auth_answer.identity.uid, 1234);
	assert_true(offers("APOP"));
	assert_false(offers("USER"));
	assert_int_equal(ap_driver->traits, 0);
}

static void
wrong_digests_fit_nothing(void **state)
{
	static const char *const wrong[] = {
		"d4c9334bac560ecc979e58001b3e22fb", /* first digit */
		"c4c9334bac560ecc979e58001b3e22fc", /* last digit */
		"C4C9334BAC560ECC979E58001B3E22FB", /* upper case */
		"c4c9334bac560ecc979e58001b3e22f", /* short */
		"c4c9334bac560ecc979e58001b3e22fb0", /* long */
		" c4c9334bac560ecc979e58001b3e22fb", "tanstaaf", "",
		"00000000000000000000000000000000"
	};

	(void)state;
	ap_start();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(ap_login("mrose", wrong[i]), POPPER_AUTH_NO);
		assert_int_equal(auth_answer.error.status, POPPER_DENIED);
		assert_int_equal(
		    ap_login("nobody", wrong[i]), POPPER_AUTH_NEXT);
	}
	assert_int_equal(ap_login("nobody", DIGEST), POPPER_AUTH_NEXT);
	assert_int_equal(ap_lookups, 0);
}

static void
the_timestamp_counts(void **state)
{
	(void)state;
	ap_start();
	assert_int_equal(
	    ap_attempt("APOP", "mrose", "<1896.697170953@dbc.mtview.ca.us>",
		popper_slice_text(DIGEST)),
	    POPPER_AUTH_NO);
	/* Without a greeting's timestamp nothing fits: MD5("tanstaaf"). */
	assert_int_equal(
	    ap_attempt("APOP", "mrose", "",
		popper_slice_text("b3aa0ba4e1f957e5f3ef356cfc147008")),
	    POPPER_AUTH_NO);
}

static void
an_account_is_needed(void **state)
{
	(void)state;
	ap_start();
	ap_account = POPPER_ABSENT;
	assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_NO);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_non_null(strstr(auth_answer.error.text, "no account"));
	ap_account = POPPER_DENIED;
	assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_NO);
	for (ap_account = POPPER_TEMPORARY; ap_account <= POPPER_PERMANENT;
	     ap_account++)
		assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_LATER);
}

static void
only_takes_passwords_away(void **state)
{
	const struct popper_slice password = popper_slice_text("tanstaaf");

	(void)state;
	ap_start();
	assert_int_equal(
	    ap_attempt("USER", "mrose", "", password), POPPER_AUTH_NEXT);
	ap_conf.only = true;
	assert_true(offers("APOP"));
	assert_true(offers("USER"));
	assert_int_equal(
	    ap_attempt("USER", "mrose", "", password), POPPER_AUTH_NEVER);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_int_equal(
	    ap_attempt("USER", "carol", "", password), POPPER_AUTH_NEXT);
	assert_int_equal(
	    ap_attempt("CRAM-MD5", NULL, "", password), POPPER_AUTH_NEXT);
	/* Who has a verifier only is not refused: he could not log in. */
	ap_store("scram", "", "dmVyaWZpZXI=");
	assert_int_equal(
	    ap_attempt("USER", "scram", "", password), POPPER_AUTH_NEXT);
	assert_int_equal(ap_login("scram", DIGEST), POPPER_AUTH_NEXT);
}

static void
nobody_in_it_is_vouched_for(void **state)
{
	struct popper_identity id;
	struct popper_stamp stamp = { .len = 1 };

	(void)state;
	ap_conf.only = true;
	ap_start();
	assert_int_equal(
	    ap_driver->vouch(ap_self, "mrose", &id, &stamp, &ap_error), -1);
	assert_int_equal(ap_error.status, POPPER_DENIED);
	stamp.len = 1;
	assert_int_equal(
	    ap_driver->vouch(ap_self, "carol", &id, &stamp, &ap_error), -1);
	assert_int_equal(ap_error.status, POPPER_ABSENT);
	assert_int_equal(stamp.len, 0);
	assert_int_equal(unlink(ap_file), 0);
	assert_int_equal(
	    ap_driver->vouch(ap_self, "carol", &id, &stamp, &ap_error), -1);
	assert_int_equal(ap_error.status, POPPER_TEMPORARY);
}

static void
gives_secrets_in_clear(void **state)
{
	char out[256] = "";

	(void)state;
	ap_start();
	assert_int_equal(ap_driver->secret(ap_self, "mrose", "clear", out,
			     sizeof(out), &ap_error),
	    0);
	assert_string_equal(out, "tanstaaf");
	assert_int_equal(
	    ap_driver->secret(ap_self, "mrose", "clear", out, 8, &ap_error),
	    -1);
	assert_int_equal(ap_error.status, POPPER_PERMANENT);
	assert_int_equal(ap_driver->secret(ap_self, "mrose", "SCRAM-SHA-256",
			     out, sizeof(out), &ap_error),
	    -1);
	assert_int_equal(ap_error.status, POPPER_ABSENT);
	assert_int_equal(ap_driver->secret(ap_self, "carol", "clear", out,
			     sizeof(out), &ap_error),
	    -1);
	assert_int_equal(ap_error.status, POPPER_ABSENT);
}

static void
keys_and_values_of_all_lengths(void **state)
{
	char name[POPPER_USER_MAX + 2], secret[300], out[300];

	(void)state;
	ap_start();
	for (size_t len = 1; len < sizeof(secret) - 1; len++) {
		memset(secret, 'x', len);
		secret[len] = '\0';
		ap_store("mrose", secret, "dmVyaWZpZXI=");
		if (len <= APOP_SECRET_MAX) {
			assert_int_equal(
			    ap_driver->secret(ap_self, "mrose", "clear", out,
				sizeof(out), &ap_error),
			    0);
			assert_string_equal(out, secret);
		} else {
			assert_int_equal(
			    ap_login("mrose", DIGEST), POPPER_AUTH_LATER);
		}
	}
	/* Older ones have no NUL at the end of the value. */
	ap_store_octets("old", 4, "\x8c\x9a", 2);
	assert_int_equal(ap_driver->secret(ap_self, "old", "clear", out,
			     sizeof(out), &ap_error),
	    0);
	assert_string_equal(out, "se");
	ap_store_octets("empty", 6, "", 0);
	assert_int_equal(ap_login("empty", DIGEST), POPPER_AUTH_NEXT);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ap_login(name, DIGEST), POPPER_AUTH_NEXT);
	name[POPPER_USER_MAX] = '\0';
	ap_store(name, "tanstaaf", "");
	assert_int_equal(ap_login(name, DIGEST), POPPER_AUTH_YES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, ap_setup, ap_teardown)
		TEST(the_example_of_the_rfc),
		TEST(wrong_digests_fit_nothing),
		TEST(the_timestamp_counts),
		TEST(an_account_is_needed),
		TEST(only_takes_passwords_away),
		TEST(nobody_in_it_is_vouched_for),
		TEST(gives_secrets_in_clear),
		TEST(keys_and_values_of_all_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
