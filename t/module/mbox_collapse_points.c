/*
 * mbox_collapse_points.c - blocks are cut out of the mbox, and the process is
 * killed, or fails, at each system call.
 *
 * Runs in: tests.  What was to stay is there whole, also for a program that
 * knows nothing of the journal; and the next session finds all messages or
 * exactly those that were to stay, octet by octet, with their unique-ids.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mbox_journal.h"
#include "mbox_space.h"
#include "points.h"

#define NEW FROM_B "New: mail\n\nIt came meanwhile\n\n"

static struct space box;
static bool plain; /* one gap, no pad before: a mailbox at every moment */
static bool refuse; /* the file system does not cut, after all */
static long points; /* that were tried in all */

int __real_fallocate(int, int, off_t, off_t);
int __wrap_fallocate(int, int, off_t, off_t);

int
__wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	if (mode == FALLOC_FL_COLLAPSE_RANGE && at != 1 && refuse) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return __real_fallocate(fd, mode, at, len);
}

/* In the child: a session; it exits with the outcome. */
static int
session(void *arg)
{
	struct rig *r = arg;
	enum popper_outcome outcome;

	points_begin();
	if (rig_try_open(r) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	outcome = rig_commit(r, box.marks);
	rig_close(r);
	return POINTS_SAID + (int)outcome;
}

/* A session that finds a journal: the login after a crash. */
static int
login(void *arg)
{
	points_begin();
	if (rig_try_open(arg) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	rig_close(arg);
	return POINTS_SAID + POPPER_DONE;
}

/* The dead cannot take their dot lock away, nor can who is not let. */
static bool
may_leave_lock(const struct points *p)
{
	return WIFSIGNALED(p->status) || WEXITSTATUS(p->status) < POINTS_SAID ||
	    (p->done && p->deed == POINTS_FAIL &&
		(p->number == SYS_unlinkat || p->number == SYS_newfstatat));
}

#define FAILED(p, text)                                            \
	fail_msg("call %ld (%ld), deed %d, errno %d: %s", (p)->at, \
	    (p)->number, (int)(p)->deed, (p)->error, text)

/* The next session, whatever has become of the one before. */
static void
recover(struct rig *r, const struct points *p, const char *more, bool commit)
{
	const char *wrong;
	bool whole, kept;
	int said = WIFEXITED(p->status) ? WEXITSTATUS(p->status) : 0;

	if (may_leave_lock(p))
		(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		FAILED(p, r->error.text);
	whole = space_holds(r, box.before, more);
	kept = space_holds(r, box.after, more);
	if (!whole && !kept)
		FAILED(p, "mail is lost");
	if (commit &&
	    ((said == POINTS_SAID + POPPER_DONE && !kept) ||
		(said == POINTS_SAID + POPPER_NOT_DONE && !whole)))
		FAILED(p, "the outcome is a lie");
	if ((wrong = space_wrong(&box, r, whole)) != NULL)
		FAILED(p, wrong);
	rig_close(r);
	assert_false(rig_exists(r, MBOX_JOURNAL));
	assert_int_equal(access(r->lock, F_OK), -1);
}

static void
clear(struct rig *r)
{
	static const char *const files[] = { "mbox.index", "mbox.index.new",
		MBOX_JOURNAL, MBOX_RESERVE };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(r->state, files[i], 0);
	rig_put(r, box.before);
}

/* Each call in turn, until there is none left. */
static void
sweep(struct rig *r, enum points_deed deed, int error, bool delivery)
{
	struct points p = { .deed = deed, .error = error };

	do {
		p.at += points_step();
		clear(r);
		points_run(&p, session, r);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			FAILED(&p, "killed");
		if (plain && !refuse && !space_is_mailbox(&box, r))
			FAILED(&p, "not a mailbox");
		if (delivery)
			rig_deliver(r, NEW);
		recover(r, &p, delivery ? NEW : "", true);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 20);
}

/* Killed where the call ${at} would be; then the login is killed, or fails, at
 * each of its calls. */
static bool
sweep_login(struct rig *r, long at, enum points_deed deed, int error)
{
	struct points first = { .at = at, .deed = POINTS_KILL };
	struct points p = { .deed = deed, .error = error };
	bool any;

	do {
		p.at += points_step();
		clear(r);
		points_run(&first, session, r);
		if ((any = rig_exists(r, MBOX_JOURNAL))) {
			(void)unlink(r->lock);
			points_run(&p, login, r);
			recover(r, &p, "", false);
			points += p.done;
		} else {
			(void)unlink(r->lock);
			p.seen = 0;
		}
	} while (any && p.seen >= p.at);
	return first.done;
}

static void
try_all(struct rig *r)
{
	static const int errors[] = { EIO, ENOSPC, EOPNOTSUPP, EINTR, EDQUOT,
		ENOMEM, EINVAL };
	size_t count = points_deep() ? 7 : 2;

	sweep(r, POINTS_KILL, 0, false);
	sweep(r, POINTS_KILL, 0, true);
	sweep(r, POINTS_SHORT, 0, false);
	for (size_t i = 0; i < count; i++)
		sweep(r, POINTS_FAIL, errors[i], false);
}

static void
try_lens(struct rig *r, const size_t *lens, const char *marks)
{
	r->conf.collapse = 1;
	space_make(&box, r, lens, marks);
	try_all(r);
	space_free(&box);
}

static void
middle(void **state)
{
	plain = true;
	try_lens(*state, (const size_t[]){ 5000, 9000, 9000, 3000, 0 }, "-D--");
	plain = false;
}

static void
front(void **state)
{
	plain = true;
	try_lens(*state, (const size_t[]){ 9216, 9000, 3000, 0 }, "D--");
	plain = false;
}

static void
several(void **state)
{
	try_lens(*state,
	    (const size_t[]){ 4095, 3000, 500, 20000, 800, 6000, 9000, 0 },
	    "-D-D-D-");
}

/* It had a pad already. */
static void
padded(void **state)
{
	struct rig *r = *state;

	r->conf.collapse = 1;
	space_make(&box, r,
	    (const size_t[]){ 700, 6100, 6000, 300, 9000, 9000, 0 }, "--D---");
	rig_open(r);
	assert_int_equal(rig_commit(r, box.marks), POPPER_DONE);
	rig_close(r);
	space_again(&box, r, "-D---");
	if (space_can(r))
		assert_int_equal(space_pads(box.before), 1);
	try_all(r);
	space_free(&box);
}

static void
refused(void **state)
{
	refuse = true;
	try_lens(*state, (const size_t[]){ 5000, 9000, 9000, 3000, 0 }, "-D--");
	refuse = false;
}

/* Killed at each call, and the login at each of its own. */
static void
login_after(void **state)
{
	struct rig *r = *state;
	bool more = true;

	r->conf.collapse = 1;
	space_make(&box, r, (const size_t[]){ 5000, 9000, 400, 9000, 9000, 0 },
	    "-D-D-");
	for (long at = 1; more; at += points_deep() ? 1 : 3) {
		more = sweep_login(r, at, POINTS_KILL, 0);
		if (points_deep())
			(void)sweep_login(r, at, POINTS_FAIL, EIO);
	}
	space_free(&box);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(middle),
		TEST(front),
		TEST(several),
		TEST(padded),
		TEST(refused),
		TEST(login_after),
	};
	int failed = 0;

	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "mbox_collapse_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
