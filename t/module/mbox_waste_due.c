/*
 * mbox_waste_due.c - purge = lazy: when is space given back?
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mbox_waste.h"
#include "mod/host.h"
#include "waste_rig.h"

static void
at_night(void **state)
{
	struct rig *r = *state;
	time_t now = time(NULL);
	struct tm tm;
	char hours[16];

	rig_put(r, A B C D);
	session(r, "D---");
	rig_expect(r, A B C D);
	assert_non_null(localtime_r(&now, &tm));
	(void)snprintf(
	    hours, sizeof(hours), "%d-%d", tm.tm_hour, (tm.tm_hour + 2) % 24);
	r->conf.purge_time = hours;
	rig_open(r);
	/* Nothing is deleted, something was read. */
	assert_int_equal(rig_commit(r, "---"), POPPER_DONE);
	rig_close(r);
	rig_expect(r, B C D);
	assert_false(rig_exists(r, MBOX_WASTE));
}

static void
tidy(struct rig *r)
{
	rig_open(r);
	assert_int_equal(r->drop->tidy(r->self, &r->error), 0);
	rig_close(r);
}

/* The hours that it is now, as an option. */
static const char *
now(char hours[16])
{
	time_t t = time(NULL) + index_clock_ahead;
	struct tm tm;

	assert_non_null(localtime_r(&t, &tm));
	(void)snprintf(hours, 16, "%d-%d", tm.tm_hour, (tm.tm_hour + 2) % 24);
	return hours;
}

/* Neither was anything read. */
static void
nothing_but_a_quit(void **state)
{
	struct rig *r = *state;
	char hours[16];

	rig_put(r, A B C D);
	session(r, "D---");
	tidy(r);
	rig_expect(r, A B C D);
	expect_shown(r, "BCD");
	r->conf.purge_time = now(hours);
	tidy(r);
	rig_expect(r, B C D);
	assert_false(rig_exists(r, MBOX_WASTE));
	expect_shown(r, "BCD");
	tidy(r);
	r->conf.purge_time = "";
	session(r, "D--");
	r->conf.purge = "quit";
	tidy(r);
	rig_expect(r, C D);
}

/* Nobody is there at night, for a week; what is deleted then does not make the
 * time begin anew. */
static void
nights_are_missed(void **state)
{
	struct rig *r = *state;
	time_t t = time(NULL) + 10;
	struct tm tm;
	char hours[16];

	assert_non_null(localtime_r(&t, &tm));
	(void)snprintf(hours, sizeof(hours), "%d-%d", (tm.tm_hour + 10) % 24,
	    (tm.tm_hour + 12) % 24);
	r->conf.purge_time = hours;
	rig_put(r, A B C D);
	session(r, "D---");
	index_clock_ahead += 6 * 86400;
	tidy(r);
	session(r, "D--");
	rig_expect(r, A B C D);
	index_clock_ahead += 86400 + 1;
	r->conf.purge_time = "";
	tidy(r);
	rig_expect(r, A B C D);
	r->conf.purge_time = hours;
	tidy(r);
	rig_expect(r, C D);
}

/* popperctl recover. */
struct said {
	struct popper_sink sink;
	char text[256];
	size_t len;
};

static int
keep(struct popper_sink *sink, struct popper_slice s)
{
	struct said *said = (struct said *)(void *)sink;

	assert_true(said->len + s.len < sizeof(said->text));
	memcpy(said->text + said->len, s.ptr, s.len);
	said->len += s.len;
	said->text[said->len] = '\0';
	return 0;
}

static void
recovery(void **state)
{
	struct said due = { .sink = { keep } }, not_due = due;
	struct rig *r = *state;
	char hours[16];

	rig_put(r, A B C D);
	session(r, "D-D-");
	assert_int_equal(rig_recover(r, &not_due.sink), 0);
	assert_string_equal(not_due.text, "nothing to do\n");
	rig_expect(r, A B C D);
	r->conf.purge_time = now(hours);
	assert_int_equal(rig_recover(r, &due.sink), 0);
	assert_string_equal(due.text,
	    "removed 2 deleted messages from the mbox (purge = lazy)\n");
	rig_expect(r, B D);
	assert_false(rig_exists(r, MBOX_WASTE));
}

static void
half_is_waste(void **state)
{
	struct rig *r = *state;
	size_t len = 800000;
	char *text = malloc(4 * len + 1), *p = text;

	assert_non_null(text);
	for (size_t i = 0; i < 4; i++) {
		size_t n = (size_t)sprintf(
		    p, FROM_A "Subject: %c\n\n", (int)('A' + i));

		memset(p + n, 'x', len - n);
		for (size_t k = n + 70; k < len; k += 71)
			p[k] = '\n';
		memcpy(p + len - 3, "x\n\n", 3);
		p += len;
	}
	*p = '\0';
	rig_put(r, text);
	session(r, "D---");
	rig_expect(r, text);
	session(r, "D--");
	expect_shown(r, "CD");
	rig_expect(r, text);
	session(r, "D-");
	rig_expect(r, text + 3 * len);
	assert_false(rig_exists(r, MBOX_WASTE));
	free(text);
}

static void
hours(void **state)
{
	struct rig *r = *state;
	unsigned first, end;

	assert_true(mbox_purge_hours("2-5", &first, &end));
	assert_int_equal(first, 2);
	assert_int_equal(end, 5);
	assert_true(mbox_purge_hours("22-04", &first, &end));
	assert_false(mbox_purge_hours("", &first, &end));
	assert_false(mbox_purge_hours("2", &first, &end));
	assert_false(mbox_purge_hours("2-", &first, &end));
	assert_false(mbox_purge_hours("2-25", &first, &end));
	assert_false(mbox_purge_hours("2-5x", &first, &end));
	assert_false(mbox_purge_hours("3-3", &first, &end));
	assert_false(mbox_purge_hours("0-24", &first, &end));
	r->conf.purge_time = "always";
	assert_int_equal(
	    r->drop->configured(&host_services, &r->conf, &r->error), -1);
	assert_int_equal(r->error.status, POPPER_PERMANENT);
	assert_non_null(strstr(r->error.text, "purge-time = \"always\""));
}

static int
lazy(void **state)
{
	int failed = index_setup(state);
	struct rig *r = *state;

	r->conf.purge = "lazy";
	return failed;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lazy, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = { TEST(at_night),
		TEST(nothing_but_a_quit), TEST(nights_are_missed),
		TEST(recovery), TEST(half_is_waste), TEST(hours) };

	return cmocka_run_group_tests_name("mbox_waste_due", tests, NULL, NULL);
}
