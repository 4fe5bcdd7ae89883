/*
 * mbox_points.c - a commit that is killed, or fails, at each system call.
 *
 * Runs in: tests.  Whatever happens, the next session finds all messages or
 * exactly those that were to stay, octet by octet and with their unique-ids,
 * and what the commit said is true.
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

#include "mbox_rig.h"
#include "mbox_journal.h"
#include "points.h"

#define COUNT 24
#define ROOM (COUNT * 5000)
#define SMALL 2560 /* octets of a journal with a window of 512 */
#define NEW FROM_B "New: mail\n\nIt came meanwhile\n\n"

static char before[ROOM]; /* the mailbox as it was */
static char after[ROOM]; /* and as the commit leaves it */
static char uids[COUNT][POPPER_UID_MAX + 1];
static const char *marks;
static long points; /* that were tried in all */
static off_t most; /* octets of the journal; 0: there is room for all */

int __real_fallocate(int, int, off_t, off_t);
int __wrap_fallocate(int, int, off_t, off_t);

/* A full disk: no file of the state folder becomes larger. */
int
__wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	if (most > 0 && at + len > most) {
		errno = ENOSPC;
		return -1;
	}
	return __real_fallocate(fd, mode, at, len);
}

/* The messages have 60 to 4000 octets. */
static void
make_mailboxes(struct rig *r)
{
	char message[5000], *b = before, *a = after;

	for (size_t i = 0; i < COUNT; i++) {
		size_t n = (size_t)sprintf(
			   message, FROM_A "Number: %zu\n\n", i),
		       len = i % 5 == 0 ? 4000 : 10 * i + 1;

		memset(message + n, 'a' + (int)(i % 26), len);
		(void)strcpy(message + n + len, "\n\n");
		b = stpcpy(b, message);
		if (marks[i] == '-')
			a = stpcpy(a, message);
	}
	*a = '\0';
	rig_put(r, before);
	rig_open(r);
	for (size_t i = 0; i < COUNT; i++)
		rig_uid(r, i, uids[i]);
	rig_close(r);
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
	outcome = rig_commit(r, marks);
	rig_close(r);
	return POINTS_SAID + (int)outcome;
}

static void
deliver(void *arg)
{
	rig_deliver(arg, NEW);
}

/* Does the mailbox hold ${text}, and perhaps the new message? */
static bool
holds(struct rig *r, const char *text, bool delivered)
{
	struct popper_slice got = rig_get(r->path);
	size_t len = strlen(text), more = delivered ? strlen(NEW) : 0;
	bool same = got.len == len + more && memcmp(got.ptr, text, len) == 0 &&
	    memcmp(got.ptr + len, NEW, more) == 0;

	free((void *)(uintptr_t)got.ptr);
	return same;
}

static void
expect_uids(struct rig *r, bool all)
{
	char uid[POPPER_UID_MAX + 1];
	size_t at = 0;

	for (size_t i = 0; i < COUNT; i++) {
		if (!all && marks[i] == 'D')
			continue;
		rig_uid(r, at++, uid);
		assert_string_equal(uid, uids[i]);
	}
}

/* The dead cannot take their dot lock away, nor can who is not let. */
static bool
may_leave_lock(const struct points *p)
{
	return WIFSIGNALED(p->status) || WEXITSTATUS(p->status) < POINTS_SAID ||
	    (p->done && p->deed == POINTS_FAIL &&
		(p->number == SYS_unlinkat || p->number == SYS_newfstatat));
}

/* The next session, whatever has become of the one before. */
static void
recover(struct rig *r, const struct points *p, bool delivered)
{
	bool whole, kept;

	if (may_leave_lock(p))
		(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		fail_msg("call %ld (%ld), deed %d, errno %d: %s", p->at,
		    p->number, (int)p->deed, p->error, r->error.text);
	whole = holds(r, before, delivered);
	kept = holds(r, after, delivered);
	if (!whole && !kept)
		fail_msg("call %ld (%ld), deed %d, errno %d: mail is lost",
		    p->at, p->number, (int)p->deed, p->error);
	expect_uids(r, whole);
	if (WIFEXITED(p->status) && strchr(marks, 'D') != NULL &&
	    ((WEXITSTATUS(p->status) == POINTS_SAID + POPPER_DONE && !kept) ||
		(WEXITSTATUS(p->status) == POINTS_SAID + POPPER_NOT_DONE &&
		    !whole)))
		fail_msg(
		    "call %ld (%ld), deed %d, errno %d: outcome %d is a lie",
		    p->at, p->number, (int)p->deed, p->error,
		    WEXITSTATUS(p->status));
	rig_close(r);
	assert_false(rig_exists(r, MBOX_JOURNAL));
	assert_int_equal(access(r->lock, F_OK), -1);
}

static void
clear(struct rig *r)
{
	static const char *const files[] = { "mbox.index", "mbox.index.new",
		MBOX_JOURNAL, MBOX_RESERVE };
	int fd;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(r->state, files[i], 0);
	rig_put(r, before);
	if (most == 0)
		return;
	fd = openat(
	    r->state, MBOX_RESERVE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(__real_fallocate(fd, 0, 0, most), 0);
	(void)close(fd);
}

/* Each call in turn, until there is none left. */
static void
sweep(struct rig *r, enum points_deed deed, int error, bool delivery)
{
	struct points p = { .deed = deed, .error = error };

	do {
		p.at += points_step();
		p.meanwhile = NULL;
		clear(r);
		points_run(&p, session, r);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			fail_msg(
			    "call %ld (%ld), errno %d: killed by signal %d",
			    p.at, p.number, p.error, WTERMSIG(p.status));
		if (delivery)
			deliver(r);
		recover(r, &p, delivery);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 20);
}

static void
try_all(struct rig *r, const char *which)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, ENOMEM };
	size_t count = points_deep() ? 5 : 2;

	marks = which;
	most = 0;
	make_mailboxes(r);
	sweep(r, POINTS_KILL, 0, false);
	sweep(r, POINTS_KILL, 0, true);
	sweep(r, POINTS_SHORT, 0, false);
	for (size_t i = 0; i < count; i++)
		sweep(r, POINTS_FAIL, errors[i], false);
}

/* On a full disk: windows of 512 octets.  Where more was removed they are
 * copied, elsewhere they go through the journal. */
static void
try_small(struct rig *r, const char *which)
{
	marks = which;
	most = 0;
	make_mailboxes(r);
	most = SMALL;
	sweep(r, POINTS_KILL, 0, false);
	sweep(r, POINTS_KILL, 0, true);
	if (points_deep())
		sweep(r, POINTS_SHORT, 0, false);
	sweep(r, POINTS_FAIL, EIO, false);
	if (points_deep())
		sweep(r, POINTS_FAIL, ENOSPC, false);
	most = 0;
}

static void
small_gap(void **state)
{
	try_small(*state, "-------------------D----");
	if (points_deep())
		try_small(*state, "-D----------------------");
}

static void
large_gap(void **state)
{
	try_small(*state, "----------------DDD-----");
	if (points_deep())
		try_small(*state, "DDD---------------------");
}

static void
growing_gap(void **state)
{
	try_small(*state, "--------------D--DD-----");
	if (points_deep())
		try_small(*state, "-D-D-D-D-D-D-D-D-D-D-D-D");
}

static void
first_ones(void **state)
{
	try_all(*state, "DDD---------------------");
}

static void
middle_one(void **state)
{
	try_all(*state, "------------D-----------");
}

static void
last_one(void **state)
{
	try_all(*state, "-----------------------D");
}

static void
every_other(void **state)
{
	try_all(*state, "D-D-D-D-D-D-D-D-D-D-D-D-");
}

static void
all_of_them(void **state)
{
	try_all(*state, "DDDDDDDDDDDDDDDDDDDDDDDD");
}

static void
none_at_all(void **state)
{
	try_all(*state, "------------------------");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    first_ones, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    middle_one, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    last_one, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    every_other, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    all_of_them, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    none_at_all, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    small_gap, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    large_gap, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    growing_gap, rig_setup, rig_teardown),
	};
	int failed = 0;

	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "mbox_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
