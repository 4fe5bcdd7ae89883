/*
 * mbox_trash_points.c - a commit that keeps what it removes, and an undelete,
 * that are killed, or fail, at each system call.
 *
 * Runs in: tests.  Whatever happens, each message is in the mbox or in the
 * trash; and once all is brought back it is in the mbox, once, octet by octet
 * and with its unique-id.
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
#include "mbox_rewrite.h"
#include "mbox_trash.h"
#include "points.h"

static char uids[DOZEN][POPPER_UID_MAX + 1];
static long points; /* that were tried in all */

static int
undelete(void *arg)
{
	uint64_t count;

	points_begin();
	return POINTS_SAID +
	    (rig_undelete(arg, 0, &count) == 0 ? POPPER_DONE : POPPER_NOT_DONE);
}

/* Is each message there once, and with its id?  ${removed}: those that were
 * marked are not.  The order is another after an undelete. */
static bool
is_right(struct rig *r, bool removed)
{
	bool found[DOZEN] = { false };
	size_t count = r->drop->count(r->self), want = 0;
	char uid[POPPER_UID_MAX + 1];

	for (size_t i = 0; i < DOZEN; i++)
		want += !removed || dozen_marks[i] == '-';
	if (count != want)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct popper_slice text = rig_read(r, i, 0);
		size_t j, skip = strlen(FROM_A);

		rig_uid(r, i, uid);
		for (j = 0; j < DOZEN && strcmp(uid, uids[j]) != 0; j++)
			;
		if (j == DOZEN || found[j] ||
		    (removed && dozen_marks[j] == 'D') ||
		    text.len != strlen(dozen_messages[j]) - skip - 1 ||
		    memcmp(text.ptr, dozen_messages[j] + skip, text.len) != 0)
			count = 0;
		else
			found[j] = true;
		free((void *)(uintptr_t)text.ptr);
	}
	return count == want;
}

static void
fail_at(const struct points *p, const char *what)
{
	fail_msg("call %ld (%ld), deed %d, errno %d, status %x: %s", p->at,
	    p->number, (int)p->deed, p->error, (unsigned)p->status, what);
}

/* The next session, and then an undelete. */
static void
look(struct rig *r, const struct points *p, int (*run)(void *))
{
	bool said = WIFEXITED(p->status) &&
	    WEXITSTATUS(p->status) == POINTS_SAID + POPPER_DONE;
	bool not_said = WIFEXITED(p->status) &&
	    WEXITSTATUS(p->status) == POINTS_SAID + POPPER_NOT_DONE;
	uint64_t count;
	bool whole, kept;

	(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		fail_at(p, r->error.text);
	whole = is_right(r, false);
	kept = is_right(r, true);
	rig_close(r);
	if (!whole && !kept)
		fail_at(p, "mail is missing or doubled");
	if (run == dozen_commit &&
	    ((said && whole && strchr(dozen_marks, 'D') != NULL) ||
		(not_said && !whole)))
		fail_at(p, "the commit lied");
	if (rig_exists(r, MBOX_TRASH_NOTE) || rig_exists(r, MBOX_REWRITE))
		fail_at(p, "not settled");
	if (rig_undelete(r, 0, &count) == -1)
		fail_at(p, r->error.text);
	rig_open(r);
	if (!is_right(r, false))
		fail_at(p, "not all is back");
	rig_close(r);
}

/* Each call in turn, until there is none left. */
static void
sweep(struct rig *r, int (*run)(void *), enum points_deed deed, int error)
{
	struct points p = { .deed = deed, .error = error };

	do {
		p.at += points_step();
		dozen_clear(r->state, ".");
		dozen_put(r);
		if (run == undelete) {
			rig_open(r);
			assert_int_equal(
			    rig_commit(r, dozen_marks), POPPER_DONE);
			rig_close(r);
		}
		points_run(&p, run, r);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			fail_at(&p, "killed");
		look(r, &p, run);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 20);
}

static void
try_all(struct rig *r, const char *which, bool errors_too)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, ENOMEM };
	size_t count = points_deep() ? 5 : 2;
	static int (*const runs[])(void *) = { dozen_commit, undelete };

	dozen_marks = which;
	r->conf.trash = 86400;
	dozen_make();
	dozen_put(r);
	rig_open(r);
	for (size_t i = 0; i < DOZEN; i++)
		rig_uid(r, i, uids[i]);
	rig_close(r);
	for (size_t i = 0; i < 2; i++) {
		sweep(r, runs[i], POINTS_KILL, 0);
		if (!errors_too && !points_deep())
			continue;
		sweep(r, runs[i], POINTS_SHORT, 0);
		for (size_t j = 0; j < count; j++)
			sweep(r, runs[i], POINTS_FAIL, errors[j]);
	}
}

static void
some(void **state)
{
	try_all(*state, "D-DD----DD--", true);
}

static void
last_one(void **state)
{
	try_all(*state, "-----------D", false);
}

static void
all_of_them(void **state)
{
	try_all(*state, "DDDDDDDDDDDD", false);
}

/* Whatever fails, what was kept in the same second is not dropped. */
static void
earlier_trash_stays(void **state)
{
	struct points p = { .deed = POINTS_FAIL, .error = EMFILE };
	struct rig *r = *state;
	uint64_t count;

	r->conf.trash = 86400;
	dozen_make();
	dozen_put(r);
	rig_open(r);
	for (size_t i = 0; i < DOZEN; i++)
		rig_uid(r, i, uids[i]);
	rig_close(r);
	do {
		p.at += points_step();
		dozen_clear(r->state, ".");
		dozen_put(r);
		rig_open(r);
		assert_int_equal(rig_commit(r, "D-----------"), POPPER_DONE);
		rig_close(r);
		dozen_marks = "D----------";
		points_run(&p, dozen_commit, r);
		(void)unlink(r->lock);
		if (rig_undelete(r, 0, &count) == -1)
			fail_at(&p, r->error.text);
		rig_open(r);
		if (!is_right(r, false))
			fail_at(&p, "not all is back");
		rig_close(r);
		points += p.done;
	} while (p.seen >= p.at);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(some),
		TEST(last_one),
		TEST(all_of_them),
		TEST(earlier_trash_stays),
	};
	int failed = 0;

	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "mbox_trash_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
