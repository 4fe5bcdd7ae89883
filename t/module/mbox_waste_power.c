/*
 * mbox_waste_power.c - the power goes while deletions are noted, purged, or
 * kept as trash.
 *
 * Runs in: tests.  Whatever the disk has of the changes (power.h), the next
 * session shows what was there before, or all of that but what was marked, in
 * order and with its unique-ids; and the latter once the commit had said so.
 * With trash each message that is not shown comes back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "power.h"

#define COUNT 12
#define SOME "-D-DD----D--"
#define LAST "---------DDD"

static char uids[COUNT][POPPER_UID_MAX + 1];
static bool was[COUNT]; /* shown before the commit */
static const char *of_all; /* marks */
static long states;
static bool tidies; /* nothing is marked: what is noted goes */

static void
fill(struct rig *r)
{
	char message[4200];

	rig_put(r, "");
	for (size_t i = 0; i < COUNT; i++) {
		size_t n = (size_t)sprintf(
			   message, FROM_A "Number: %zu\n\n", i),
		       len = i % 5 == 0 ? 4000 : 10 * i + 1;

		memset(message + n, 'a' + (int)i, len);
		(void)strcpy(message + n + len, "\n\n");
		rig_deliver(r, message);
		was[i] = true;
	}
	rig_open(r);
	for (size_t i = 0; i < COUNT; i++)
		rig_uid(r, i, uids[i]);
	rig_close(r);
}

/* Does the session show those, and nothing else? */
static bool
shows(struct rig *r, bool removed)
{
	char uid[POPPER_UID_MAX + 1];
	size_t n = 0, count = r->drop->count(r->self);

	for (size_t i = 0; i < COUNT; i++) {
		if (!was[i] || (removed && of_all[i] == 'D'))
			continue;
		if (n == count)
			return false;
		rig_uid(r, n++, uid);
		if (strcmp(uid, uids[i]) != 0)
			return false;
	}
	return n == count;
}

/* All that was ever there, once each? */
static bool
is_all_back(struct rig *r)
{
	char uid[POPPER_UID_MAX + 1];
	size_t i, k, n = 0;

	if (r->drop->count(r->self) != COUNT)
		return false;
	for (i = 0; i < COUNT; i++) {
		rig_uid(r, i, uid);
		for (k = 0; k < COUNT && strcmp(uid, uids[k]) != 0; k++)
			;
		n += k < COUNT;
	}
	return n == COUNT;
}

static const char *
undelete(struct rig *r)
{
	const char *wrong = NULL;
	uint64_t count;

	if (rig_undelete(r, 0, &count) == -1 || rig_try_open(r) == -1)
		return r->error.text;
	if (!is_all_back(r))
		wrong = "not all of it came back";
	rig_close(r);
	return wrong;
}

/* The next session; the machine that had the dot lock is no more. */
static const char *
look(void *arg, bool said)
{
	struct rig *r = arg;
	const char *wrong = NULL;
	bool kept;

	(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		return r->error.text;
	kept = shows(r, true);
	if (!kept && !shows(r, false))
		wrong = "neither before nor after";
	else if (!kept && said)
		wrong = "what was deleted is there again";
	rig_close(r);
	return wrong == NULL && r->conf.trash > 0 ? undelete(r) : wrong;
}

static void
sweep(struct rig *r, const char *which)
{
	struct power_sweep how = {
		.limit = power_deep() ? 4096 : 64, .judge = look, .arg = r
	};
	struct power *p = malloc(sizeof(*p));
	char marks[COUNT + 1];
	size_t n = 0;

	assert_non_null(p);
	of_all = which;
	for (size_t i = 0; i < COUNT; i++)
		if (was[i])
			marks[n++] = of_all[i];
	marks[n] = '\0';
	power_start(p, r->top, 4096);
	rig_open(r);
	if (tidies)
		assert_int_equal(r->drop->tidy(r->self, &r->error), 0);
	else
		assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	power_said(p);
	rig_close(r);
	power_stop(p);
	for (how.order = POWER_JOURNAL; how.order <= POWER_POSIX; how.order++)
		states += power_sweep(p, &how);
	power_free(p);
	free(p);
}

static void
noted(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.purge = "lazy";
	sweep(r, SOME);
}

static void
purged(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.purge = "lazy";
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-----------"), POPPER_DONE);
	rig_close(r);
	was[0] = false;
	r->conf.purge = "quit";
	sweep(r, SOME);
}

static void
tidied(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.purge = "lazy";
	rig_open(r);
	assert_int_equal(rig_commit(r, SOME), POPPER_DONE);
	rig_close(r);
	for (size_t i = 0; i < COUNT; i++)
		was[i] = SOME[i] != 'D';
	r->conf.purge = "quit";
	tidies = true;
	sweep(r, "------------");
	tidies = false;
}

static void
kept(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.trash = 86400;
	sweep(r, SOME);
}

/* Only the end goes: see mbox_cut_points.c. */
static void
cut_and_kept(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.trash = 86400;
	sweep(r, LAST);
}

static void
cut_and_purged(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.purge = "lazy";
	rig_open(r);
	assert_int_equal(rig_commit(r, "----------D-"), POPPER_DONE);
	rig_close(r);
	was[10] = false;
	sweep(r, LAST);
}

static void
noted_and_kept(void **state)
{
	struct rig *r = *state;

	fill(r);
	r->conf.purge = "lazy";
	r->conf.trash = 86400;
	sweep(r, SOME);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(noted),
		TEST(purged),
		TEST(tidied),
		TEST(kept),
		TEST(cut_and_kept),
		TEST(cut_and_purged),
		TEST(noted_and_kept),
	};
	int failed =
	    cmocka_run_group_tests_name("mbox_waste_power", tests, NULL, NULL);

	fprintf(stderr, "# %ld states\n", states);
	return failed;
}
