/*
 * maildir_names.c - the index of a Maildir: folders that are not read again.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#define MANY 120

static void
name_many(unsigned i, char name[64])
{
	/* Two bases of one unique-id now and then. */
	(void)snprintf(name, 64, "Maildir/%s/%u.m%s%s", i % 3 ? "cur" : "new",
	    1000 + i / 2, i % 2 ? ",S=5" : "", i % 3 ? ":2,S" : "");
}

static void
make_many(void)
{
	char name[64];

	for (unsigned i = 0; i < MANY; i++) {
		name_many(i, name);
		bed_text(&bed, name, "1234\n");
	}
}

static bool
is_indexed(const void *self)
{
	return ((const struct maildir *)self)->indexed;
}

/* What the module says of all messages, as one text. */
static void
say_all(void *self, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < drop()->count(self); i++)
		len += (size_t)snprintf(out + len, size - len, "%s %llu %u\n",
		    uid(self, i), (unsigned long long)octets(self, i),
		    flags(self, i));
	assert_true(len < size);
}

static void
folders_at_rest_are_not_read(void **state)
{
	static char first[MANY * 64], later[MANY * 64];
	void *self;

	(void)state;
	make_many();
	self = opened();
	assert_false(is_indexed(self));
	assert_int_equal(drop()->count(self), MANY);
	say_all(self, first, sizeof(first));
	drop()->close(self);
	self = settled();
	assert_non_null(self);
	say_all(self, later, sizeof(later));
	assert_string_equal(first, later);
	expect_text(self, 7, "1234\n");
	drop()->close(self);
}

/* Make a change, which may not be missed; there are ${count} messages then. */
static void
expect_noticed(size_t count)
{
	static char read[MANY * 64], later[MANY * 64];
	void *self = opened();

	assert_false(is_indexed(self));
	assert_int_equal(drop()->count(self), count);
	say_all(self, read, sizeof(read));
	drop()->close(self);
	self = settled();
	assert_non_null(self);
	assert_int_equal(drop()->count(self), count);
	say_all(self, later, sizeof(later));
	assert_string_equal(read, later);
	drop()->close(self);
}

static void
every_change_is_noticed(void **state)
{
	unsigned char marks[MANY] = { 0 };
	char name[64];
	void *self;

	(void)state;
	make_many();
	drop()->close(settled());
	bed_text(&bed, "Maildir/new/1", "new\n");
	expect_noticed(MANY + 1);
	bed_remove(&bed, "Maildir/new/1");
	expect_noticed(MANY);
	name_many(4, name);
	bed_move(&bed, name, "Maildir/cur/1002.m:2,FRS");
	expect_noticed(MANY);
	name_many(3, name);
	bed_move(&bed, name, "Maildir/cur/1001.m,S=5:2,");
	expect_noticed(MANY);
	bed_text(&bed, "other", "another text\n");
	name_many(8, name);
	bed_move(&bed, "other", name);
	expect_noticed(MANY);
	self = opened();
	marks[MANY / 2] = POPPER_MARK_DELETED;
	assert_int_equal(commit(self, marks), POPPER_DONE);
	drop()->close(self);
	expect_noticed(MANY - 1);
}

/* A file that is renamed while the index is trusted is found again. */
static void
renamed_message_is_found(void **state)
{
	void *self;

	(void)state;
	make_many();
	self = settled();
	assert_non_null(self);
	bed_move(&bed, "Maildir/cur/1002.m:2,S", "Maildir/cur/1002.m:2,FS");
	bed_move(&bed, "Maildir/new/1001.m,S=5", "Maildir/cur/1001.m,S=5:2,");
	for (size_t i = 0; i < MANY; i++)
		expect_text(self, i, "1234\n");
	drop()->close(self);
	expect_noticed(MANY);
}

/* A change may leave the ctime alone if it comes at once. */
static void
young_folders_are_read(void **state)
{
	void *self;

	(void)state;
	make_many();
	drop()->close(settled());
	bed_text(&bed, "Maildir/new/1", "new\n");
	drop()->close(opened());
	bed_text(&bed, "Maildir/new/2", "new\n");
	self = opened();
	assert_int_equal(drop()->count(self), MANY + 2);
	drop()->close(self);
}

/* Until a folder that was changed just now would be trusted. */
static void
wait_for_rest(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const double start = now();

	while (now() - start < 0.2)
		(void)nanosleep(&pause, NULL);
}

static void
left_out_entries_are_looked_at_again(void **state)
{
	void *self;

	(void)state;
	make_many();
	drop()->close(settled());
	bed_folder(&bed, "Maildir/new/folder");
	wait_for_rest();
	for (int i = 0; i < 3; i++) {
		self = opened();
		assert_false(is_indexed(self));
		drop()->close(self);
	}
	assert_true(bed_logged("not a regular file") >= 3);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(folders_at_rest_are_not_read),
		MAILDIR_TEST(every_change_is_noticed),
		MAILDIR_TEST(renamed_message_is_found),
		MAILDIR_TEST(young_folders_are_read),
		MAILDIR_TEST(left_out_entries_are_looked_at_again),
	};

	return cmocka_run_group_tests_name("maildir_names", tests, NULL, NULL);
}
