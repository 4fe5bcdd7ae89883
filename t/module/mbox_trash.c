/*
 * mbox_trash.c - what a commit removes is kept, and comes back.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mbox_trash.h"

#define A FROM_A "Subject: A\n\nText of A\n\n"
#define B FROM_B "Subject: B\nStatus: RO\n\nText of B\n\n"
#define C FROM_B "Subject: C\n\nText of C\n\n"
#define DAY 86400

/* A session that commits. */
static void
session(struct rig *r, const char *marks)
{
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	rig_close(r);
	assert_false(rig_exists(r, MBOX_TRASH_NOTE));
}

/* Bring everything back. */
static void
expect_undeleted(struct rig *r, uint64_t count)
{
	uint64_t n = 0;

	if (rig_undelete(r, 0, &n) == -1)
		fail_msg("undelete: %s", r->error.text);
	assert_int_equal(n, count);
	assert_int_equal(access(r->lock, F_OK), -1);
	assert_false(rig_exists(r, MBOX_TRASH_NOTE));
}

/* How many files are in the trash; the name of one without its suffix. */
static size_t
trash(struct rig *r, char name[MBOX_BATCH_NAME])
{
	int fd = openat(r->state, MBOX_TRASH, O_RDONLY | O_CLOEXEC);
	const struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (fd == -1)
		return 0;
	assert_non_null(dir = fdopendir(fd));
	while ((entry = readdir(dir)) != NULL)
		if (*entry->d_name != '.') {
			n++;
			(void)snprintf(name, MBOX_BATCH_NAME, "%.*s",
			    (int)strcspn(entry->d_name, ".mi"), entry->d_name);
		}
	(void)closedir(dir);
	return n;
}

/* Make the only batch as old as that. */
static void
age(struct rig *r, long seconds)
{
	char name[MBOX_BATCH_NAME], from[96], to[96];
	static const char *const suffix[] = { "mbox", "ids" };

	assert_int_equal(trash(r, name), 2);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(
		    from, sizeof(from), MBOX_TRASH "/%s.%s", name, suffix[i]);
		(void)snprintf(to, sizeof(to), MBOX_TRASH "/%ld.%s",
		    (long)time(NULL) - seconds, suffix[i]);
		assert_int_equal(renameat(r->state, from, r->state, to), 0);
	}
}

static void
comes_back(void **state)
{
	struct rig *r = *state;
	char name[MBOX_BATCH_NAME], path[160], before[71], after[71];
	struct popper_slice kept;

	r->conf.trash = 7 * DAY;
	rig_put(r, A B C);
	rig_open(r);
	rig_uid(r, 1, before);
	rig_close(r);
	session(r, "-D-");
	rig_expect(r, A C);
	assert_int_equal(trash(r, name), 2);
	(void)snprintf(path, sizeof(path), "%s/state/" MBOX_TRASH "/%s.mbox",
	    r->top, name);
	kept = rig_get(path);
	assert_string_equal(kept.ptr, B);
	free((void *)(uintptr_t)kept.ptr);
	expect_undeleted(r, 1);
	rig_expect(r, A C B);
	assert_int_equal(trash(r, name), 0);
	rig_open(r);
	rig_uid(r, 2, after);
	assert_string_equal(before, after);
	rig_close(r);
	expect_undeleted(r, 0);
	rig_expect(r, A C B);
}

static void
all_come_back(void **state)
{
	struct rig *r = *state;

	r->conf.trash = DAY;
	rig_put(r, A B "From x@y Sat Jan  3 00:00:00 1970\n\nno line end");
	session(r, "DDD");
	rig_expect(r, "");
	expect_undeleted(r, 3);
	rig_expect(
	    r, A B "From x@y Sat Jan  3 00:00:00 1970\n\nno line end\n\n");
}

static void
into_an_mbox_without_line_end(void **state)
{
	struct rig *r = *state;

	r->conf.trash = DAY;
	rig_put(r, A FROM_B "\nno line end");
	session(r, "D-");
	expect_undeleted(r, 1);
	rig_expect(r, FROM_B "\nno line end\n\n" A);
}

static void
off_by_default(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B);
	session(r, "D-");
	assert_false(rig_exists(r, MBOX_TRASH));
	expect_undeleted(r, 0);
	rig_expect(r, B);
}

/* What is switched off keeps nothing, and nothing longer. */
static void
off_again(void **state)
{
	struct rig *r = *state;
	char name[MBOX_BATCH_NAME];

	r->conf.trash = DAY;
	rig_put(r, A B C);
	session(r, "D--");
	r->conf.trash = 0;
	session(r, "-D");
	assert_int_equal(trash(r, name), 0);
	expect_undeleted(r, 0);
}

static void
equal_ones_keep_their_ids(void **state)
{
	struct rig *r = *state;
	char ids[3][71], got[71];

	r->conf.trash = DAY;
	rig_put(r, A A A C);
	rig_open(r);
	for (size_t i = 0; i < 3; i++)
		rig_uid(r, i, ids[i]);
	rig_close(r);
	session(r, "D---");
	session(r, "D--");
	rig_expect(r, A C);
	expect_undeleted(r, 2);
	rig_expect(r, A C A A);
	rig_open(r);
	rig_uid(r, 0, got);
	assert_string_equal(got, ids[2]);
	rig_uid(r, 2, got);
	assert_string_equal(got, ids[0]);
	rig_uid(r, 3, got);
	assert_string_equal(got, ids[1]);
	rig_close(r);
	/* Also once one of them is gone again. */
	session(r, "--D-");
	rig_open(r);
	rig_uid(r, 0, got);
	assert_string_equal(got, ids[2]);
	rig_uid(r, 2, got);
	assert_string_equal(got, ids[1]);
	rig_close(r);
}

static void
what_is_there_is_left_out(void **state)
{
	struct rig *r = *state;

	r->conf.trash = DAY;
	rig_put(r, A B C);
	session(r, "DDD");
	rig_put(r, B);
	expect_undeleted(r, 2);
	rig_expect(r, B A C);
}

/* Equal in all that an id is made of, and yet another one. */
static void
other_content_comes_back(void **state)
{
	struct rig *r = *state;
	char one[2000], two[2000], both[4000], first[71], got[71];

	r->conf.trash = DAY;
	(void)snprintf(
	    one, sizeof(one), FROM_A "Subject: x\n\n%01000d1\n\n", 0);
	(void)snprintf(
	    two, sizeof(two), FROM_A "Subject: x\n\n%01000d2\n\n", 0);
	(void)snprintf(both, sizeof(both), "%s%s", two, one);
	rig_put(r, one);
	rig_open(r);
	rig_uid(r, 0, first);
	rig_close(r);
	session(r, "D");
	rig_put(r, two);
	expect_undeleted(r, 1);
	rig_expect(r, both);
	rig_open(r);
	rig_uid(r, 0, got);
	assert_string_equal(got, first);
	rig_uid(r, 1, got);
	assert_string_not_equal(got, first);
	rig_close(r);
}

static void
only_since(void **state)
{
	struct rig *r = *state;
	uint64_t n;

	r->conf.trash = 7 * DAY;
	rig_put(r, A B C);
	session(r, "D--");
	age(r, 2 * DAY);
	session(r, "D-");
	assert_int_equal(rig_undelete(r, (uint64_t)time(NULL) - DAY, &n), 0);
	assert_int_equal(n, 1);
	rig_expect(r, C B);
	expect_undeleted(r, 1);
	rig_expect(r, C B A);
}

static void
old_trash_goes(void **state)
{
	struct rig *r = *state;
	char name[MBOX_BATCH_NAME];

	r->conf.trash = 7 * DAY;
	rig_put(r, A B C);
	session(r, "D--");
	age(r, 7 * DAY + 1);
	session(r, "D-");
	assert_int_equal(trash(r, name), 2);
	expect_undeleted(r, 1);
	rig_expect(r, C B);
}

/* No place to keep it: then it stays. */
static void
no_room_no_deletion(void **state)
{
	struct rig *r = *state;
	int fd =
	    openat(r->state, MBOX_TRASH, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)close(fd);
	r->conf.trash = DAY;
	rig_put(r, A B C);
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-D"), POPPER_NOT_DONE);
	assert_non_null(strstr(r->error.text, "option trash"));
	rig_close(r);
	rig_expect(r, A B C);
	assert_false(rig_exists(r, MBOX_TRASH_NOTE));
}

static void
damaged_list(void **state)
{
	struct rig *r = *state;
	char name[MBOX_BATCH_NAME], path[96];
	int fd;

	r->conf.trash = DAY;
	rig_put(r, A B C);
	session(r, "DD-");
	assert_int_equal(trash(r, name), 2);
	(void)snprintf(path, sizeof(path), MBOX_TRASH "/%s.ids", name);
	fd = openat(r->state, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "popper mbox trash 1\nkept ", 25), 25);
	(void)close(fd);
	expect_undeleted(r, 2);
	rig_expect(r, C A B);
}

static void
no_mbox_any_more(void **state)
{
	struct rig *r = *state;

	r->conf.trash = DAY;
	rig_put(r, A B);
	session(r, "DD");
	assert_int_equal(unlink(r->path), 0);
	expect_undeleted(r, 2);
	rig_expect(r, A B);
}

static void
mmdf(void **state)
{
	struct rig *r = *state;

	r->conf.trash = DAY;
	rig_put(r,
	    "\1\1\1\1\nSubject: A\n\na\n\1\1\1\1\n"
	    "\1\1\1\1\nSubject: B\n\nb\n\1\1\1\1\n");
	session(r, "D-");
	rig_expect(r, "\1\1\1\1\nSubject: B\n\nb\n\1\1\1\1\n");
	expect_undeleted(r, 1);
	rig_expect(r,
	    "\1\1\1\1\nSubject: B\n\nb\n\1\1\1\1\n"
	    "\1\1\1\1\nSubject: A\n\na\n\1\1\1\1\n");
	/* What is an mbox now does not mix with it. */
	session(r, "-D");
	rig_put(r, C);
	expect_undeleted(r, 0);
	rig_expect(r, C);
	assert_non_null(strstr(rig_log(), "it stays"));
}

static void
names(void **state)
{
	uint64_t when;

	(void)state;
	assert_true(mbox_batch_is_name("1700000000", 10, &when));
	assert_int_equal(when, 1700000000);
	assert_true(mbox_batch_is_name("17.12", 5, &when));
	assert_int_equal(when, 17);
	assert_false(mbox_batch_is_name("", 0, &when));
	assert_false(mbox_batch_is_name("..", 2, &when));
	assert_false(mbox_batch_is_name("1/2", 3, &when));
	assert_false(mbox_batch_is_name("1.x", 3, &when));
	assert_false(mbox_batch_is_name("9999999999999", 13, &when));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(comes_back),
		TEST(all_come_back),
		TEST(into_an_mbox_without_line_end),
		TEST(off_by_default),
		TEST(off_again),
		TEST(equal_ones_keep_their_ids),
		TEST(what_is_there_is_left_out),
		TEST(other_content_comes_back),
		TEST(only_since),
		TEST(old_trash_goes),
		TEST(no_room_no_deletion),
		TEST(damaged_list),
		TEST(no_mbox_any_more),
		TEST(mmdf),
		TEST(names),
	};

	return cmocka_run_group_tests_name("mbox_trash", tests, NULL, NULL);
}
