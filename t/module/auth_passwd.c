/* auth_passwd.c - the passwd module: which passwords fit, at which price. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "passwd.h"

/* A hash of ${phrase} by ${prefix}'s method, as cheap as it gets. */
static const char *
hash(const char *phrase, const char *prefix, unsigned long cost)
{
	static struct crypt_data data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	if (crypt_gensalt_rn(
		prefix, cost, NULL, 0, setting, (int)sizeof(setting)) == NULL)
		return NULL;
	return crypt_r(phrase, setting, &data);
}

static void
every_kind_of_hash(void **state)
{
	static const struct {
		const char *prefix;
		unsigned long cost;
	} kinds[] = { { "$y$", 1 }, { "$gy$", 1 }, { "$7$", 6 },
		{ "$6$", 1000 }, { "$5$", 1000 }, { "$2b$", 4 }, { "$2y$", 4 },
		{ "$1$", 0 }, { "_", 0 }, { "", 0 } };
	char text[1024];
	const char *h;
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		h = hash("p:\\ss w", kinds[i].prefix, kinds[i].cost);
		if (h == NULL || h[0] == '*')
			continue; /* not every system has every kind */
		(void)snprintf(text, sizeof(text), "u:%s:::/m\n", h);
		pw_start(text);
		assert_int_equal(pw_login("u", "p:\\ss w"), POPPER_AUTH_YES);
		assert_int_equal(pw_login("u", "p:\\ss x"), POPPER_AUTH_NO);
		assert_int_equal(pw_login("u", "P:\\SS W"), POPPER_AUTH_NO);
		assert_int_equal(pw_login("v", "p:\\ss w"), POPPER_AUTH_NEXT);
		pw_driver->stop(pw_self);
		pw_self = NULL;
		tried++;
	}
	assert_true(tried >= 3);
}

/* The first usable hash of the file is "first........". */
#define SOME_USERS                                                   \
	"locked:!xxxxxxxxxxxxx:::\nempty::::\nstar:*:::\nx:x:::\n"   \
	"failed:*0:::\nfirst:first........:::\nu:uuuuuuuuuuuuu:::\n" \
	"late:!uuuuuuuuuuuuu:::\nhole:aaaa\\aaaaaaaaa:::\n"

static void
locked_and_empty_hashes_never_fit(void **state)
{
	static const char *const users[] = { "locked", "empty", "star", "x",
		"failed", "late", "hole" };
	static const char *const tries[] = { "right", "", "*", "!", "x", "*0" };

	(void)state;
	pw_start_counting(SOME_USERS);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		for (size_t k = 0; k < sizeof(tries) / sizeof(tries[0]); k++) {
			pw_calls = 0;
			assert_int_equal(
			    pw_login(users[i], tries[k]), POPPER_AUTH_NO);
			assert_int_equal(pw_calls, 1);
			assert_string_equal(pw_setting, "first........");
		}
		assert_non_null(strstr(auth_answer.error.text, "locked"));
	}
}

static void
every_refusal_costs_one_hash(void **state)
{
	static const char nul[] = "right\0";
	static char longest[PASSWD_SECRET_MAX + 1];

	(void)state;
	pw_start_counting(SOME_USERS);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
	assert_int_equal(pw_calls, 1);
	assert_string_equal(pw_setting, "uuuuuuuuuuuuu");
	assert_int_equal(pw_login("u", "wrong"), POPPER_AUTH_NO);
	assert_int_equal(pw_calls, 2);
	assert_int_equal(pw_login("nobody", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 3);
	assert_string_equal(pw_setting, "first........");
	assert_string_equal(pw_phrase, "right");
	assert_int_equal(pw_login("u", ""), POPPER_AUTH_NO);
	assert_int_equal(pw_calls, 4);
	assert_string_equal(pw_setting, "uuuuuuuuuuuuu");
	assert_int_equal(
	    pw_login_octets("u", popper_slice(nul, 6)), POPPER_AUTH_NO);
	assert_int_equal(pw_calls, 5);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(
	    pw_login_octets("u", popper_slice(longest, sizeof(longest))),
	    POPPER_AUTH_NO);
	assert_int_equal(pw_calls, 6);
	assert_int_equal(pw_login("", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 7);
	assert_int_equal(pw_login("nobody", ""), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 8);
}

static void
the_price_follows_the_file(void **state)
{
	(void)state;
	pw_start_counting("a:oldoldoldoldo:::\n");
	(void)auth_write("users", 0600, "a:!:::\nb:newnewnewnewn:::\n");
	assert_int_equal(pw_login("nobody", "right"), POPPER_AUTH_NEXT);
	assert_string_equal(pw_setting, "newnewnewnewn");
	/* Found before any usable hash was: what was learnt last is used. */
	assert_int_equal(pw_login("a", "right"), POPPER_AUTH_NO);
	assert_string_equal(pw_setting, "newnewnewnewn");
}

static char *
real_crypt(const char *phrase, const char *setting, struct crypt_data *data)
{
	char *result = crypt_r(phrase, setting, data);

	pw_calls++;
	(void)snprintf(pw_setting, sizeof(pw_setting), "%s", result);
	return result;
}

static void
without_any_hash_the_price_is_the_systems(void **state)
{
	(void)state;
	pw_start("u:!:::\n");
	((struct passwd_self *)pw_self)->crypt = real_crypt;
	pw_calls = 0;
	assert_int_equal(pw_login("nobody", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_calls, 1);
	assert_int_not_equal(pw_setting[0], '*');
	assert_memory_equal(pw_setting, "$y$", 3);
}

static void
a_hash_the_system_does_not_know_costs_too(void **state)
{
	(void)state;
	pw_start("u:$nosuch$aaaaaaaaaaaa:::\n");
	((struct passwd_self *)pw_self)->crypt = real_crypt;
	pw_calls = 0;
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_NO);
	assert_int_equal(pw_calls, 2);
	assert_memory_equal(pw_setting, "$y$", 3);
}

static void
long_passwords(void **state)
{
	static char phrase[2 * PASSWD_SECRET_MAX];
	char text[1024];

	(void)state;
	memset(phrase, 'p', sizeof(phrase));
	phrase[PASSWD_SECRET_MAX] = '\0';
	(void)snprintf(
	    text, sizeof(text), "u:%s:::\n", hash(phrase, "$6$", 1000));
	pw_start(text);
	assert_int_equal(pw_login("u", phrase), POPPER_AUTH_YES);
	/* One octet more, or a NUL behind it, is another password. */
	phrase[PASSWD_SECRET_MAX] = 'p';
	assert_int_equal(
	    pw_login_octets("u", popper_slice(phrase, PASSWD_SECRET_MAX + 1)),
	    POPPER_AUTH_NO);
	assert_int_equal(
	    pw_login_octets("u", popper_slice(phrase, sizeof(phrase))),
	    POPPER_AUTH_NO);
	assert_int_equal(
	    pw_login_octets("u", popper_slice(phrase, PASSWD_SECRET_MAX - 1)),
	    POPPER_AUTH_NO);
}

static void
a_nul_does_not_end_a_password(void **state)
{
	char text[1024];

	(void)state;
	(void)snprintf(
	    text, sizeof(text), "u:%s:::\n", hash("right", "$6$", 1000));
	pw_start(text);
	assert_int_equal(
	    pw_login_octets("u", popper_slice("right", 5)), POPPER_AUTH_YES);
	assert_int_equal(
	    pw_login_octets("u", popper_slice("right\0", 6)), POPPER_AUTH_NO);
	assert_int_equal(
	    pw_login_octets("u", popper_slice("right\0x", 7)), POPPER_AUTH_NO);
}

static void
names_match_exactly_or_not(void **state)
{
	static const char *const others[] = { "", "An", "Ann", "ann ", " ann",
		"ann:aaaaaaaaaaaaa", "ann:", "ann\n", "\nann", "an", "annn",
		"#x", "aaaaaaaaaaaaa", ":", "ann\x7f" };

	(void)state;
	pw_start_counting("#x:aaaaaaaaaaaaa:::\nann:aaaaaaaaaaaaa:::\n"
			  "j\303\266rg:aaaaaaaaaaaaa:::\n");
	assert_int_equal(pw_login("ann", "right"), POPPER_AUTH_YES);
	assert_int_equal(pw_login("j\303\266rg", "right"), POPPER_AUTH_YES);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(
		    pw_login(others[i], "right"), POPPER_AUTH_NEXT);
}

static struct popper_stamp
vouch(const char *file)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_stamp stamp;
	struct popper_error e;

	pw_start_counting(file);
	assert_int_equal(pw_driver->vouch(pw_self, "u", &id, &stamp, &e), 0);
	assert_int_equal(pw_calls, 0);
	assert_int_equal(id.gid, 8);
	return stamp;
}

static void
a_stamp_changes_with_the_line(void **state)
{
	static const char *const others[] = { "u:$5$b:7:8:mbox:/m\n",
		"u:$5$a:6:8:mbox:/m\n", "u:$5$a:7:8:mbox:/n\n" };
	struct popper_stamp one = vouch("u:$5$a:7:8:mbox:/m\n"), two;
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_error e;

	(void)state;
	assert_int_equal(one.len, 32);
	two = vouch("# new\nv:$5$c:7:8:mbox:/m\nu:$5$a:7:8:mbox:/m\n");
	assert_memory_equal(one.octets, two.octets, one.len);
	for (size_t i = 0; i < 3; i++) {
		two = vouch(others[i]);
		assert_memory_not_equal(one.octets, two.octets, one.len);
	}
	assert_int_equal(pw_driver->vouch(pw_self, "w", &id, &two, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(two.len, 0);
}

static void
lookup_needs_no_proof(void **state)
{
	struct popper_identity id = { .size = sizeof(id) };
	struct popper_error e;

	(void)state;
	pw_start_counting("u:*:7:8:mbox:/m\nbad:x:y:z:\n"
			  "locked:!$5$x:7:8:mbox:/m\n");
	assert_int_equal(pw_driver->lookup(pw_self, "u", &id, &e), 0);
	assert_int_equal(pw_calls, 0);
	assert_string_equal(id.user, "u");
	assert_int_equal(id.uid, 7);
	assert_string_equal(id.drop, "mbox");
	assert_int_equal(pw_driver->lookup(pw_self, "v", &id, &e), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(pw_driver->lookup(pw_self, "bad", &id, &e), -1);
	assert_int_equal(e.status, POPPER_PERMANENT);
	assert_int_equal(pw_driver->lookup(pw_self, "locked", &id, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_int_equal(unlink(pw_file), 0);
	assert_int_equal(pw_driver->lookup(pw_self, "u", &id, &e), -1);
	assert_int_equal(e.status, POPPER_TEMPORARY);
}

static void
other_mechanisms_are_others(void **state)
{
	struct popper_attempt attempt = {
		.size = sizeof(attempt),
		.mechanism = "APOP",
		.user = "u",
		.secret = popper_slice_text("right"),
	};
	void *exchange = &attempt;

	(void)state;
	pw_start_counting("u:aaaaaaaaaaaaa:::\n");
	assert_int_equal(
	    pw_driver->begin(pw_self, &attempt, &exchange, &auth_answer),
	    POPPER_AUTH_NEXT);
	assert_null(exchange);
	assert_int_equal(pw_calls, 0);
	pw_driver->end(exchange);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pw_setup, pw_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_kind_of_hash),
		TEST(locked_and_empty_hashes_never_fit),
		TEST(every_refusal_costs_one_hash),
		TEST(the_price_follows_the_file),
		TEST(without_any_hash_the_price_is_the_systems),
		TEST(a_hash_the_system_does_not_know_costs_too),
		TEST(long_passwords),
		TEST(a_nul_does_not_end_a_password),
		TEST(names_match_exactly_or_not),
		TEST(a_stamp_changes_with_the_line),
		TEST(lookup_needs_no_proof),
		TEST(other_mechanisms_are_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
