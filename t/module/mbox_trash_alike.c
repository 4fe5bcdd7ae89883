/*
 * mbox_trash_alike.c - messages that share an id which they brought along, and
 * other programs that number them anew: what comes back?
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mbox_trash.h"

#define ONE FROM_A "X-UIDL: mine\nSubject: 1\n\nThe first\n\n"
#define TWO FROM_A "X-UIDL: mine\nSubject: 2\n\nThe second\n\n"
#define TWO_READ FROM_A "X-UIDL: mine\nSubject: 2\nStatus: RO\n\nThe second\n\n"
#define OTHER FROM_B "Subject: other\n\nText\n\n"
#define PLAIN FROM_B "Subject: plain\n\nText\n\n"

/* An mbox, what a session deletes of it, and what is played back then. */
static void
play(struct rig *r, const char *mbox, const char *marks, const char *then)
{
	r->conf.trash = 86400;
	rig_put(r, mbox);
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	rig_close(r);
	if (then != NULL)
		rig_put(r, then);
}

/* An undelete lets the mbox be that. */
static void
expect_undeleted(struct rig *r, const char *mbox)
{
	uint64_t count;

	if (rig_undelete(r, 0, &count) == -1)
		fail_msg("undelete: %s", r->error.text);
	rig_expect(r, mbox);
	assert_int_equal(rig_undelete(r, 0, &count), 0);
	assert_int_equal(count, 0);
}

static void
one_is_played_back(void **state)
{
	play(*state, ONE TWO, "-D", ONE TWO);
	expect_undeleted(*state, ONE TWO);
}

static void
one_is_played_back_in_front(void **state)
{
	play(*state, ONE TWO OTHER, "-D-", TWO ONE OTHER);
	expect_undeleted(*state, TWO ONE OTHER);
}

static void
both_are_played_back_in_another_order(void **state)
{
	play(*state, ONE OTHER TWO, "D-D", TWO OTHER ONE);
	expect_undeleted(*state, TWO OTHER ONE);
}

static void
one_of_both_is_played_back(void **state)
{
	play(*state, ONE TWO, "DD", TWO);
	expect_undeleted(*state, TWO ONE);
}

/* What stayed is no copy that was played back. */
static void
equal_ones_come_back(void **state)
{
	play(*state, ONE TWO TWO_READ, "--D", NULL);
	expect_undeleted(*state, ONE TWO TWO_READ);
	play(*state, TWO TWO ONE, "D-D", TWO ONE);
	expect_undeleted(*state, TWO ONE TWO);
	play(*state, PLAIN OTHER PLAIN, "D--", NULL);
	expect_undeleted(*state, OTHER PLAIN PLAIN);
}

/* Two of them, and one is there again. */
static void
each_counts_once(void **state)
{
	play(*state, TWO ONE TWO, "D-D", ONE TWO);
	expect_undeleted(*state, ONE TWO TWO);
}

/* One that does not tell what stayed. */
static void
older_list(void **state)
{
	struct rig *r = *state;
	struct mbox_batch b = { .list = NULL };
	int trash;
	FILE *f;

	play(r, ONE TWO, "DD", NULL);
	trash = openat(r->state, MBOX_TRASH, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(trash, -1);
	f = fdopen(openat(trash, "1.ids", O_WRONLY | O_CREAT, 0600), "w");
	assert_non_null(f);
	(void)fputs("popper mbox trash 1\nkept 1\n"
		    "0 5 AAAAAAAAAAAAAAAAAAAAAA 2 3\n"
		    "5 5 AAAAAAAAAAAAAAAAAAAAAA 3 3 0\nend\n",
	    f);
	(void)fclose(f);
	assert_int_equal(mbox_batch_read(trash, "1", &b), 1);
	assert_int_equal(b.count, 2);
	assert_true(b.list[0].alike);
	assert_false(b.list[1].alike);
	mbox_batch_free(&b);
	(void)close(trash);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_is_played_back),
		TEST(one_is_played_back_in_front),
		TEST(both_are_played_back_in_another_order),
		TEST(one_of_both_is_played_back),
		TEST(equal_ones_come_back),
		TEST(each_counts_once),
		TEST(older_list),
	};

	return cmocka_run_group_tests_name(
	    "mbox_trash_alike", tests, NULL, NULL);
}
