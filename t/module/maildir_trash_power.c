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

#include "power.h"

#define MAIL 6 /* 1.m to 6.m */

static const char *marks;
static long states, returns; /* that were tried in all */
static size_t turn; /* of the states */

static void
make_mail(void)
{
	char name[64], text[64];
	void *self;

	for (int i = 1; i <= MAIL; i++) {
		(void)snprintf(name, sizeof(name),
		    i % 2 ? "Maildir/cur/%d.m:2,S" : "Maildir/new/%d.m", i);
		(void)snprintf(text, sizeof(text), "message %d\n.\n", i);
		bed_text(&bed, name, text);
	}
	self = opened();
	drop()->close(self);
}

/* Is message ${i} of the maildrop the one of that number? */
static bool
is_message(void *self, size_t i, int number)
{
	char text[64], id[16];
	struct collect c;
	bool same;

	(void)snprintf(text, sizeof(text), "message %d\n.\n", number);
	(void)snprintf(id, sizeof(id), "%d.m", number);
	collect_start(&c);
	same = i < drop()->count(self) &&
	    drop()->read(self, i, 0, &c.sink, &error) == 0 &&
	    c.len == strlen(text) && memcmp(c.ptr, text, c.len) == 0 &&
	    strcmp(uid(self, i), id) == 0;
	collect_end(&c);
	return same;
}

static bool
holds(void *self, bool all)
{
	size_t n = 0;

	for (int i = 1; i <= MAIL; i++)
		if ((all || marks[i - 1] != 'D') && !is_message(self, n++, i))
			return false;
	return n == drop()->count(self);
}

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
	all = holds(self, true);
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
		all = holds(self, true);
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
	kept = holds(self, false);
	if (!kept && !holds(self, true))
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
	make_mail();
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
