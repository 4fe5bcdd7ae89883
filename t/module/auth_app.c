/* auth_app.c - the app module: which passwords fit whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app.h"

static void
a_password_fits_its_user(void **state)
{
	(void)state;
	app_begin_with("# app passwords\n\nann:Phone:" ONE_HASH ":1795000000\n"
		       "ann:Old laptop:" TWO_HASH ":0\nbob:x:" TWO_HASH ":1\n");
	assert_int_equal(auth_logged("app"), 0);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.user, "ann");
	assert_int_equal(auth_answer.identity.uid, 4711);
	assert_int_equal(app_login("ann", TWO), POPPER_AUTH_YES);
	assert_int_equal(app_login("bob", TWO), POPPER_AUTH_YES);
	app_lookups = 0;
	assert_int_equal(app_login("bob", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("eve", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("an", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("annn", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("Ann", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("ann:Phone", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("#", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_lookups, 0);
}

static void
what_one_types_is_forgiven(void **state)
{
	static const char *const good[] = { "0123-4567-89ab-cdef-ghjk-mnpq",
		"0123 4567 89AB CDEF GHJK MNPQ", "oi23456789abcdefghjkmnpq",
		"OL23456789ABCDEFGHJKMNPQ", (" -" ONE "- "), ("-----" ONE) };
	static const char *const bad[] = { "", " ", "-",
		"0123456789abcdefghjkmnp", (ONE "0"), (ONE ONE), (ONE "."),
		("." ONE), (ONE "\t"), "0123_4567_89ab_cdef_ghjk_mnpq",
		"u123456789abcdefghjkmnpq", "0123456789abcdefghjkmnpr",
		"0123456789abcdefghjkmnp\303\266" };

	(void)state;
	app_begin_with("ann:Phone:" ONE_HASH ":1\n");
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(app_login("ann", good[i]), POPPER_AUTH_YES);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(app_login("ann", bad[i]), POPPER_AUTH_NEXT);
}

static void
what_is_no_app_password_never_fits(void **state)
{
	struct popper_attempt attempt = { .size = sizeof(attempt),
		.mechanism = "USER",
		.user = "ann",
		.secret = popper_slice(ONE "\0", APP_LETTERS + 1) };
	void *exchange;

	(void)state;
	/* The hash of 24 NULs, which is what a bad one is hashed as. */
	app_begin_with(
	    "ann:nul:$sha256$"
	    "9d908ecfb6b256def8b49a7c504e6c889c4b0e41fe6ce3e01863dd7b61a20aa0"
	    ":1\nann:Phone:" ONE_HASH ":1\n");
	assert_int_equal(auth_logged("app"), 0);
	assert_int_equal(app_login("ann", ""), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("ann", "!"), POPPER_AUTH_NEXT);
	assert_int_equal(
	    app_driver->begin(app_itself, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_NEXT);
	attempt.secret.len = APP_LETTERS;
	assert_int_equal(
	    app_driver->begin(app_itself, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_YES);
	attempt.mechanism = "APOP";
	assert_int_equal(
	    app_driver->begin(app_itself, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_NEXT);
}

static void
the_account_is_asked_for(void **state)
{
	static const struct {
		enum popper_status status;
		enum popper_verdict verdict;
	} cases[] = { { POPPER_ABSENT, POPPER_AUTH_NO },
		{ POPPER_DENIED, POPPER_AUTH_NO },
		{ POPPER_TEMPORARY, POPPER_AUTH_LATER },
		{ POPPER_PERMANENT, POPPER_AUTH_LATER } };

	(void)state;
	app_begin_with("ann:Phone:" ONE_HASH ":1\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		app_knows = cases[i].status;
		assert_int_equal(app_login("ann", ONE), cases[i].verdict);
		assert_int_equal(auth_answer.error.status, app_knows);
	}
}

static void
only_app_passwords_if_there_are_some(void **state)
{
	(void)state;
	app_settings.only = true;
	app_begin_with("ann:Phone:" ONE_HASH ":1\n");
	assert_int_equal(app_login("ann", "secret"), POPPER_AUTH_NEVER);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_int_equal(app_login("ann", TWO), POPPER_AUTH_NEVER);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_int_equal(app_login("bob", "secret"), POPPER_AUTH_NEXT);
}

static void
a_change_counts_at_once(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_stamp first, second;
	struct popper_error e;

	(void)state;
	app_begin_with("ann:Phone:" ONE_HASH ":1\nann:Tablet:" TWO_HASH ":1\n");
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_int_equal(
	    app_driver->vouch(app_itself, "ann", &id, &first, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(first.len, 32);
	(void)auth_write("app", 0600, "ann:Tablet:" TWO_HASH ":1\n");
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_NEXT);
	assert_int_equal(app_login("ann", TWO), POPPER_AUTH_YES);
	assert_int_equal(
	    app_driver->vouch(app_itself, "ann", &id, &second, &e), -1);
	assert_memory_not_equal(first.octets, second.octets, 32);
	assert_int_equal(
	    app_driver->vouch(app_itself, "ann", &id, &first, &e), -1);
	assert_memory_equal(first.octets, second.octets, 32);
	/* Somebody else's devices are somebody else's. */
	(void)auth_write("app", 0600,
	    "annn:Phone:" ONE_HASH ":1\nann:Tablet:" TWO_HASH ":1\n");
	assert_int_equal(
	    app_driver->vouch(app_itself, "ann", &id, &first, &e), -1);
	assert_memory_equal(first.octets, second.octets, 32);
	assert_int_equal(unlink(app_path), 0);
	assert_int_equal(app_login("ann", TWO), POPPER_AUTH_LATER);
	assert_int_equal(
	    app_driver->vouch(app_itself, "ann", &id, &first, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
}

static const struct {
	const char *line, *why;
} bad_lines[] = {
	{ "ann", "four fields" },
	{ "ann:Phone:" ONE_HASH, "four fields" },
	{ "ann:Phone:" ONE_HASH ":1:", "four fields" },
	{ ":Phone:" ONE_HASH ":1", "user's name" },
	{ "ann::" ONE_HASH ":1", "device's name" },
	{ "ann:"
	  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345"
	  ":" ONE_HASH ":1",
	    "device's name" },
	{ "ann:Phone:" ONE_HASH "0:1", "$sha256$" },
	{ "ann:Phone:$sha256$" ONE ":1", "$sha256$" },
	{ "ann:Phone:" ONE ":1", "$sha256$" },
	{ "ann:Phone::1", "$sha256$" },
	{ "ann:Phone:" ONE_HASH ":", "no number" },
	{ "ann:Phone:" ONE_HASH ":1x", "no number" },
	{ "ann:Phone:" ONE_HASH ":-1", "no number" },
	{ "ann:Phone:" ONE_HASH ":12345678901234567890", "no number" },
	{ "ann:Phone:" ONE_HASH ":1\r", "control" },
	{ "ann:Ph\tone:" ONE_HASH ":1", "control" },
};

static void
a_bad_line_hurts_nobody_else(void **state)
{
	char text[1024], where[600];

	(void)state;
	(void)snprintf(where, sizeof(where), "%s:2: ", app_path);
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(*bad_lines); i++) {
		(void)snprintf(text, sizeof(text),
		    "a:x:" TWO_HASH ":1\n%s\nz:x:" TWO_HASH ":1\n",
		    bad_lines[i].line);
		auth_forget();
		app_begin_with(text);
		assert_int_equal(auth_logged(where), 1);
		assert_int_equal(auth_logged(bad_lines[i].why), 1);
		assert_int_equal(auth_logged("app: "), 1);
		assert_int_equal(app_login("ann", ONE), POPPER_AUTH_NEXT);
		assert_int_equal(app_login("a", TWO), POPPER_AUTH_YES);
		assert_int_equal(app_login("z", TWO), POPPER_AUTH_YES);
	}
	auth_forget();
	app_begin_with("a:x:" TWO_HASH ":1\nann:Phone:" ONE_HASH ":1");
	assert_int_equal(auth_logged("newline"), 1);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_NEXT);
}

static void
warnings_end_somewhere(void **state)
{
	static char text[100 * 3 + 1];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(text + 3 * i, "xx\n", 4);
	app_begin_with(text);
	assert_int_equal(auth_logged("four fields"), 20);
	assert_int_equal(auth_logged("80 more lines"), 1);
}

static void
a_file_others_can_use_is_refused(void **state)
{
	static const unsigned bad[] = { 0644, 0640, 0604, 0620, 0602, 0666 };
	char other[600];

	(void)state;
	app_begin_with("ann:Phone:" ONE_HASH ":1\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(chmod(app_path, bad[i]), 0);
		assert_int_equal(app_login("ann", ONE), POPPER_AUTH_LATER);
		app_refuse_start("chmod 600");
		app_begin_with("ann:Phone:" ONE_HASH ":1\n");
	}
	assert_int_equal(truncate(app_path, (off_t)APP_FILE_MAX + 1), 0);
	app_refuse_start("larger than");
	(void)snprintf(other, sizeof(other), "%s.real", app_path);
	assert_int_equal(rename(app_path, other), 0);
	app_refuse_start("No such file");
	assert_int_equal(symlink(other, app_path), 0);
	app_refuse_start("symbolic link");
	assert_int_equal(unlink(app_path), 0);
	assert_int_equal(mkfifo(app_path, 0600), 0);
	app_refuse_start("not a regular file");
	assert_int_equal(unlink(app_path), 0);
	assert_int_equal(rename(other, app_path), 0);
	assert_int_equal(truncate(app_path, 0), 0);
	if (geteuid() != 0)
		return; /* only root can give a file away */
	assert_int_equal(chown(app_path, 65534, (gid_t)-1), 0);
	app_refuse_start("owned by uid 65534");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, app_setup, app_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_password_fits_its_user),
		TEST(what_one_types_is_forgiven),
		TEST(what_is_no_app_password_never_fits),
		TEST(the_account_is_asked_for),
		TEST(only_app_passwords_if_there_are_some),
		TEST(a_change_counts_at_once),
		TEST(a_bad_line_hurts_nobody_else),
		TEST(warnings_end_somewhere),
		TEST(a_file_others_can_use_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
