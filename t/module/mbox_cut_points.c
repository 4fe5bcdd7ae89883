/*
 * mbox_cut_points.c - a commit that only cuts the end of the mbox off, killed
 * at each system call; and before the next login a message comes that is equal
 * to one that went, or has its unique-id.
 *
 * Runs in: tests.  How many copies there are then tells nothing.  All the same
 * the new message is shown, and under no id that another has had; and what went
 * is in the trash.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mbox_dozen.h"
#include "mbox_journal.h"
#include "mbox_trash.h"
#include "points.h"

#define MOST 8

/* What is in the mbox, what goes, and what comes. */
static const struct box {
	const char *texts[MOST]; /* without separator and empty line */
	const char *earlier; /* what a lazy QUIT noted as gone, or NULL */
	const char *marks;
	size_t comes; /* this one, or a copy of it */
	bool ids; /* that must be a new one */
} * box;

static char uids[MOST][POPPER_UID_MAX + 1];
static size_t count; /* of the messages before */
static long points; /* that were tried in all */

static void
deliver(struct rig *r, const char *text)
{
	rig_deliver(r, FROM_A);
	rig_deliver(r, text);
	rig_deliver(r, "\n");
}

static void
put(struct rig *r)
{
	dozen_clear(r->state, ".");
	(void)unlink(r->lock);
	rig_put(r, "");
	count = strlen(box->earlier != NULL ? box->earlier : box->marks);
	for (size_t i = 0; i < count; i++)
		deliver(r, box->texts[i]);
	rig_open(r);
	for (size_t i = 0; i < count; i++)
		rig_uid(r, i, uids[i]);
	if (box->earlier != NULL) {
		if (rig_commit(r, box->earlier) != POPPER_DONE)
			fail_msg("%s", r->error.text);
		assert_true(rig_exists(r, "waste"));
	}
	rig_close(r);
}

/* How often is a message shown? */
static size_t
shown(struct rig *r, const char *text)
{
	size_t n = 0, all = r->drop->count(r->self);

	for (size_t i = 0; i < all; i++) {
		struct popper_slice got = rig_read(r, i, 0);

		n += strcmp(got.ptr, text) == 0;
		free((void *)(uintptr_t)got.ptr);
	}
	return n;
}

static size_t
had(const char *text)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += strcmp(box->texts[i], text) == 0;
	return n;
}

static bool
has_uid(struct rig *r, const char *wanted, size_t all)
{
	char uid[POPPER_UID_MAX + 1];

	for (size_t i = 0; i < all; i++) {
		rig_uid(r, i, uid);
		if (strcmp(uid, wanted) == 0)
			return true;
	}
	return false;
}

/* The new message is the last one, and its id was nobody's. */
static bool
is_new(struct rig *r)
{
	char uid[POPPER_UID_MAX + 1];
	size_t all = r->drop->count(r->self);

	rig_uid(r, all - 1, uid);
	for (size_t i = 0; i < count; i++)
		if (strcmp(uid, uids[i]) == 0)
			return false;
	return true;
}

static void
fail_at(const struct points *p, const struct points *again, const char *what)
{
	fail_msg("calls %ld (%ld) and %ld: %s", p->at, p->number,
	    again == NULL ? 0 : again->at, what);
}

/* All that was there is there again, and what came, too. */
static bool
is_all_back(struct rig *r)
{
	size_t all = r->drop->count(r->self);

	if (all != count + 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (shown(r, box->texts[i]) < had(box->texts[i]) ||
		    (box->ids && !has_uid(r, uids[i], all)))
			return false;
	return true;
}

/* The next session, and an undelete. */
static void
look(struct rig *r, const struct points *p, const struct points *again)
{
	const char *new = box->texts[box->comes];
	uint64_t back;
	size_t all;

	(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		fail_at(p, again, r->error.text);
	all = r->drop->count(r->self);
	/* Nothing was removed, or all that was marked. */
	if (box->earlier == NULL && all != count + 1 &&
	    all != (size_t)(strchr(box->marks, 'D') - box->marks) + 1)
		fail_at(p, again, "mail is missing");
	if (shown(r, new) < 1 || (box->earlier != NULL && shown(r, new) > 1))
		fail_at(p, again, "what came is not shown");
	if (box->ids && !is_new(r))
		fail_at(p, again, "what came has an old id");
	rig_close(r);
	if (r->conf.trash == 0)
		return;
	if (rig_undelete(r, 0, &back) == -1)
		fail_at(p, again, r->error.text);
	rig_open(r);
	if (!is_all_back(r))
		fail_at(p, again, "not all is back");
	rig_close(r);
}

/* Who comes after a crash. */
static int
enter(void *arg)
{
	points_begin();
	if (rig_try_open(arg) == 0)
		rig_close(arg);
	return POINTS_SAID;
}

/* Killed at each call. */
static void
sweep(struct rig *r)
{
	struct points p = { .deed = POINTS_KILL };

	do {
		p.at += points_step();
		put(r);
		points_run(&p, dozen_commit, r);
		deliver(r, box->texts[box->comes]);
		look(r, &p, NULL);
		points += p.done;
	} while (p.seen >= p.at);
	assert_true(p.at > 15);
}

/* And killed again while that is put right. */
static void
sweep_twice(struct rig *r, long step)
{
	struct points p = { .deed = POINTS_KILL }, again;

	for (p.at = 1; p.at == 1 || p.seen >= p.at - step; p.at += step) {
		again = (struct points){ .deed = POINTS_KILL };
		do {
			again.at += points_step();
			put(r);
			points_run(&p, dozen_commit, r);
			(void)unlink(r->lock);
			deliver(r, box->texts[box->comes]);
			points_run(&again, enter, r);
			look(r, &p, &again);
			points += again.done;
		} while (again.seen >= again.at);
	}
}

static void
try_all(struct rig *r, const struct box *what)
{
	box = what;
	dozen_marks = box->marks;
	sweep(r);
	sweep_twice(r, points_deep() ? 3 : 31);
}

#define TWIN "Twin: yes\n\nBody\n"
#define MINE "X-UIDL: mine\n\nThe first\n"

static const struct box twins = { .texts = { "Number: 1\n\nOne\n",
				      "Number: 2\n\nTwo\n", TWIN, TWIN },
	.marks = "---D",
	.comes = 3,
	.ids = true };

static void
equal_messages(void **state)
{
	try_all(*state, &twins);
}

static void
equal_messages_and_trash(void **state)
{
	struct rig *r = *state;

	r->conf.trash = 86400;
	try_all(r, &twins);
}

/* What is on record of twins is settled also if all messages go. */
static void
the_last_of_equal_messages(void **state)
{
	struct points p = { .deed = POINTS_KILL, .at = 1 };
	char uid[POPPER_UID_MAX + 1];
	struct rig *r = *state;

	box = &twins;
	for (; p.at == 1 || p.seen >= p.at - 1; p.at++) {
		put(r);
		rig_open(r);
		assert_int_equal(rig_commit(r, "DDD-"), POPPER_DONE);
		rig_close(r);
		dozen_marks = "D";
		points_run(&p, dozen_commit, r);
		(void)unlink(r->lock);
		deliver(r, TWIN);
		rig_open(r);
		rig_uid(r, r->drop->count(r->self) - 1, uid);
		if (strcmp(uid, uids[3]) == 0)
			fail_at(&p, NULL, "what came has the id of the last");
		rig_close(r);
		points += p.done;
	}
}

static void
one_id_and_trash(void **state)
{
	static const struct box same = { .texts = { "Number: 1\n\nOne\n", MINE,
					     "X-UIDL: mine\n\nAnother\n" },
		.marks = "-D",
		.comes = 2 };
	struct rig *r = *state;

	r->conf.trash = 86400;
	try_all(r, &same);
}

/* What was only noted as gone goes, too. */
static void
noted_messages(void **state)
{
	static const struct box noted = { .texts = { "Number: 1\n\nOne\n",
					      "Number: 2\n\nTwo\n",
					      "Number: 3\n\nThree\n" },
		.earlier = "-D-",
		.marks = "-D",
		.comes = 1 };
	struct rig *r = *state;

	r->conf.purge = "lazy";
	try_all(r, &noted);
}

/* Has a journal been written since? */
static bool
is_journalled(struct rig *r, const struct box *what)
{
	char magic[sizeof(MBOX_JOURNAL_MAGIC)] = "";
	int fd;

	box = what;
	put(r);
	fd = openat(r->state, MBOX_RESERVE, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	rig_open(r);
	assert_int_equal(rig_commit(r, box->marks), POPPER_DONE);
	rig_close(r);
	assert_int_not_equal(pread(fd, magic, sizeof(magic) - 1, 0), -1);
	(void)close(fd);
	return strcmp(magic, MBOX_JOURNAL_MAGIC) == 0;
}

static void
no_journal_for_nothing(void **state)
{
	static const struct box plain = { .texts = { "Number: 1\n\nOne\n",
					      "Number: 2\n\nTwo\n" },
		.marks = "-D" };

	assert_false(is_journalled(*state, &plain));
	assert_true(is_journalled(*state, &twins));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(equal_messages),
		TEST(equal_messages_and_trash),
		TEST(the_last_of_equal_messages),
		TEST(one_id_and_trash),
		TEST(noted_messages),
		TEST(no_journal_for_nothing),
	};
	int failed = 0;

	if (points_usable())
		failed = cmocka_run_group_tests_name(
		    "mbox_cut_points", tests, NULL, NULL);
	else
		puts("1..0 # SKIP no registers known");
	fprintf(stderr, "# %ld points\n", points);
	return failed;
}
