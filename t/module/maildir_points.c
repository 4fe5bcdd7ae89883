/*
 * maildir_points.c - a session that is killed, or fails, at each system call.
 *
 * Runs in: tests.  Whatever happens, the next session finds all messages or
 * exactly those that were to stay, with their octets and unique-ids, and those
 * that were delivered meanwhile; and what the commit said is true.
 */
#include "maildir_bed.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "points.h"

#define MAIL 8 /* 1.m to 8.m */
#define NEW 9 /* 9.m, delivered meanwhile */

static const char *which; /* "D" for each that is to go */
/* Those the session has seen of them: who cannot be read is left alone.  The
 * child writes, the parent reads. */
static char *marked;
static long points; /* that were tried in all */

static void
put(int i)
{
	char name[64], text[64];

	(void)snprintf(name, sizeof(name),
	    i % 2 && i != NEW ? "Maildir/cur/%d.m:2,S" : "Maildir/new/%d.m", i);
	(void)snprintf(text, sizeof(text), "message %d\n.\n", i);
	bed_text(&bed, name, text);
}

static void
deliver(void *arg)
{
	(void)arg;
	put(NEW);
}

/* In the child: a session; it exits with the outcome.  A message that cannot
 * be read is not shown, so marks go by unique-id. */
static int
session(void *arg)
{
	unsigned char marks[MAIL + 1] = { 0 };
	struct popper_changes changes = { .size = sizeof(changes),
		.marks = marks };
	struct popper_message message;
	enum popper_outcome outcome;
	void *self = NULL;
	long number;

	(void)arg;
	points_begin();
	if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	changes.count = drop()->count(self);
	for (size_t i = 0; i < changes.count; i++) {
		if (drop()->describe(
			self, i, POPPER_WANT_UID, &message, &error) == -1)
			_exit(1);
		number = strtol(message.uid, NULL, 10);
		if (number <= MAIL && which[number - 1] == 'D')
			marks[i] = POPPER_MARK_DELETED;
		if (marks[i] != 0)
			marked[number - 1] = 'D';
	}
	outcome = drop()->commit(self, &changes, &error);
	drop()->close(self);
	return POINTS_SAID + (int)outcome;
}

/* Are there exactly the messages whose place in ${gone} has no "D"? */
static bool
holds(void *self, const char *gone, bool delivered)
{
	char text[64], id[16];
	struct collect c;
	size_t n = 0;
	bool same = true;

	for (int i = 1; i <= NEW && same; i++) {
		if (i == NEW ? !delivered : gone[i - 1] == 'D')
			continue;
		(void)snprintf(text, sizeof(text), "message %d\n.\n", i);
		(void)snprintf(id, sizeof(id), "%d.m", i);
		collect_start(&c);
		same = n < drop()->count(self) &&
		    drop()->read(self, n, 0, &c.sink, &error) == 0 &&
		    c.len == strlen(text) && memcmp(c.ptr, text, c.len) == 0 &&
		    strcmp(uid(self, n), id) == 0;
		collect_end(&c);
		n++;
	}
	return same && n == drop()->count(self);
}

static void
recover(const struct points *p, bool delivered)
{
	void *self = opened();
	bool whole = holds(self, "--------", delivered);
	bool kept = holds(self, marked, delivered);

	drop()->close(self);
	if (!whole && !kept)
		fail_msg("call %ld (%ld), deed %d, errno %d: mail is lost",
		    p->at, p->number, (int)p->deed, p->error);
	if (WIFEXITED(p->status) && strchr(marked, 'D') != NULL &&
	    ((WEXITSTATUS(p->status) == POINTS_SAID + POPPER_DONE && !kept) ||
		(WEXITSTATUS(p->status) == POINTS_SAID + POPPER_NOT_DONE &&
		    !whole)))
		fail_msg("call %ld (%ld), deed %d, errno %d: outcome %d is a "
			 "lie",
		    p->at, p->number, (int)p->deed, p->error,
		    WEXITSTATUS(p->status));
	expect_clean_tmp();
}

static void
make_mail(void)
{
	unsigned char all[MAIL + 1];
	struct popper_changes changes = { .size = sizeof(changes),
		.marks = all };
	void *self = opened();

	memset(all, POPPER_MARK_DELETED, sizeof(all));
	changes.count = drop()->count(self);
	assert_int_equal(drop()->commit(self, &changes, &error), POPPER_DONE);
	drop()->close(self);
	for (int i = 1; i <= MAIL; i++)
		put(i);
}

/* Each call in turn, until there is none left. */
static void
sweep(enum points_deed deed, int error_number, bool delivery)
{
	struct points p = { .deed = deed,
		.error = error_number,
		.meanwhile = delivery ? deliver : NULL };

	do {
		p.at += points_step();
		make_mail();
		(void)strcpy(marked, "--------");
		points_run(&p, session, NULL);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			fail_msg(
			    "call %ld (%ld), errno %d: killed by signal %d",
			    p.at, p.number, p.error, WTERMSIG(p.status));
		recover(&p, delivery && p.seen >= p.at);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 20);
}

static void
try_all(const char *marks)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, ENOMEM };
	size_t count = points_deep() ? 5 : 2;

	which = marks;
	sweep(POINTS_KILL, 0, false);
	sweep(POINTS_KILL, 0, true);
	sweep(POINTS_SHORT, 0, false);
	for (size_t i = 0; i < count; i++)
		sweep(POINTS_FAIL, errors[i], i % 2 == 0);
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

static void
none_at_all(void **state)
{
	(void)state;
	try_all("--------");
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
		MAILDIR_TEST(none_at_all),
	};
	int failed = 0;

	marked = mmap(NULL, MAIL + 1, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (marked == MAP_FAILED)
		return 1;
	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "maildir_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
