/* test_verdict.c - src/auth/verdict.c */
#include "unit.h"

#include <unistd.h>

#include "auth/verdict.h"
#include "base/text.h"

static struct settings s;
static struct popper_identity who;
static struct popper_error e;

/* Somebody who may have a session here, whoever runs this test. */
static int
good(void **state)
{
	(void)state;
	s.min_uid = 11;
	memset(&who, 0, sizeof(who));
	who.uid = geteuid() == 0 ? 1000 : geteuid();
	who.gid = 100;
	text_copy(who.user, sizeof(who.user), "bob");
	text_copy(who.home, sizeof(who.home), "/home/bob");
	return 0;
}

static void
refused(enum popper_status status, const char *why)
{
	memset(&e, 0, sizeof(e));
	assert_int_equal(verdict_check(&s, &who, &e), -1);
	assert_int_equal(e.status, status);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
	assert_string_equal(e.reply, "");
}

static void
lets_users_in(void **state)
{
	(void)state;
	assert_int_equal(verdict_check(&s, &who, &e), 0);
	who.home[0] = '\0';
	assert_int_equal(verdict_check(&s, &who, &e), 0);
	text_copy(who.user, sizeof(who.user), "bob \xc3\xa4@example.org");
	assert_int_equal(verdict_check(&s, &who, &e), 0);
	s.min_uid = who.uid;
	assert_int_equal(verdict_check(&s, &who, &e), 0);
}

static void
never_lets_root_in(void **state)
{
	(void)state;
	who.uid = 0;
	refused(POPPER_DENIED, "bob is root: never allowed");
	s.min_uid = 0;
	refused(POPPER_DENIED, "never allowed");
	s.min_uid = 1;
	refused(POPPER_DENIED, "never allowed");
}

static void
keeps_low_uids_out(void **state)
{
	(void)state;
	s.min_uid = (uint64_t)who.uid + 1;
	refused(POPPER_DENIED, "is below min-uid");
	s.min_uid = UINT64_MAX / 2;
	refused(POPPER_DENIED, "is below min-uid");
}

static void
is_somebody_else(void **state)
{
	(void)state;
	who.uid++;
	if (geteuid() == 0)
		assert_int_equal(verdict_check(&s, &who, &e), 0);
	else
		refused(POPPER_PERMANENT, "only that uid can log in");
}

static void
wants_ids(void **state)
{
	(void)state;
	who.uid = (uid_t)-1;
	refused(POPPER_PERMANENT, "no uid or gid for bob");
	good(NULL);
	who.gid = (gid_t)-1;
	refused(POPPER_PERMANENT, "no uid or gid for bob");
	good(NULL);
	who.gid = 0;
	if (geteuid() == 0)
		refused(POPPER_DENIED, "root's group");
}

static void
wants_usable_texts(void **state)
{
	(void)state;
	who.user[0] = '\0';
	refused(POPPER_PERMANENT, "no usable user name");
	text_copy(who.user, sizeof(who.user), "a\nb");
	refused(POPPER_PERMANENT, "no usable user name");
	memset(who.user, 'a', sizeof(who.user));
	refused(POPPER_PERMANENT, "no usable user name");
	good(NULL);
	memset(who.home, 'a', sizeof(who.home));
	refused(POPPER_PERMANENT, "no usable user name");
	good(NULL);
	memset(who.drop, 'a', sizeof(who.drop));
	refused(POPPER_PERMANENT, "no usable user name");
	good(NULL);
	memset(who.maildrop, 'a', sizeof(who.maildrop));
	refused(POPPER_PERMANENT, "no usable user name");
	good(NULL);
	text_copy(who.maildrop, sizeof(who.maildrop), "/m/\r\n");
	refused(POPPER_PERMANENT, "path with control characters");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lets_users_in, good),
		cmocka_unit_test_setup(never_lets_root_in, good),
		cmocka_unit_test_setup(keeps_low_uids_out, good),
		cmocka_unit_test_setup(is_somebody_else, good),
		cmocka_unit_test_setup(wants_ids, good),
		cmocka_unit_test_setup(wants_usable_texts, good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
