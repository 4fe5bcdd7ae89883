/*
 * maildir_commit.c - what UPDATE removes, and what it leaves.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every subset of five messages, with a delivery in between. */
static void
exactly_the_marked_are_removed(void **state)
{
	unsigned char marks[FIVE];
	unsigned set, i;
	void *self;

	(void)state;
	for (set = 0; set < 1u << FIVE; set++) {
		make_five();
		self = opened();
		assert_int_equal(drop()->count(self), FIVE);
		bed_text(&bed, "Maildir/new/0.delivered", "new\n");
		for (i = 0; i < FIVE; i++)
			marks[i] = set >> i & 1 ? POPPER_MARK_DELETED : 0;
		assert_int_equal(commit(self, marks), POPPER_DONE);
		drop()->close(self);
		for (i = 0; i < FIVE; i++)
			assert_int_equal(
			    bed_exists(&bed, path_of(i + 1)), !(set >> i & 1));
		expect_clean_tmp();
		bed_remove(&bed, "Maildir/new/0.delivered");
	}
}

static void
closing_removes_nothing(void **state)
{
	void *self;
	unsigned i;

	(void)state;
	make_five();
	self = opened();
	drop()->close(self);
	drop()->close(NULL);
	for (i = 1; i <= FIVE; i++)
		assert_true(bed_exists(&bed, path_of(i)));
}

static void
renamed_messages_are_removed(void **state)
{
	static const unsigned char all[FIVE] = { 1, 1, 0, 1, 0 };
	void *self;

	(void)state;
	make_five();
	self = opened();
	bed_move(&bed, "Maildir/cur/1.m:2,", "Maildir/cur/1.m:2,S");
	bed_move(&bed, "Maildir/new/2.m", "Maildir/cur/2.m:2,RS");
	bed_move(&bed, "Maildir/cur/3.m:2,", "Maildir/cur/3.m:2,F");
	assert_int_equal(commit(self, all), POPPER_DONE);
	drop()->close(self);
	assert_false(bed_exists(&bed, "Maildir/cur/1.m:2,S"));
	assert_false(bed_exists(&bed, "Maildir/cur/2.m:2,RS"));
	assert_true(bed_exists(&bed, "Maildir/cur/3.m:2,F"));
	assert_false(bed_exists(&bed, "Maildir/new/4.m"));
	expect_clean_tmp();
}

static void
one_renamed_message_is_removed(void **state)
{
	static const unsigned char second[FIVE] = { 0, 1, 0, 0, 0 };
	void *self;

	(void)state;
	make_five();
	self = opened();
	bed_move(&bed, "Maildir/new/2.m", "Maildir/cur/2.m:2,S");
	assert_int_equal(commit(self, second), POPPER_DONE);
	drop()->close(self);
	assert_false(bed_exists(&bed, "Maildir/cur/2.m:2,S"));
}

static void
what_is_gone_counts_as_removed(void **state)
{
	static const unsigned char some[FIVE] = { 1, 1, 0, 0, 0 };
	static const unsigned char one[3] = { 1, 0, 0 };
	void *self;

	(void)state;
	make_five();
	self = opened();
	bed_remove(&bed, "Maildir/cur/1.m:2,");
	assert_int_equal(commit(self, some), POPPER_DONE);
	drop()->close(self);
	assert_false(bed_exists(&bed, "Maildir/new/2.m"));
	self = opened();
	bed_remove(&bed, "Maildir/cur/3.m:2,");
	assert_int_equal(commit(self, one), POPPER_DONE);
	drop()->close(self);
	assert_true(bed_exists(&bed, path_of(4)));
	assert_true(bed_exists(&bed, path_of(5)));
}

/* The marked twin is gone; the other has its base but is not marked. */
static void
the_other_twin_is_not_removed(void **state)
{
	static const unsigned char first[2] = { 1, 0 };
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/cur/1.x:2,S", "cur\n");
	bed_text(&bed, "Maildir/new/1.x", "new\n");
	self = opened();
	bed_remove(&bed, "Maildir/cur/1.x:2,S");
	bed_move(&bed, "Maildir/new/1.x", "Maildir/cur/1.x:2,");
	assert_int_equal(commit(self, first), POPPER_DONE);
	drop()->close(self);
	assert_true(bed_exists(&bed, "Maildir/cur/1.x:2,"));
}

/* The same name in new and in cur. */
static void
twins_of_one_name_are_removed(void **state)
{
	static const unsigned char both[2] = { 1, 1 };
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/cur/1.x", "cur\n");
	bed_text(&bed, "Maildir/new/1.x", "new\n");
	self = opened();
	assert_int_equal(commit(self, both), POPPER_DONE);
	drop()->close(self);
	assert_false(bed_exists(&bed, "Maildir/cur/1.x"));
	assert_false(bed_exists(&bed, "Maildir/new/1.x"));
	expect_clean_tmp();
}

static void
quota_file_is_kept(void **state)
{
	static const unsigned char marks[FIVE] = { 1, 1, 0, 0, 1 };
	char text[64] = "";
	void *self;
	int fd;

	(void)state;
	make_five();
	bed_text(&bed, "Maildir/maildirsize", "1000S\n55 5\n");
	bed_move(&bed, "Maildir/cur/5.m:2,", "Maildir/cur/5.m:2,T");
	self = opened();
	assert_int_equal(commit(self, marks), POPPER_DONE);
	drop()->close(self);
	fd = open(bed_path(&bed, "Maildir/maildirsize"), O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	(void)close(fd);
	assert_string_equal(text, "1000S\n55 5\n-20 -2\n");
}

static void
tmp_may_be_missing(void **state)
{
	static const unsigned char all[FIVE] = { 1, 1, 1, 1, 1 };
	void *self;

	(void)state;
	make_five();
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/tmp")), 0);
	self = opened();
	assert_int_equal(commit(self, all), POPPER_DONE);
	drop()->close(self);
	self = opened();
	assert_int_equal(drop()->count(self), 0);
	drop()->close(self);
}

static void
seen_messages_move_to_cur(void **state)
{
	static const unsigned char marks[FIVE] = { 2, 2, 3, 2, 0 };
	void *self;

	(void)state;
	make_five();
	bed_move(&bed, "Maildir/cur/1.m:2,", "Maildir/cur/1.m:2,RTa");
	conf.mark_seen = true;
	self = opened();
	assert_int_equal(commit(self, marks), POPPER_DONE);
	drop()->close(self);
	assert_true(bed_exists(&bed, "Maildir/cur/1.m:2,RSTa"));
	assert_true(bed_exists(&bed, "Maildir/cur/2.m:2,S"));
	assert_false(bed_exists(&bed, "Maildir/cur/3.m:2,"));
	assert_true(bed_exists(&bed, "Maildir/cur/4.m:2,S"));
	assert_true(bed_exists(&bed, "Maildir/cur/5.m:2,"));
}

static void
seen_is_not_marked_unless_asked(void **state)
{
	static const unsigned char marks[FIVE] = { 2, 2, 2, 2, 2 };
	void *self;
	unsigned i;

	(void)state;
	make_five();
	self = opened();
	assert_int_equal(commit(self, marks), POPPER_DONE);
	drop()->close(self);
	for (i = 1; i <= FIVE; i++)
		assert_true(bed_exists(&bed, path_of(i)));
}

/* --- Folders that may not be written. --- */

static int
commit_read_only(void *arg)
{
	const unsigned char *marks = arg;
	void *self = NULL;
	unsigned i;

	CHECK(chmod(bed_path(&bed, "Maildir/cur"), 0500) == 0);
	CHECK(drop()->open(&bed_host, &conf, &bed.place, &self, &error) == 0);
	CHECK(drop()->count(self) == FIVE);
	CHECK(commit(self, marks) == POPPER_NOT_DONE);
	CHECK(error.status == POPPER_TEMPORARY && error.text[0] != '\0');
	drop()->close(self);
	CHECK(chmod(bed_path(&bed, "Maildir/cur"), 0700) == 0);
	for (i = 1; i <= FIVE; i++)
		CHECK(bed_exists(&bed, path_of(i)));
	CHECK(rmdir(bed_path(&bed, "Maildir/tmp")) == 0);
	CHECK(mkdir(bed_path(&bed, "Maildir/tmp"), 0700) == 0);
	return 0;
}

static void
read_only_folder_keeps_everything(void **state)
{
	static unsigned char marks[][FIVE] = { { 1, 1, 1, 1, 1 },
		{ 0, 1, 0, 0, 1 }, { 1, 0, 0, 0, 0 } };
	size_t i;

	(void)state;
	make_five();
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		assert_int_equal(
		    bed_as_nobody(&bed, commit_read_only, marks[i]), 0);
}

static int
commit_without_tmp(void *arg)
{
	static const unsigned char all[FIVE] = { 1, 1, 1, 1, 1 };
	void *self = NULL;
	unsigned i;

	(void)arg;
	CHECK(chmod(bed_path(&bed, "Maildir/tmp"), 0500) == 0);
	CHECK(drop()->open(&bed_host, &conf, &bed.place, &self, &error) == 0);
	CHECK(commit(self, all) == POPPER_NOT_DONE);
	drop()->close(self);
	for (i = 1; i <= FIVE; i++)
		CHECK(bed_exists(&bed, path_of(i)));
	CHECK(chmod(bed_path(&bed, "Maildir/tmp"), 0700) == 0);
	return 0;
}

static void
read_only_tmp_keeps_everything(void **state)
{
	(void)state;
	make_five();
	assert_int_equal(bed_as_nobody(&bed, commit_without_tmp, NULL), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(exactly_the_marked_are_removed),
		MAILDIR_TEST(closing_removes_nothing),
		MAILDIR_TEST(renamed_messages_are_removed),
		MAILDIR_TEST(one_renamed_message_is_removed),
		MAILDIR_TEST(what_is_gone_counts_as_removed),
		MAILDIR_TEST(the_other_twin_is_not_removed),
		MAILDIR_TEST(twins_of_one_name_are_removed),
		MAILDIR_TEST(quota_file_is_kept),
		MAILDIR_TEST(tmp_may_be_missing),
		MAILDIR_TEST(seen_messages_move_to_cur),
		MAILDIR_TEST(seen_is_not_marked_unless_asked),
		MAILDIR_TEST(read_only_folder_keeps_everything),
		MAILDIR_TEST(read_only_tmp_keeps_everything),
	};

	return cmocka_run_group_tests_name("maildir_commit", tests, NULL, NULL);
}
