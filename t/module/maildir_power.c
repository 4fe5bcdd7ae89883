/*
 * maildir_power.c - the power goes in the middle of a commit, or of the
 * recovery after that.
 *
 * Runs in: tests.  Whatever the disk has of the changes (power.h), the next
 * session finds all messages or exactly those that were to stay, octet by
 * octet and with their unique-ids; and those that were to stay once the commit
 * had said so.
 */
#include "maildir_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maildir_letters.h"
#include "power.h"

#define MAIL 8 /* 1.m to 8.m */

static const char *marks;
static long states, recoveries; /* that were tried in all */
static size_t turn; /* of the states */

static const char *
recover(void *arg, bool said)
{
	const char *wrong = NULL;
	void *self = NULL;
	bool kept;

	(void)arg;
	if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		return error.text;
	kept = letters_are(self, MAIL, marks);
	if (!kept && !letters_are(self, MAIL, NULL))
		wrong = "mail is lost";
	else if (!kept && said)
		wrong = "what was removed is there again";
	drop()->close(self);
	if (bed_exists(&bed, "Maildir/tmp/.popper-undo") ||
	    bed_exists(&bed, "Maildir/tmp/.popper-done"))
		wrong = "a private folder is left";
	return wrong;
}

/* The power goes again while that is put right. */
static const char *
recover_twice(void *arg, bool said)
{
	struct power_sweep how = {
		.order = POWER_POSIX, .limit = 64, .judge = recover
	};
	struct power *p;
	const char *wrong;

	if (turn++ % (power_deep() ? 16 : 128) != 0)
		return recover(arg, said);
	p = malloc(sizeof(*p));
	assert_non_null(p);
	power_start(p, bed.path, 4096);
	if (said)
		power_said(p);
	wrong = recover(arg, said);
	power_stop(p);
	if (wrong == NULL)
		recoveries += power_sweep(p, &how);
	power_free(p);
	free(p);
	return wrong;
}

static void
try_all(const char *which)
{
	struct power_sweep how = { .limit = power_deep() ? 4096 : 256,
		.judge = recover_twice };
	struct power *p = malloc(sizeof(*p));
	unsigned char bits[MAIL] = { 0 };
	void *self;

	assert_non_null(p);
	marks = which;
	letters_make(MAIL);
	power_start(p, bed.path, 4096);
	self = opened();
	for (size_t i = 0; i < MAIL; i++)
		bits[i] = marks[i] == 'D' ? POPPER_MARK_DELETED : 0;
	assert_int_equal(commit(self, bits), POPPER_DONE);
	power_said(p);
	drop()->close(self);
	power_stop(p);
	for (how.order = POWER_JOURNAL; how.order <= POWER_POSIX; how.order++)
		states += power_sweep(p, &how);
	power_free(p);
	free(p);
}

static void
first_ones(void **state)
{
	(void)state;
	try_all("DD------");
}

static void
single_one(void **state)
{
	(void)state;
	try_all("---D----");
}

static void
last_one(void **state)
{
	(void)state;
	try_all("-------D");
}

static void
every_other(void **state)
{
	(void)state;
	try_all("D-D-D-D-");
}

static void
all_of_them(void **state)
{
	(void)state;
	try_all("DDDDDDDD");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(first_ones),
		MAILDIR_TEST(single_one),
		MAILDIR_TEST(last_one),
		MAILDIR_TEST(every_other),
		MAILDIR_TEST(all_of_them),
	};
	int failed =
	    cmocka_run_group_tests_name("maildir_power", tests, NULL, NULL);

	fprintf(
	    stderr, "# %ld states, %ld of recoveries\n", states, recoveries);
	return failed;
}
