/*
 * maildir_trash_points.c - a session that keeps what it deletes, and undelete,
 * killed or failing at each system call.
 *
 * Runs in: tests.  Whatever happens, each message is in the Maildir or in the
 * trash, once, with its octets and unique-id; what the commit said is true; and
 * another undelete brings all of them back.
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
#define TRASH "Maildir/cur/.popper-trash"

static const char *which; /* "D" for each that is to go */
/* Those the session has seen of them; the child writes, the parent reads. */
static char *marked;
static long points; /* that were tried in all */

static void
put(int i)
{
	char name[64], text[64];

	(void)snprintf(name, sizeof(name),
	    i % 2 ? "Maildir/cur/%d.m:2,S" : "Maildir/new/%d.m", i);
	(void)snprintf(text, sizeof(text), "message %d\n.\n", i);
	bed_text(&bed, name, text);
}

/* Mark what is to go, by unique-id. */
static int
mark(void *self, size_t count, unsigned char *marks)
{
	struct popper_message message;
	long number;

	for (size_t i = 0; i < count; i++) {
		if (drop()->describe(
			self, i, POPPER_WANT_UID, &message, &error) == -1)
			return -1;
		number = strtol(message.uid, NULL, 10);
		if (number <= MAIL && which[number - 1] == 'D')
			marks[i] = POPPER_MARK_DELETED;
		if (marks[i] != 0)
			marked[number - 1] = 'D';
	}
	return 0;
}

/* In the child: a session; it exits with the outcome. */
static int
session(void *arg)
{
	unsigned char marks[MAIL] = { 0 };
	struct popper_changes changes = { .size = sizeof(changes),
		.marks = marks };
	enum popper_outcome outcome;
	void *self = NULL;

	(void)arg;
	points_begin();
	if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	changes.count = drop()->count(self);
	if (mark(self, changes.count, marks) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	outcome = drop()->commit(self, &changes, &error);
	drop()->close(self);
	return POINTS_SAID + (int)outcome;
}

/* In the child: it exits with 0, or 1 if it failed. */
static int
bring_back(void *arg)
{
	uint64_t count;

	(void)arg;
	points_begin();
	return POINTS_SAID -
	    drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error);
}

static uint64_t
undelete(void)
{
	uint64_t count = 0;

	if (drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error) ==
	    -1)
		fail_msg("undelete: %s", error.text);
	return count;
}

/* Are there exactly the messages whose place in ${gone} has no "D"? */
static bool
holds(const char *gone)
{
	char text[64], id[16];
	void *self = opened();
	struct collect c;
	size_t n = 0;
	bool same = true;

	for (int i = 1; i <= MAIL && same; i++) {
		if (gone[i - 1] == 'D')
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
	same = same && n == drop()->count(self);
	drop()->close(self);
	return same;
}

static void
wrong(const struct points *p, const char *what)
{
	fail_msg("call %ld (%ld), deed %d, errno %d: %s", p->at, p->number,
	    (int)p->deed, p->error, what);
}

/* All messages, in a Maildir without any trash. */
static void
make_mail(void)
{
	struct popper_changes changes = { .size = sizeof(changes) };
	unsigned char all[MAIL];
	void *self = opened();

	memset(all, POPPER_MARK_DELETED, sizeof(all));
	changes.count = drop()->count(self);
	changes.marks = all;
	conf.trash = 0;
	drop()->close(self);
	self = opened();
	assert_int_equal(drop()->commit(self, &changes, &error), POPPER_DONE);
	drop()->close(self);
	assert_int_equal(undelete(), 0);
	conf.trash = 7 * 86400;
	for (int i = 1; i <= MAIL; i++)
		put(i);
}

static void
judge_commit(const struct points *p)
{
	bool kept = holds(marked), whole = holds("--------");
	int said = WIFEXITED(p->status) ? WEXITSTATUS(p->status) : 0;

	if (!kept && !whole)
		wrong(p, "mail is lost");
	if (strchr(marked, 'D') != NULL &&
	    ((said == POINTS_SAID + POPPER_DONE && !kept) ||
		(said == POINTS_SAID + POPPER_NOT_DONE && !whole)))
		wrong(p, "the outcome is a lie");
	expect_clean_tmp();
	(void)undelete();
	if (!holds("--------"))
		wrong(p, "what was removed does not come back");
}

static void
judge_undelete(const struct points *p)
{
	if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == POINTS_SAID &&
	    !holds("--------"))
		wrong(p, "it was said that all are back");
	(void)undelete();
	if (!holds("--------"))
		wrong(p, "mail is lost");
	expect_clean_tmp();
}

/* Each call in turn, until there is none left. */
static void
sweep(enum points_deed deed, int error_number, bool back)
{
	struct points p = { .deed = deed, .error = error_number };

	do {
		p.at += points_step();
		make_mail();
		(void)strcpy(marked, "--------");
		if (back)
			(void)session(NULL);
		points_run(&p, back ? bring_back : session, NULL);
		if (WIFSIGNALED(p.status) && deed != POINTS_KILL)
			wrong(&p, "killed by a signal");
		if (back)
			judge_undelete(&p);
		else
			judge_commit(&p);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 15);
}

static void
try_all(const char *marks)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, EINTR, ENOMEM };
	size_t count = points_deep() ? 5 : 2;

	which = marks;
	for (int back = 0; back <= 1; back++) {
		sweep(POINTS_KILL, 0, back);
		for (size_t i = 0; i < count; i++)
			sweep(POINTS_FAIL, errors[i], back);
	}
}

static void
single_one(void **state)
{
	(void)state;
	try_all("---D----");
}

static void
every_other(void **state)
{
	(void)state;
	try_all("D-D-D-D-");
}

static void
first_ones(void **state)
{
	(void)state;
	try_all("DD------");
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
		MAILDIR_TEST(single_one),
		MAILDIR_TEST(every_other),
		MAILDIR_TEST(first_ones),
		MAILDIR_TEST(all_of_them),
	};
	int failed = 0;

	marked = mmap(NULL, MAIL + 1, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (marked == MAP_FAILED)
		return 1;
	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "maildir_trash_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
