/*
 * mbox_waste_points.c - a QUIT that only notes what is gone, and one that
 * removes it, that are killed, or fail, at each system call.
 *
 * Runs in: tests.  Whatever happens, the next session shows what was there
 * before, or all of that but what was marked, octet by octet and with its
 * unique-ids, and what the commit said is true.  What was noted before stays
 * away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mbox_dozen.h"
#include "mbox_index_rig.h"
#include "mbox_waste.h"
#include "points.h"

static char uids[DOZEN][POPPER_UID_MAX + 1];
static const char *before; /* dozen_marks of an earlier session */
static bool purge, tidies;
static long points; /* that were tried in all */

/* Is it shown, once the earlier session has ended, and perhaps the one that is
 * tried? */
static bool
is_kept(size_t i, bool removed)
{
	size_t k, at = 0;

	for (k = 0; k < i; k++)
		at += before[k] == '-';
	return before[i] == '-' && (!removed || dozen_marks[at] == '-');
}

/* Exactly those, in order? */
static bool
shows(struct rig *r, bool removed)
{
	const size_t skip = strlen(FROM_A);
	char uid[POPPER_UID_MAX + 1];
	size_t n = 0, count = r->drop->count(r->self);

	for (size_t i = 0; i < DOZEN; i++) {
		struct popper_slice text;
		bool same;

		if (!is_kept(i, removed))
			continue;
		if (n == count)
			return false;
		text = rig_read(r, n, 0);
		rig_uid(r, n++, uid);
		same = strcmp(uid, uids[i]) == 0 &&
		    text.len == strlen(dozen_messages[i]) - skip - 1 &&
		    memcmp(text.ptr, dozen_messages[i] + skip, text.len) == 0;
		free((void *)(uintptr_t)text.ptr);
		if (!same)
			return false;
	}
	return n == count;
}

static void
fail_at(const struct points *p, const char *what)
{
	fail_msg("call %ld (%ld), deed %d, errno %d, status %x: %s", p->at,
	    p->number, (int)p->deed, p->error, (unsigned)p->status, what);
}

/* The next session. */
static void
look(struct rig *r, const struct points *p)
{
	bool said = WIFEXITED(p->status) &&
	    WEXITSTATUS(p->status) == POINTS_SAID + POPPER_DONE;
	bool not_said = WIFEXITED(p->status) &&
	    WEXITSTATUS(p->status) == POINTS_SAID + POPPER_NOT_DONE;
	bool whole, kept;

	(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		fail_at(p, r->error.text);
	whole = shows(r, false);
	kept = shows(r, true);
	rig_close(r);
	if (!whole && !kept)
		fail_at(p, "neither before nor after");
	if ((said && !kept) || (not_said && !whole))
		fail_at(p, "the commit lied");
}

/* Each call in turn, until there is none left. */
static void
sweep(struct rig *r, enum points_deed deed, int error)
{
	struct points p = { .deed = deed, .error = error };

	do {
		p.at += points_step();
		dozen_clear(r->state, ".");
		dozen_put(r);
		r->conf.purge = "lazy";
		rig_open(r);
		if (strchr(before, 'D') != NULL)
			assert_int_equal(rig_commit(r, before), POPPER_DONE);
		rig_close(r);
		r->conf.purge = purge ? "quit" : "lazy";
		points_run(&p, tidies ? dozen_tidy : dozen_commit, r);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			fail_at(&p, "killed");
		look(r, &p);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 20);
}

static void
try_all(struct rig *r, const char *first, const char *then, bool errors_too)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, ENOMEM };
	size_t count = points_deep() ? 5 : 2;

	before = first;
	dozen_marks = then;
	dozen_make();
	dozen_clear(r->state, ".");
	dozen_put(r);
	rig_open(r);
	for (size_t i = 0; i < DOZEN; i++)
		rig_uid(r, i, uids[i]);
	rig_close(r);
	sweep(r, POINTS_KILL, 0);
	if (!errors_too && !points_deep())
		return;
	sweep(r, POINTS_SHORT, 0);
	for (size_t j = 0; j < count; j++)
		sweep(r, POINTS_FAIL, errors[j]);
}

/* Also where the times of the mbox are too fresh to be trusted. */
static void
noted(void **state)
{
	purge = false;
	index_clock_ahead = 10;
	try_all(*state, "------------", "D-DD----DD--", true);
	index_clock_ahead = 0;
	try_all(*state, "------------", "D-DD----DD--", false);
}

static void
noted_again(void **state)
{
	purge = false;
	index_clock_ahead = 10;
	try_all(*state, "D--D-----D--", "D-D-----D", true);
	index_clock_ahead = 0;
	try_all(*state, "D--D-----D--", "D-D-----D", false);
}

static void
purged(void **state)
{
	purge = true;
	index_clock_ahead = 10;
	try_all(*state, "D--D-----D--", "--D----D-", true);
	index_clock_ahead = 0;
	try_all(*state, "D--D-----D--", "DDDDDDDDD", false);
}

/* Nothing is marked: what was noted stays away, and nothing else goes. */
static void
tidied(void **state)
{
	purge = tidies = true;
	index_clock_ahead = 10;
	try_all(*state, "D--D-----D--", "---------", true);
	tidies = false;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, index_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(noted),
		TEST(noted_again),
		TEST(purged),
		TEST(tidied),
	};
	int failed = 0;

	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "mbox_waste_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
