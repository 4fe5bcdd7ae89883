/* test_capa.c - src/proto/capa.c */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/settings.h"
#include "proto/capa.h"

static struct stream s;
static struct reply r;

static int
start(void **state)
{
	(void)state;
	stream_start(&s, -1, 0);
	reply_start(&r, &s);
	return 0;
}

#define assert_sent(literal) \
	assert_slice(popper_slice(s.out, s.out_len), literal)

static void
says_all_that_is_true(void **state)
{
	const struct capabilities c = { .user = true,
		.mechanisms = "PLAIN SCRAM-SHA-256",
		.expire = 60,
		.login_delay = 30,
		.delay_varies = true,
		.implementation = "popper",
		.extensions = "STLS\nXMANGLE\nXTND" };

	(void)state;
	assert_int_equal(capa_reply(&c, &r), OUTCOME_DONE);
	assert_true(r.answered);
	assert_sent("+OK capability list follows\r\nTOP\r\nUSER\r\n"
		    "SASL PLAIN SCRAM-SHA-256\r\nRESP-CODES\r\n"
		    "AUTH-RESP-CODE\r\nLOGIN-DELAY 30 USER\r\nPIPELINING\r\n"
		    "EXPIRE 60\r\nUIDL\r\nLANG\r\nSTLS\r\nXMANGLE\r\nXTND\r\n"
		    "IMPLEMENTATION popper\r\n.\r\n");
}

static void
says_nothing_that_is_not(void **state)
{
	const struct capabilities c = { .mechanisms = "",
		.expire = CAPA_UNSET,
		.login_delay = CAPA_UNSET,
		.implementation = "",
		.extensions = "" };

	(void)state;
	capa_reply(&c, &r);
	assert_sent("+OK capability list follows\r\nTOP\r\nRESP-CODES\r\n"
		    "AUTH-RESP-CODE\r\nPIPELINING\r\nUIDL\r\nLANG\r\n.\r\n");
}

/* A zone given by its offset: no file is read for it. */
static void
says_what_time_it_is(void **state)
{
	const struct capabilities c = { .mechanisms = "",
		.expire = CAPA_UNSET,
		.login_delay = CAPA_UNSET,
		.implementation = "",
		.extensions = "",
		.last = true,
		.euidl = true,
		.local_time = true };
	int day, year, hour, minute, second;
	char weekday[4], month[4], zone[6], *line;

	(void)state;
	assert_int_equal(setenv("TZ", "XST+03:30", 1), 0);
	tzset();
	capa_reply(&c, &r);
	stream_put(&s, S("\0"));
	assert_non_null(strstr(s.out, "\r\nX-LAST\r\nX-EUIDL\r\n"));
	line = strstr(s.out, "X-LOCALTIME ");
	assert_non_null(line);
	assert_int_equal(
	    sscanf(line, "X-LOCALTIME %3s, %d %3s %d %d:%d:%d %5s\r\n", weekday,
		&day, month, &year, &hour, &minute, &second, zone),
	    8);
	assert_string_equal(zone, "-0330");
	assert_in_range(year, 2024, 3000);
	assert_int_equal(strcspn(line, "\r"),
	    strlen("X-LOCALTIME Sat, 22 Nov 2025 09:00:00 +0100"));
}

static void
zero_and_never_are_values(void **state)
{
	struct capabilities c = { .mechanisms = "",
		.transaction = true,
		.expire = 0,
		.login_delay = 0,
		.implementation = "",
		.extensions = "\n\nX\n" };

	(void)state;
	capa_reply(&c, &r);
	assert_sent("+OK capability list follows\r\nTOP\r\nRESP-CODES\r\n"
		    "AUTH-RESP-CODE\r\nLOGIN-DELAY 0\r\nPIPELINING\r\n"
		    "EXPIRE 0\r\nUIDL\r\nLANG\r\nX\r\n.\r\n");
	stream_flush(&s);
	c.expire = CAPA_NEVER;
	c.login_delay = CAPA_UNSET;
	capa_reply(&c, &r);
	assert_sent(
	    "+OK capability list follows\r\nTOP\r\nRESP-CODES\r\n"
	    "AUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\nUIDL\r\nLANG\r\n"
	    "X\r\n.\r\n");
}

static void
settings_choose_expire(void **state)
{
	struct settings set = { .expire = "", .announce_login_delay = "" };
	struct capabilities c;

	(void)state;
	capa_start(&c, &set);
	assert_int_equal(c.expire, CAPA_UNSET);
	assert_false(c.user);
	set.expire = "never";
	capa_start(&c, &set);
	assert_int_equal(c.expire, CAPA_NEVER);
	set.expire = "30";
	capa_start(&c, &set);
	assert_int_equal(c.expire, 30);
	set.expire = "30 days";
	capa_start(&c, &set);
	assert_int_equal(c.expire, CAPA_UNSET);
	set.expire = "";
	set.auto_delete = true;
	capa_start(&c, &set);
	assert_int_equal(c.expire, 0);
	capa_reply(&c, &r);
	assert_int_equal(s.out[s.out_len - 3], '.');
}

static void
settings_choose_login_delay(void **state)
{
	struct settings set = { .expire = "", .announce_login_delay = "" };
	struct capabilities c;

	(void)state;
	capa_start(&c, &set);
	assert_int_equal(c.login_delay, CAPA_UNSET);
	set.login_delay = 5;
	capa_start(&c, &set);
	assert_int_equal(c.login_delay, 5);
	assert_true(c.delay_varies);
	set.announce_login_delay = "7";
	capa_start(&c, &set);
	assert_int_equal(c.login_delay, 7);
	assert_false(c.delay_varies);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(says_all_that_is_true, start),
		cmocka_unit_test_setup(says_nothing_that_is_not, start),
		cmocka_unit_test_setup(says_what_time_it_is, start),
		cmocka_unit_test_setup(zero_and_never_are_values, start),
		cmocka_unit_test_setup(settings_choose_expire, start),
		cmocka_unit_test_setup(settings_choose_login_delay, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
