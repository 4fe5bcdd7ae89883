/*
 * auth_passwd_scram.c - the passwd module: keys of SCRAM in the hash field,
 * and the field of options.
 *
 * The keys for SHA-1 and SHA-256 are those of the examples in RFC 5802 and
 * RFC 7677; that for SHA-512 was made with Python's hashlib.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "passwd.h"

#define SHA_1                                                      \
	"$scram-sha-1$4096$QSXCR+Q6sek8bf92$"                      \
	"6dlGYMOdZcOPutkcNY8U2g7vK9Y=$D+CSWLOshSulAsxiupA+qs2/fTE" \
	"="
#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define STORED_256 "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER_256 "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define SHA_256 "$scram-sha-256$4096$" SALT "$" STORED_256 "$" SERVER_256
#define STORED_512                                     \
	"6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBq" \
	"zu8QaCXNc1FwpnX9NhH2hK/60dzj9DoO5DvVkOHbvg=="
#define SERVER_512                                     \
	"jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ" \
	"0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA=="
#define SHA_512 "$scram-sha-512$4096$" SALT "$" STORED_512 "$" SERVER_512

/* What the password was checked with. */
static unsigned derived;
static enum passwd_kind derived_kind;
static uint32_t derived_rounds;

static void
count_derive(enum passwd_kind kind, struct popper_slice phrase,
    const struct passwd_key *key, unsigned char *salted)
{
	derived++;
	derived_kind = kind;
	derived_rounds = key->rounds;
	if (key->rounds == 4096)
		passwd_scram_derive(kind, phrase, key, salted);
	else
		memset(salted, 0, PASSWD_DIGEST_MAX);
}

static void
start(const char *text)
{
	auth_forget();
	pw_start_counting(text);
	((struct passwd_self *)pw_self)->derive = count_derive;
	derived = 0;
}

static void
stop(void)
{
	pw_driver->stop(pw_self);
	pw_self = NULL;
}

static void
each_kind_fits_its_password(void **state)
{
	static const char *const fields[] = { SHA_1, SHA_256, SHA_512,
		SHA_1 "," SHA_256, SHA_512 "," SHA_1 };
	static const enum passwd_kind used[] = { PASSWD_SHA_1, PASSWD_SHA_256,
		PASSWD_SHA_512, PASSWD_SHA_256, PASSWD_SHA_512 };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		(void)snprintf(text, sizeof(text), "u:%s:7:8:/m\n", fields[i]);
		start(text);
		assert_int_equal(auth_logged("passwd"), 0);
		assert_int_equal(pw_login("u", "pencil"), POPPER_AUTH_YES);
		assert_int_equal(derived_kind, used[i]);
		assert_int_equal(auth_answer.identity.uid, 7);
		assert_string_equal(auth_answer.identity.maildrop, "/m");
		assert_int_equal(pw_login("u", "Pencil"), POPPER_AUTH_NO);
		assert_int_equal(pw_login("u", "pencil "), POPPER_AUTH_NO);
		assert_int_equal(pw_login("u", ""), POPPER_AUTH_NO);
		assert_int_equal(
		    pw_login_octets("u", popper_slice("pencil\0", 7)),
		    POPPER_AUTH_NO);
		assert_int_equal(derived, 5);
		assert_int_equal(pw_calls, 0);
		stop();
	}
}

static void
a_hash_of_crypt_goes_first(void **state)
{
	(void)state;
	start("u:" SHA_256 ",uuuuuuuuuuuuu:::\nv:vvvvvvvvvvvvv," SHA_1 ":::\n"
	      "w:$md5,rounds=5$wwwwwwwww," SHA_1 "," SHA_512 ":::\n");
	assert_int_equal(auth_logged("passwd"), 0);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
	assert_string_equal(pw_setting, "uuuuuuuuuuuuu");
	assert_int_equal(pw_login("u", "pencil"), POPPER_AUTH_NO);
	assert_int_equal(pw_login("v", "right"), POPPER_AUTH_YES);
	assert_string_equal(pw_setting, "vvvvvvvvvvvvv");
	/* Some hashes have commas of their own. */
	assert_int_equal(pw_login("w", "right"), POPPER_AUTH_YES);
	assert_string_equal(pw_setting, "$md5,rounds=5$wwwwwwwww");
	assert_int_equal(derived, 0);
}

static void
strangers_cost_what_a_key_costs(void **state)
{
	(void)state;
	start("locked:!:::\nu:" SHA_256 ":::\nv:vvvvvvvvvvvvv:::\n");
	assert_int_equal(pw_login("nobody", "pencil"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_login("locked", "pencil"), POPPER_AUTH_NO);
	assert_int_equal(pw_login("nobody", ""), POPPER_AUTH_NEXT);
	assert_int_equal(pw_login("", "pencil"), POPPER_AUTH_NEXT);
	assert_int_equal(derived, 4);
	assert_int_equal(derived_kind, PASSWD_SHA_256);
	assert_int_equal(derived_rounds, 4096);
	assert_int_equal(pw_calls, 0);
	stop();
	/* Learnt afresh from a file that has changed since. */
	start("u:uuuuuuuuuuuuu:::\n");
	assert_int_equal(pw_login("nobody", "pencil"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 1);
	(void)auth_write("users", 0600, "u:" SHA_1 ":::\n");
	assert_int_equal(pw_login("nobody", "pencil"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 1);
	assert_int_equal(derived, 1);
	assert_int_equal(derived_kind, PASSWD_SHA_1);
	(void)auth_write("users", 0600, "u:xxxxxxxxxxxxx:::\n");
	assert_int_equal(pw_login("nobody", "pencil"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 2);
	assert_string_equal(pw_setting, "xxxxxxxxxxxxx");
	assert_int_equal(derived, 1);
}

/* Fields that are wrong, and what the log says. */
static const struct {
	const char *field, *why;
} bad[] = {
	{ ",", NULL }, /* no key follows: part of a hash */
	{ "," SHA_256, "empty item" },
	{ "aaaaaaaaaaaaa,", NULL },
	{ SHA_256 ",", "empty item" },
	{ SHA_256 "," SHA_256, "two SCRAM keys of one kind" },
	{ "aaaaaaaaaaaaa," SHA_256 ",bbbbbbbbbbbbb", "two hashes" },
	{ "$scram-sha-256", "unknown kind" },
	{ "$scram-sha-256$", "unknown kind" },
	{ "$scram-sha-384$4096$" SALT "$eA==$eA==", "unknown kind" },
	{ "$scram-sha-2566$4096$" SALT "$eA==$eA==", "unknown kind" },
	{ "$scram-sha-256$4095$" SALT "$" STORED_256 "$" SERVER_256,
	    "4096 to 10000000" },
	{ "$scram-sha-256$10000001$" SALT "$" STORED_256 "$" SERVER_256,
	    "4096 to 10000000" },
	{ "$scram-sha-256$4294971392$" SALT "$" STORED_256 "$" SERVER_256,
	    "4096 to 10000000" },
	{ "$scram-sha-256$04096$" SALT "$" STORED_256 "$" SERVER_256,
	    "4096 to 10000000" },
	{ "$scram-sha-256$-4096$" SALT "$" STORED_256 "$" SERVER_256,
	    "4096 to 10000000" },
	{ "$scram-sha-256$$" SALT "$" STORED_256 "$" SERVER_256,
	    "4096 to 10000000" },
	{ "$scram-sha-256$4096", "salt" },
	{ "$scram-sha-256$4096$$" STORED_256 "$" SERVER_256, "salt" },
	{ "$scram-sha-256$4096$W22=W22=$" STORED_256 "$" SERVER_256, "salt" },
	{ "$scram-sha-256$4096$W22$" STORED_256 "$" SERVER_256, "salt" },
	{ "$scram-sha-256$4096$W22Z aJ0$" STORED_256 "$" SERVER_256, "salt" },
	{ "$scram-sha-256$4096$" SALT SALT "$" STORED_256 "$" SERVER_256,
	    "salt" },
	{ "$scram-sha-256$4096$" STORED_512 "AAAA$" STORED_256 "$" SERVER_256,
	    "salt" },
	{ "$scram-sha-256$4096$" SALT, "its kind's length" },
	{ "$scram-sha-256$4096$" SALT "$" STORED_256, "its kind's length" },
	{ "$scram-sha-256$4096$" SALT "$" STORED_256 "$", "its kind's length" },
	{ "$scram-sha-256$4096$" SALT "$" STORED_512 "$" SERVER_256,
	    "its kind's length" },
	{ "$scram-sha-512$4096$" SALT "$" STORED_512 "$" SERVER_256,
	    "its kind's length" },
	{ "$scram-sha-256$4096$" SALT "$" STORED_256 "$" SERVER_256 "$",
	    "its kind's length" },
	{ "$scram-sha-256$4096$" SALT "$" STORED_256 "$" SERVER_256 "AAAA",
	    "its kind's length" },
};

static void
a_bad_field_lets_nobody_in(void **state)
{
	struct popper_error e;
	char text[1024], out[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		(void)snprintf(text, sizeof(text), "u:%s:::\nv:" SHA_1 ":::\n",
		    bad[i].field);
		start(text);
		if (bad[i].why != NULL) {
			if (auth_logged(bad[i].why) != 1)
				print_error("\"%s\" is not \"%s\"\n",
				    bad[i].field, bad[i].why);
			assert_int_equal(auth_logged(bad[i].why), 1);
			assert_int_equal(
			    pw_login("u", "pencil"), POPPER_AUTH_NO);
			assert_int_equal(
			    pw_driver->secret(pw_self, "u", "SCRAM-SHA-256",
				out, sizeof(out), &e),
			    -1);
			assert_int_equal(e.status, POPPER_DENIED);
		}
		assert_int_equal(pw_login("v", "pencil"), POPPER_AUTH_YES);
		stop();
	}
}

static void
the_most_rounds_are_accepted(void **state)
{
	(void)state;
	start("u:$scram-sha-256$10000000$" SALT "$" STORED_256 "$" SERVER_256
	      ":::\n");
	assert_int_equal(auth_logged("passwd"), 0);
	assert_int_equal(pw_login("u", "pencil"), POPPER_AUTH_NO);
	assert_int_equal(pw_login("nobody", "pencil"), POPPER_AUTH_NEXT);
	assert_int_equal(derived, 2);
	assert_int_equal(derived_rounds, 10000000);
}

static void
secrets_are_as_sasl_wants_them(void **state)
{
	struct popper_error e;
	char out[512];

	(void)state;
	start("u:" SHA_1 "," SHA_256 "," SHA_512 ":::\nv:vvvvvvvvvvvvv:::\n"
	      "locked:!," SHA_256 ":::\nstar:*:::\n");
	assert_int_equal(pw_driver->secret(
			     pw_self, "u", "SCRAM-SHA-1", out, sizeof(out), &e),
	    0);
	assert_string_equal(out,
	    "SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$"
	    "6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=");
	assert_int_equal(pw_driver->secret(pw_self, "u", "SCRAM-SHA-256", out,
			     sizeof(out), &e),
	    0);
	assert_string_equal(
	    out, "SCRAM-SHA-256$4096:" SALT "$" STORED_256 ":" SERVER_256);
	assert_int_equal(pw_driver->secret(pw_self, "u", "SCRAM-SHA-512", out,
			     sizeof(out), &e),
	    0);
	assert_string_equal(
	    out, "SCRAM-SHA-512$4096:" SALT "$" STORED_512 ":" SERVER_512);
	assert_int_equal(
	    pw_driver->secret(pw_self, "u", "SCRAM-SHA-256", out, 20, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
	stop();
}

static void
what_is_not_there_is_no_secret(void **state)
{
	static const struct {
		const char *user, *kind;
		enum popper_status status;
	} asked[] = {
		{ "u", "clear", POPPER_ABSENT },
		{ "u", "SCRAM-SHA-1", POPPER_ABSENT },
		{ "u", "SCRAM-SHA-384", POPPER_ABSENT },
		{ "u", "scram-sha-256", POPPER_ABSENT },
		{ "v", "SCRAM-SHA-256", POPPER_ABSENT },
		{ "nobody", "SCRAM-SHA-256", POPPER_ABSENT },
		{ "", "SCRAM-SHA-256", POPPER_ABSENT },
		{ "locked", "SCRAM-SHA-256", POPPER_DENIED },
		{ "star", "SCRAM-SHA-256", POPPER_DENIED },
	};
	struct popper_error e;
	char out[512];

	(void)state;
	start("u:" SHA_256 ":::\nv:vvvvvvvvvvvvv:::\n"
	      "locked:!," SHA_256 ":::\nstar:*:::\n");
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		assert_int_equal(pw_driver->secret(pw_self, asked[i].user,
				     asked[i].kind, out, sizeof(out), &e),
		    -1);
		assert_int_equal(e.status, asked[i].status);
	}
	assert_int_equal(pw_login("locked", "pencil"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "locked"));
}

static void
an_option_field_is_optional(void **state)
{
	static const struct {
		const char *field;
		bool delayed;
		uint64_t delay;
		const char *drop, *path;
	} lines[] = {
		{ "/m", false, 0, "", "/m" },
		{ "/m:", false, 0, "", "/m" },
		{ "mbox:/m:", false, 0, "mbox", "/m" },
		{ ":login-delay=0", true, 0, "", "" },
		{ "/m:login-delay=60", true, 60, "", "/m" },
		{ "mbox:/m:login-delay=604800", true, 604800, "mbox", "/m" },
	};
	const struct popper_identity *id = &auth_answer.identity;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)snprintf(text, sizeof(text), "u:aaaaaaaaaaaaa:::%s\n",
		    lines[i].field);
		pw_start_counting(text);
		assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
		assert_string_equal(id->drop, lines[i].drop);
		assert_string_equal(id->maildrop, lines[i].path);
		assert_int_equal(
		    (id->flags & POPPER_IDENTITY_DELAY) != 0, lines[i].delayed);
		assert_int_equal(id->login_delay, lines[i].delay);
		assert_int_equal(auth_logged("passwd"), 0);
		pw_driver->stop(pw_self);
		pw_self = NULL;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pw_setup, pw_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_kind_fits_its_password),
		TEST(a_hash_of_crypt_goes_first),
		TEST(strangers_cost_what_a_key_costs),
		TEST(a_bad_field_lets_nobody_in),
		TEST(the_most_rounds_are_accepted),
		TEST(secrets_are_as_sasl_wants_them),
		TEST(what_is_not_there_is_no_secret),
		TEST(an_option_field_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
