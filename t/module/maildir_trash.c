/*
 * maildir_trash.c - what clients delete is kept for a while, and comes back.
 *
 * Runs in: tests.
 */
#include "maildir_bed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400
#define TRASH "Maildir/cur/.popper-trash"

static const unsigned char second[FIVE] = { 0, 1, 0, 0, 0 };
static const unsigned char first_two[FIVE] = { 1, 1, 0, 0, 0 };

static int
set_up(void **state)
{
	conf.trash = 7 * DAY;
	return maildir_set_up(state);
}

static int
tear_down(void **state)
{
	conf.trash = 0;
	return maildir_tear_down(state);
}

#define TRASH_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static uint64_t
undelete(uint64_t since)
{
	uint64_t count = 4711;

	assert_int_equal(drop()->undelete(&bed_host, &conf, &bed.place, since,
			     &count, &error),
	    0);
	return count;
}

static void
drop_these(const unsigned char *marks, size_t left)
{
	void *self = opened();

	assert_int_equal(commit(self, marks), POPPER_DONE);
	drop()->close(self);
	self = opened();
	assert_int_equal(drop()->count(self), left);
	drop()->close(self);
	expect_clean_tmp();
}

/* How many commits are kept?  The name of one is left in ${name}. */
static unsigned
commits(char name[64])
{
	DIR *dir = opendir(bed_path(&bed, TRASH));
	const struct dirent *entry;
	unsigned count = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.') {
			(void)snprintf(name, 64, "%.63s", entry->d_name);
			count++;
		}
	(void)closedir(dir);
	return count;
}

/* Let the only commit be ${seconds} old. */
static void
age(time_t seconds)
{
	char name[64] = "", from[128], to[128];

	assert_int_equal(commits(name), 1);
	(void)snprintf(from, sizeof(from), TRASH "/%s", name);
	(void)snprintf(
	    to, sizeof(to), TRASH "/%lld", (long long)(time(NULL) - seconds));
	bed_move(&bed, from, to);
}

static void
expect_five(void)
{
	char text[32], id[16];
	void *self = opened();

	assert_int_equal(drop()->count(self), FIVE);
	for (unsigned i = 0; i < FIVE; i++) {
		(void)snprintf(text, sizeof(text), "message %u\n", i + 1);
		(void)snprintf(id, sizeof(id), "%u.m", i + 1);
		expect_text(self, i, text);
		assert_string_equal(uid(self, i), id);
	}
	drop()->close(self);
	for (unsigned i = 1; i <= FIVE; i++)
		assert_true(bed_exists(&bed, path_of(i)));
}

static void
one_comes_back(void **state)
{
	char name[64];

	(void)state;
	make_five();
	drop_these(second, FIVE - 1);
	assert_int_equal(commits(name), 1);
	assert_int_equal(undelete(0), 1);
	expect_five();
	assert_int_equal(commits(name), 0);
	assert_int_equal(undelete(0), 0);
}

static void
several_come_back(void **state)
{
	(void)state;
	make_five();
	drop_these(first_two, FIVE - 2);
	assert_int_equal(undelete(0), 2);
	expect_five();
}

/* In one second, too. */
static void
each_commit_is_kept(void **state)
{
	static const unsigned char one[1] = { 1 };
	char name[64];

	(void)state;
	make_five();
	drop_these(first_two, 3);
	drop_these(first_two, 1);
	drop_these(one, 0);
	assert_int_equal(commits(name), 3);
	assert_int_equal(undelete(0), FIVE);
	expect_five();
}

static void
since_is_a_limit(void **state)
{
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	make_five();
	drop_these(first_two, 3);
	age(2 * DAY);
	drop_these(first_two, 1);
	assert_int_equal(undelete(now - DAY), 2);
	assert_int_equal(undelete(now - DAY), 0);
	assert_int_equal(undelete(now - 3 * DAY), 2);
	expect_five();
}

static void
what_is_old_goes(void **state)
{
	char name[64];

	(void)state;
	make_five();
	drop_these(first_two, 3);
	age(7 * DAY - 60);
	drop_these(second, 2);
	assert_int_equal(commits(name), 2);
	assert_int_equal(undelete((uint64_t)time(NULL) - DAY), 1);
	age(7 * DAY + 60);
	drop_these(second, 2);
	assert_int_equal(commits(name), 1);
	assert_int_equal(undelete(0), 1);
	assert_false(bed_exists(&bed, path_of(1)));
}

/* What is old, but still there, comes back first. */
static void
undelete_removes_what_is_old(void **state)
{
	char name[64];

	(void)state;
	make_five();
	drop_these(first_two, 3);
	age(8 * DAY);
	assert_int_equal(undelete((uint64_t)time(NULL) - DAY), 0);
	assert_int_equal(commits(name), 0);
	make_five();
	drop_these(first_two, 3);
	age(8 * DAY);
	assert_int_equal(undelete(0), 2);
}

static void
expiry_is_bounded(void **state)
{
	char path[128], name[64];
	unsigned left = 0;

	(void)state;
	make_five();
	drop_these(second, 4);
	age(8 * DAY);
	assert_int_equal(commits(name), 1);
	(void)snprintf(path, sizeof(path), TRASH "/%s/new", name);
	for (int i = 0; i < 1500; i++) {
		(void)snprintf(
		    path, sizeof(path), TRASH "/%s/new/%d.x", name, i);
		bed_text(&bed, path, "x\n");
	}
	drop_these(second, 3);
	assert_int_equal(commits(name), 2);
	for (int i = 0; i < 1500; i++) {
		(void)snprintf(
		    path, sizeof(path), TRASH "/%s/new/%d.x", name, i);
		left += bed_exists(&bed, path);
	}
	assert_true(left == 0 || (left >= 500 && left < 510));
	drop_these(second, 2);
	assert_int_equal(commits(name), 2);
}

/* A name that is taken is nobody's to give. */
static void
nothing_is_overwritten(void **state)
{
	void *self;

	(void)state;
	make_five();
	drop_these(second, 4);
	bed_text(&bed, path_of(2), "another\n");
	assert_int_equal(undelete(0), 1);
	self = opened();
	assert_int_equal(drop()->count(self), FIVE + 1);
	expect_text(self, 1, "message 2\n");
	expect_text(self, 2, "another\n");
	drop()->close(self);
}

/* Both places taken: it stays where it is, and that is told. */
static void
what_has_no_place_stays(void **state)
{
	uint64_t count = 0;
	char name[64];

	(void)state;
	make_five();
	drop_these(first_two, 3);
	bed_text(&bed, "Maildir/cur/2.m", "another\n");
	bed_text(&bed, "Maildir/new/2.m", "another\n");
	assert_int_equal(
	    drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error),
	    -1);
	assert_int_equal(count, 1);
	assert_non_null(strstr(error.text, "1 messages brought back"));
	assert_int_equal(commits(name), 1);
	bed_remove(&bed, "Maildir/cur/2.m");
	bed_remove(&bed, "Maildir/new/2.m");
	assert_int_equal(undelete(0), 1);
	expect_five();
}

static void
others_files_are_left_alone(void **state)
{
	char name[64];

	(void)state;
	make_five();
	drop_these(second, 4);
	bed_folder(&bed, TRASH "/12x");
	bed_folder(&bed, TRASH "/12.");
	bed_folder(&bed, TRASH "/1234567890123456");
	bed_text(&bed, TRASH "/1", "no folder\n");
	assert_int_equal(symlink("/", bed_path(&bed, TRASH "/2")), 0);
	drop_these(second, 3);
	assert_true(bed_exists(&bed, TRASH "/12x"));
	assert_true(bed_exists(&bed, TRASH "/12."));
	assert_true(bed_exists(&bed, TRASH "/1234567890123456"));
	assert_true(bed_exists(&bed, TRASH "/1"));
	assert_int_equal(commits(name), 7);
}

/* A link in the place of the trash leads nowhere. */
static void
a_link_is_not_followed(void **state)
{
	static const unsigned char marks[FIVE] = { 1, 1, 0, 0, 0 };
	uint64_t count = 0;
	void *self;

	(void)state;
	make_five();
	bed_folder(&bed, "elsewhere");
	assert_int_equal(symlink("../../elsewhere", bed_path(&bed, TRASH)), 0);
	self = opened();
	assert_int_equal(commit(self, marks), POPPER_NOT_DONE);
	drop()->close(self);
	assert_int_equal(
	    drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error),
	    -1);
	bed_remove(&bed, TRASH);
	expect_five();
	assert_int_equal(rmdir(bed_path(&bed, "elsewhere")), 0);
}

static void
quota_is_kept(void **state)
{
	char text[256] = "";
	FILE *file;

	(void)state;
	make_five();
	bed_text(&bed, "Maildir/maildirsize", "1000S\n50 5\n");
	drop_these(first_two, 3);
	assert_int_equal(undelete(0), 2);
	file = fopen(bed_path(&bed, "Maildir/maildirsize"), "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	(void)fclose(file);
	assert_string_equal(text, "1000S\n50 5\n-20 -2\n20 2\n");
}

static void
a_maildir_without_cur(void **state)
{
	static const unsigned char both[2] = { 1, 1 };
	void *self;

	(void)state;
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/cur")), 0);
	bed_text(&bed, "Maildir/new/1.m", "one\n");
	bed_text(&bed, "Maildir/new/2.m", "two\n");
	assert_int_equal(undelete(0), 0);
	drop_these(both, 0);
	assert_int_equal(undelete(0), 2);
	self = opened();
	assert_int_equal(drop()->count(self), 2);
	drop()->close(self);
}

static void
off_by_default(void **state)
{
	char name[64];

	(void)state;
	conf.trash = 0;
	make_five();
	drop_these(first_two, 3);
	assert_int_equal(commits(name), 0);
	assert_false(bed_exists(&bed, TRASH));
	assert_int_equal(undelete(0), 0);
}

/* What was kept goes with the next deletion, not if something is only read. */
static void
switched_off_later(void **state)
{
	static const unsigned char all[FIVE] = { 1, 1, 1, 1, 1 },
				   read[FIVE] = { [1] = POPPER_MARK_SEEN };
	char name[64];

	(void)state;
	make_five();
	drop_these(first_two, 3);
	conf.trash = 0;
	assert_int_equal(undelete(0), 2);
	expect_five();
	conf.trash = 7 * DAY;
	drop_these(first_two, 3);
	age(60);
	conf.trash = 0;
	drop_these(read, 3);
	assert_int_equal(commits(name), 1);
	drop_these(all, 0);
	assert_int_equal(commits(name), 0);
}

/* Nobody does it while there is a session, nor where there is no Maildir. */
static void
others_wait(void **state)
{
	struct collect c;
	uint64_t count;
	void *self;

	(void)state;
	make_five();
	self = opened();
	collect_start(&c);
	assert_int_equal(
	    drop()->recover(&bed_host, &conf, &bed.place, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_IN_USE);
	assert_int_equal(
	    drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error),
	    -1);
	assert_int_equal(error.status, POPPER_IN_USE);
	drop()->close(self);
	bed_move(&bed, "Maildir", "Elsewhere");
	assert_int_equal(
	    drop()->undelete(&bed_host, &conf, &bed.place, 0, &count, &error),
	    -1);
	assert_int_equal(error.status, POPPER_ABSENT);
	bed_move(&bed, "Elsewhere", "Maildir");
	collect_end(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TRASH_TEST(one_comes_back),
		TRASH_TEST(several_come_back),
		TRASH_TEST(each_commit_is_kept),
		TRASH_TEST(since_is_a_limit),
		TRASH_TEST(what_is_old_goes),
		TRASH_TEST(undelete_removes_what_is_old),
		TRASH_TEST(expiry_is_bounded),
		TRASH_TEST(nothing_is_overwritten),
		TRASH_TEST(what_has_no_place_stays),
		TRASH_TEST(others_files_are_left_alone),
		TRASH_TEST(a_link_is_not_followed),
		TRASH_TEST(quota_is_kept),
		TRASH_TEST(a_maildir_without_cur),
		TRASH_TEST(off_by_default),
		TRASH_TEST(switched_off_later),
		TRASH_TEST(others_wait),
	};

	return cmocka_run_group_tests_name("maildir_trash", tests, NULL, NULL);
}
