/*
 * maildir_trash_power.c - the power goes in the middle of a commit that keeps
 * what it removes, or of undelete.
 *
 * Runs in: tests.  Whatever the disk has of the changes (power.h), the next
 * session finds all messages or exactly those that were to stay, and undelete
 * brings the others back, octet by octet and with their unique-ids.
 */
#include "maildir_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maildir_letters.h"
#include "power.h"

#define MAIL 6 /* 1.m to 6.m */

static const char *marks;
static long states, returns; /* that were tried in all */
static size_t turn; /* of the states */

static const char *
bring_back(void)
{
	uint64_t count;
	void *self = NULL;
	bool all;

	if (drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error) ==
		-1 ||
	    drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		return error.text;
	all = letters_are(self, MAIL, NULL);
	drop()->close(self);
	return all ? NULL : "not all comes back";
}

static const char *
judge_return(void *arg, bool said)
{
	void *self = NULL;
	bool all;

	(void)arg;
	if (said) {
		if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) ==
		    -1)
			return error.text;
		all = letters_are(self, MAIL, NULL);
		drop()->close(self);
		if (!all)
			return "what came back is gone again";
	}
	return bring_back();
}

static const char *
judge(void *arg, bool said)
{
	struct power_sweep how = {
		.order = POWER_POSIX, .limit = 64, .judge = judge_return
	};
	const char *wrong = NULL;
	struct power *p;
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
	if (wrong != NULL)
		return wrong;
	if (turn++ % (power_deep() ? 1 : 8) != 0)
		return bring_back();
	/* The power goes again while that is done. */
	p = malloc(sizeof(*p));
	assert_non_null(p);
	power_start(p, bed.path, 4096);
	wrong = bring_back();
	power_said(p);
	power_stop(p);
	if (wrong == NULL)
		returns += power_sweep(p, &how);
	power_free(p);
	free(p);
	return wrong;
}

static void
try_all(const char *which)
{
	struct power_sweep how = { .limit = power_deep() ? 4096 : 256,
		.judge = judge };
	struct power *p = malloc(sizeof(*p));
	unsigned char bits[MAIL] = { 0 };
	void *self;

	assert_non_null(p);
	marks = which;
	conf.trash = 7 * 86400;
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
single_one(void **state)
{
	(void)state;
	try_all("---D--");
}

static void
every_other(void **state)
{
	(void)state;
	try_all("D-D-D-");
}

static void
all_of_them(void **state)
{
	(void)state;
	try_all("DDDDDD");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(single_one),
		MAILDIR_TEST(every_other),
		MAILDIR_TEST(all_of_them),
	};
	int failed = cmocka_run_group_tests_name(
	    "maildir_trash_power", tests, NULL, NULL);

	fprintf(stderr, "# %ld states, %ld of undelete\n", states, returns);
	return failed;
}
