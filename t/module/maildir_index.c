/*
 * maildir_index.c - the index, its sizes, and very many messages.
 *
 * Runs in: tests.  POPPER_TEST_MESSAGES says how many "very many" are.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAIL 20

static const char *
file_of(unsigned i)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "Maildir/cur/%u.m:2,S", 100 + i);
	return path;
}

static void
make_mail(void)
{
	char text[64];
	unsigned i;

	for (i = 0; i < MAIL; i++) {
		memset(text, '\n', sizeof(text));
		bed_file(&bed, file_of(i), text, i);
	}
}

static void
expect_mail(void)
{
	void *self = opened();
	size_t i;

	assert_int_equal(drop()->count(self), MAIL);
	for (i = 0; i < MAIL; i++)
		assert_int_equal(octets(self, i), 2 * i);
	drop()->close(self);
}

static int64_t
cache_size(void)
{
	struct stat st;

	if (stat(bed_path(&bed, "state/maildir.index"), &st) == -1)
		return -1;
	return st.st_size;
}

/* Change a file without a new inode: only a cache does not see that. */
static bool
is_cached(unsigned i)
{
	void *self;
	bool cached;

	bed_text(&bed, file_of(i), "other content\n");
	self = opened();
	cached = octets(self, i) == 2 * i;
	drop()->close(self);
	return cached;
}

static void
second_session_reads_no_message(void **state)
{
	(void)state;
	make_mail();
	expect_mail();
	assert_true(cache_size() > 0);
	assert_true(is_cached(7));
}

static void
cache_is_private(void **state)
{
	struct stat st;

	(void)state;
	make_mail();
	expect_mail();
	assert_int_equal(stat(bed_path(&bed, "state/maildir.index"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(bed_exists(&bed, "state/maildir.index.new"));
}

/* A file that was replaced by another of its name is measured anew. */
static void
replaced_file_is_measured(void **state)
{
	void *self;

	(void)state;
	make_mail();
	expect_mail();
	bed_text(&bed, "other", "other content\n");
	bed_move(&bed, "other", file_of(7));
	self = opened();
	assert_int_equal(octets(self, 7), 15);
	assert_int_equal(octets(self, 8), 16);
	drop()->close(self);
}

static void
flags_do_not_matter(void **state)
{
	void *self;

	(void)state;
	make_mail();
	expect_mail();
	bed_move(&bed, file_of(7), "Maildir/cur/107.m:2,FS");
	bed_text(&bed, "Maildir/cur/107.m:2,FS", "other content\n");
	self = opened();
	assert_int_equal(octets(self, 7), 14);
	drop()->close(self);
}

static void
new_and_vanished_messages_are_no_trouble(void **state)
{
	void *self;

	(void)state;
	make_mail();
	expect_mail();
	bed_remove(&bed, file_of(0));
	bed_remove(&bed, file_of(10));
	bed_remove(&bed, file_of(19));
	bed_text(&bed, "Maildir/new/99.first", "1\n");
	bed_text(&bed, "Maildir/new/111.middle", "22\n");
	bed_text(&bed, "Maildir/new/999.last", "333\n");
	self = opened();
	assert_int_equal(drop()->count(self), MAIL);
	assert_int_equal(octets(self, 0), 3);
	assert_int_equal(octets(self, 1), 2);
	assert_int_equal(octets(self, 10), 22);
	assert_int_equal(octets(self, 11), 4);
	assert_int_equal(octets(self, 12), 24);
	assert_int_equal(octets(self, 19), 5);
	drop()->close(self);
}

/* Flip each octet of the cache, cut it at each length: same answers. */
static void
damaged_cache_is_ignored(void **state)
{
	char content[4096], *at;
	ssize_t len, i;
	int fd;

	(void)state;
	make_mail();
	expect_mail();
	fd = open(bed_path(&bed, "state/maildir.index"), O_RDONLY | O_CLOEXEC);
	len = read(fd, content, sizeof(content));
	(void)close(fd);
	assert_true(len > 0 && len == cache_size());
	for (i = 0; i < len; i++) {
		at = content + i;
		*at = (char)(*at ^ 1);
		bed_file(&bed, "state/maildir.index", content, (size_t)len);
		expect_mail();
		*at = (char)(*at ^ 1);
		bed_file(&bed, "state/maildir.index", content, (size_t)i);
		expect_mail();
	}
	/* It is made anew. */
	assert_true(is_cached(7));
}

static void
odd_cache_file_is_ignored(void **state)
{
	(void)state;
	make_mail();
	bed_folder(&bed, "state/maildir.index");
	expect_mail();
	assert_int_equal(rmdir(bed_path(&bed, "state/maildir.index")), 0);
	assert_int_equal(
	    mkfifo(bed_path(&bed, "state/maildir.index"), 0600), 0);
	expect_mail();
	bed_text(&bed, "target", "keep me");
	assert_int_equal(unlink(bed_path(&bed, "state/maildir.index")), 0);
	assert_int_equal(
	    symlink("../target", bed_path(&bed, "state/maildir.index.new")), 0);
	expect_mail();
	assert_int_equal(cache_size(), -1);
}

/* The cache of one Maildir says nothing about another. */
static void
foreign_cache_is_ignored(void **state)
{
	void *self;
	unsigned i;

	(void)state;
	make_mail();
	expect_mail();
	bed_move(&bed, "Maildir", "old");
	bed_folder(&bed, "Maildir");
	bed_move(&bed, "old/cur", "Maildir/cur");
	for (i = 0; i < MAIL; i++)
		bed_text(&bed, file_of(i), "same name, same inode\n");
	self = opened();
	for (i = 0; i < MAIL; i++)
		assert_int_equal(octets(self, i), 23);
	drop()->close(self);
}

static void
wrong_size_is_noticed_and_forgotten(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	make_mail();
	expect_mail();
	bed_text(&bed, file_of(7), "other content\n");
	self = opened();
	collect_start(&c);
	assert_int_equal(drop()->read(self, 7, 0, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_int_equal(c.len, 0);
	collect_end(&c);
	drop()->close(self);
	self = opened();
	assert_int_equal(octets(self, 7), 15);
	drop()->close(self);
}

static void
no_state_folder_is_no_trouble(void **state)
{
	const int folder = bed.place.state;

	(void)state;
	make_mail();
	bed.place.state = -1;
	expect_mail();
	expect_mail();
	bed.place.state = folder;
	assert_int_equal(cache_size(), -1);
}

/* What will be removed anyway is not worth keeping. */
static void
removed_messages_are_not_kept(void **state)
{
	unsigned char marks[MAIL];
	struct popper_changes changes = {
		.size = sizeof(changes), .count = MAIL, .marks = marks
	};
	void *self;

	(void)state;
	make_mail();
	memset(marks, POPPER_MARK_DELETED, sizeof(marks));
	self = opened();
	assert_int_equal(drop()->commit(self, &changes, &error), POPPER_DONE);
	drop()->close(self);
	assert_int_equal(cache_size(), -1);
}

/* --- Very many. --- */

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t
very_many(void)
{
	const char *text = getenv("POPPER_TEST_MESSAGES");

	return text == NULL ? 3000 : (size_t)strtoul(text, NULL, 10);
}

static void
make_very_many(size_t count)
{
	char name[64];
	size_t i;
	int fd;

	for (i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name),
		    "Maildir/cur/1%09zu.M%06zuP1.mail.example.org:2,S", i / 3,
		    i % 3);
		fd = open(bed_path(&bed, name),
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_int_not_equal(fd, -1);
		assert_int_equal(write(fd, "x\ny\n", 4), 4);
		(void)close(fd);
	}
}

static long
peak(void)
{
	struct rusage used;

	return getrusage(RUSAGE_SELF, &used) == -1 ? 0 : used.ru_maxrss;
}

/* Open, list, close.  Returns 0, or the line number of what was wrong. */
static int
session(const char *what, size_t count)
{
	struct popper_message message;
	const long before = peak();
	double start = now();
	void *self = NULL;
	size_t i;

	CHECK(drop()->open(&bed_host, &conf, &bed.place, &self, &error) == 0);
	CHECK(drop()->count(self) == count);
	for (i = 0; i < count; i++) {
		CHECK(drop()->describe(self, i,
			  POPPER_WANT_OCTETS | POPPER_WANT_UID, &message,
			  &error) == 0);
		CHECK(message.octets == 6);
	}
	drop()->close(self);
	print_message("# %s: %zu messages, %.1f ms, %ld KiB more at most\n",
	    what, count, (now() - start) * 1e3, peak() - before);
	CHECK(peak() - before < 65536);
	return 0;
}

static int
first_session(void *count)
{
	return session("first session", *(size_t *)count);
}

static int
second_session(void *count)
{
	return session("second session", *(size_t *)count);
}

static void
very_many_messages(void **state)
{
	size_t count = very_many();

	(void)state;
	make_very_many(count);
	/* Each in a process of its own, so that its memory can be told. */
	assert_int_equal(bed_as_nobody(&bed, first_session, &count), 0);
	assert_int_equal(bed_as_nobody(&bed, second_session, &count), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(second_session_reads_no_message),
		MAILDIR_TEST(cache_is_private),
		MAILDIR_TEST(replaced_file_is_measured),
		MAILDIR_TEST(flags_do_not_matter),
		MAILDIR_TEST(new_and_vanished_messages_are_no_trouble),
		MAILDIR_TEST(damaged_cache_is_ignored),
		MAILDIR_TEST(odd_cache_file_is_ignored),
		MAILDIR_TEST(foreign_cache_is_ignored),
		MAILDIR_TEST(wrong_size_is_noticed_and_forgotten),
		MAILDIR_TEST(no_state_folder_is_no_trouble),
		MAILDIR_TEST(removed_messages_are_not_kept),
		MAILDIR_TEST(very_many_messages),
	};

	return cmocka_run_group_tests_name("maildir_index", tests, NULL, NULL);
}
