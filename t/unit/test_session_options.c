/* test_session_options.c - src/session/options.c */
#include "unit.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/option.h"
#include "session/options.h"

static struct settings s;
static char heard[4096];
static unsigned lines;

static void
hear(enum popper_level level, pid_t pid, const char *text)
{
	(void)level;
	(void)pid;
	lines++;
	strncat(heard, text, sizeof(heard) - strlen(heard) - 2);
	strcat(heard, "|");
}

static int
start(void **state)
{
	(void)state;
	option_defaults(settings_options, &s);
	heard[0] = '\0';
	lines = 0;
	log_start(-1, false);
	log_to(hear);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	log_start(-1, false);
	return 0;
}

static void
take(const char *text, bool spool)
{
	char *copy = strdup(text);

	assert_non_null(copy);
	options_take(copy, "F", spool, &s);
	free(copy);
}

static void
takes_what_a_user_may_say(void **state)
{
	(void)state;
	take("# comment\n\n  set TIMEOUT = 0x3c # one minute\r\n"
	     "set update-on-abort\nset announce-expire = 30\n"
	     "set announce-login-delay = '7'\nset server-mode = true\n"
	     "reset fast-update",
	    false);
	assert_string_equal(heard, "");
	assert_int_equal(s.timeout, 60);
	assert_true(s.update_on_abort);
	assert_string_equal(s.expire, "30");
	assert_string_equal(s.announce_login_delay, "7");
	take("reset update-on-abort\nset announce-expire = -1\n", false);
	assert_false(s.update_on_abort);
	assert_string_equal(s.expire, "never");
}

static void
keeps_a_user_from_the_rest(void **state)
{
	(void)state;
	take("set statistics\nset auto-delete\nset debug\nset timing\n"
	     "set log-login = 'POP login by user \"root\"'\n"
	     "set bulldir = /etc\nset config-file = /etc/shadow\n"
	     "set tracefile = /etc/passwd\nset user-options\n",
	    false);
	assert_false(s.statistics || s.auto_delete || s.debug || s.timing ||
	    s.user_options);
	assert_string_equal(s.trace_file, "");
	assert_string_equal(s.log_login, "");
	assert_int_equal(lines, 9);
	assert_null(strstr(heard, "root"));
	assert_null(strstr(heard, "/etc"));
	assert_non_null(strstr(
	    heard, "F:7: config-file: only the administrator sets this|"));
}

static void
keeps_a_user_from_what_is_removed(void **state)
{
	(void)state;
	s.expire = "30";
	s.enforce_expire = "any";
	take("set announce-expire = 36000\nset announce-expire = 1\n", false);
	assert_string_equal(s.expire, "30");
	assert_int_equal(lines, 2);
	take("set announce-expire = 30\nset timeout = 9\n", false);
	assert_int_equal(s.timeout, 9);
	take("set announce-expire = 90\n", true);
	assert_string_equal(s.expire, "90");
	assert_int_equal(lines, 2);
}

static void
lets_the_administrator_say_more(void **state)
{
	(void)state;
	take("set timeout = 7200\nset statistics\nset timing\nset debug\n"
	     "set auto-delete\nset config-file = /x\nset spool-dir = /x\n",
	    true);
	assert_int_equal(s.timeout, 7200);
	assert_true(s.statistics && s.timing && s.debug && s.auto_delete);
	assert_string_equal(heard,
	    "F:6: config-file: cannot be set for a single user|"
	    "F:7: spool-dir: cannot be set for a single user|");
}

static void
goes_on_behind_wrong_lines(void **state)
{
	(void)state;
	take("nonsense root \"x\" at (h) 192.0.2.9\nset\nset timeout\n"
	     "set timeout = 0\nset timeout = 86400\nset timeout = soon\n"
	     "set no-such-thing-root\nset timeout = 5 root\n"
	     "set timeout = 18446744073709551616\nset timeout = 30\n",
	    false);
	assert_int_equal(s.timeout, 30);
	assert_int_equal(lines, 9);
	assert_null(strstr(heard, "root"));
	assert_null(strstr(heard, "192"));
	assert_string_equal(s.log_style, "popper");
}

static void
tells_only_so_much(void **state)
{
	char text[8192] = "";

	(void)state;
	for (int i = 0; i < 500; i++)
		strcat(text, "root\n");
	strcat(text, "set timeout = 17");
	take(text, true);
	assert_int_equal(lines, 11);
	assert_int_equal(s.timeout, 17);
}

static void
keeps_promises_together(void **state)
{
	(void)state;
	s.login_delay = 60;
	take("set announce-login-delay = 5\n", false);
	assert_string_equal(s.announce_login_delay, "");
	assert_int_equal(lines, 1);
	s.expire = "30";
	take("set auto-delete = true\n", true);
	assert_false(s.auto_delete);
	assert_int_equal(lines, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    takes_what_a_user_may_say, start, stop),
		cmocka_unit_test_setup_teardown(
		    keeps_a_user_from_the_rest, start, stop),
		cmocka_unit_test_setup_teardown(
		    keeps_a_user_from_what_is_removed, start, stop),
		cmocka_unit_test_setup_teardown(
		    lets_the_administrator_say_more, start, stop),
		cmocka_unit_test_setup_teardown(
		    goes_on_behind_wrong_lines, start, stop),
		cmocka_unit_test_setup_teardown(
		    tells_only_so_much, start, stop),
		cmocka_unit_test_setup_teardown(
		    keeps_promises_together, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
