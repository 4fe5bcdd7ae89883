/* test_pace.c - src/session/pace.c */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "session/pace.h"

static char folder[] = "/tmp/test_pace.XXXXXX";
static int state = -1;
static struct timespec last;

static int
set_up(void **unused)
{
	(void)unused;
	if (mkdtemp(folder) == NULL)
		return -1;
	state = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return state == -1 ? -1 : 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	(void)unlinkat(state, "last-login", 0);
	close(state);
	return rmdir(folder);
}

/* What is left so much after the last login. */
static uint64_t
left(uint64_t delay, time_t seconds, long nanoseconds)
{
	struct timespec now = last;

	now.tv_sec += seconds;
	now.tv_nsec += nanoseconds;
	return pace_left(state, delay, &now);
}

static void
the_first_login_is_free(void **unused)
{
	(void)unused;
	assert_int_equal(left(60, 0, 0), 0);
}

static void
counts_from_the_last(void **unused)
{
	const struct timespec times[2] = { { 1000000, 500 }, { 1000000, 500 } };

	(void)unused;
	pace_note(state);
	assert_int_equal(
	    futimens(openat(state, "last-login", O_WRONLY), times), 0);
	last = times[1];
	assert_int_equal(left(60, 0, 0), 60);
	assert_int_equal(left(60, 0, 1), 60);
	assert_int_equal(left(60, 1, -1), 60);
	assert_int_equal(left(60, 1, 0), 59);
	assert_int_equal(left(60, 59, 0), 1);
	assert_int_equal(left(60, 60, -1), 1);
	assert_int_equal(left(60, 60, 0), 0);
	assert_int_equal(left(60, 1000000, 0), 0);
	assert_int_equal(left(0, 0, 0), 0);
}

/* A clock that was ahead and is right now locks nobody out. */
static void
the_future_does_not_count(void **unused)
{
	(void)unused;
	assert_int_equal(left(60, 0, -1), 0);
	assert_int_equal(left(60, -1, 0), 0);
	assert_int_equal(left(60, -1000000, 0), 0);
}

static void
a_login_is_now(void **unused)
{
	struct stat st;
	struct timespec now;

	(void)unused;
	pace_note(state);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	assert_int_equal(fstatat(state, "last-login", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_mtim.tv_sec > 1000000);
	assert_true(now.tv_sec >= st.st_mtim.tv_sec);
}

static void
a_link_is_not_followed(void **unused)
{
	struct stat st;

	(void)unused;
	assert_int_equal(unlinkat(state, "last-login", 0), 0);
	assert_int_equal(symlinkat("elsewhere", state, "last-login"), 0);
	pace_note(state);
	assert_int_equal(fstatat(state, "elsewhere", &st, 0), -1);
}

static void
users_can_only_be_faster(void **unused)
{
	struct settings s = { .login_delay = 60 };
	struct popper_identity i = { .login_delay = 5 };

	(void)unused;
	assert_int_equal(pace_delay(&s, &i), 60);
	i.flags = POPPER_IDENTITY_DELAY;
	assert_int_equal(pace_delay(&s, &i), 5);
	i.login_delay = 0;
	assert_int_equal(pace_delay(&s, &i), 0);
	i.login_delay = 61;
	assert_int_equal(pace_delay(&s, &i), 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_login_is_free),
		cmocka_unit_test(counts_from_the_last),
		cmocka_unit_test(the_future_does_not_count),
		cmocka_unit_test(a_login_is_now),
		cmocka_unit_test(a_link_is_not_followed),
		cmocka_unit_test(users_can_only_be_faster),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
