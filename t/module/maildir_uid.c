/*
 * maildir_uid.c - order, flags and unique-ids.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <string.h>

/* --- Order, flags, unique-ids. --- */

static void
order_is_by_time_then_name(void **state)
{
	static const char *const name[] = { "new/x.notime", "cur/9.a:2,S",
		"new/10.M5.h", "cur/10.M5.h2:2,", "new/10.M6.h", "cur/011.z",
		"new/99999999999999999999999.y" };
	const size_t names = sizeof(name) / sizeof(name[0]);
	char path[128];
	void *self;
	size_t i;

	(void)state;
	for (i = names; i-- > 0;) {
		(void)snprintf(path, sizeof(path), "Maildir/%s", name[i]);
		bed_text(&bed, path, name[i]);
	}
	self = opened();
	assert_int_equal(drop()->count(self), names);
	for (i = 0; i < names; i++)
		expect_text(self, i, name[i]);
	assert_int_equal(flags(self, 0), 0);
	assert_int_equal(flags(self, 1), POPPER_MESSAGE_SEEN);
	drop()->close(self);
}

static void
unique_ids_stay_when_flags_change(void **state)
{
	char first[POPPER_UID_MAX + 1];
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/5.M1P2.host,S=4,W=5", "abc\n");
	self = opened();
	(void)snprintf(first, sizeof(first), "%s", uid(self, 0));
	assert_string_equal(first, "5.M1P2.host");
	drop()->close(self);
	bed_move(&bed, "Maildir/new/5.M1P2.host,S=4,W=5",
	    "Maildir/cur/5.M1P2.host:2,FST");
	bed_text(&bed, "Maildir/new/1.earlier", "x\n");
	self = opened();
	assert_int_equal(drop()->count(self), 2);
	assert_string_equal(uid(self, 1), first);
	drop()->close(self);
}

static bool
is_legal_uid(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if (*p < 0x21 || *p > 0x7e)
			return false;
	return p > text && p - text <= POPPER_UID_MAX;
}

static void
odd_names_get_hashed_unique_ids(void **state)
{
	char longest[256] = "1.", path[400], first[POPPER_UID_MAX + 1];
	void *self;
	size_t i;

	(void)state;
	memset(longest + 2, 'x', 248);
	(void)snprintf(path, sizeof(path), "Maildir/cur/%s:2,S", longest);
	bed_text(&bed, path, "1\n");
	bed_text(&bed, "Maildir/cur/2.\xc3\xa4:2,", "2\n");
	bed_text(&bed, "Maildir/new/3. blank", "3\n");
	bed_text(&bed, "Maildir/cur/:2,", "4\n");
	bed_text(&bed, "Maildir/cur/,S=1:2,", "5\n");
	self = opened();
	assert_int_equal(drop()->count(self), 5);
	for (i = 0; i < 5; i++)
		assert_true(is_legal_uid(uid(self, i)));
	/* 4 and 5 have no name at all and are told apart. */
	assert_string_not_equal(uid(self, 0), uid(self, 1));
	(void)snprintf(first, sizeof(first), "%s", uid(self, 4));
	assert_memory_equal(first, "h-", 2);
	drop()->close(self);
	self = opened();
	assert_string_equal(uid(self, 4), first);
	drop()->close(self);
}

static void
the_hash_is_sha256_of_the_base(void **state)
{
	void *self;

	(void)state;
	/* printf '2.a b' | sha256sum | cut -c1-40 */
	bed_text(&bed, "Maildir/cur/2.a b,S=1:2,", "x\n");
	self = opened();
	assert_string_equal(
	    uid(self, 0), "h-c858c8d36a89cca51335fa6b71c8f5d03be0b9df");
	drop()->close(self);
}

static void
twins_are_told_apart(void **state)
{
	void *self;
	size_t i, j;

	(void)state;
	bed_text(&bed, "Maildir/new/1.x", "new\n");
	bed_text(&bed, "Maildir/cur/1.x:2,S", "cur\n");
	bed_text(&bed, "Maildir/cur/1.x:2,F", "cur2\n");
	bed_text(&bed, "Maildir/cur/1.x.2:2,", "other\n");
	bed_text(&bed, "Maildir/cur/1.x,S=5:2,", "size\n");
	self = opened();
	assert_int_equal(drop()->count(self), 5);
	for (i = 0; i < 5; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(uid(self, i), uid(self, j));
	expect_text(self, 0, "cur2\n");
	assert_string_equal(uid(self, 0), "1.x");
	expect_text(self, 2, "new\n");
	/* "1.x.2" belongs to the file of that name. */
	for (i = 0; i < 5; i++)
		if (octets(self, i) == 7)
			assert_string_equal(uid(self, i), "1.x.2");
	drop()->close(self);
}

static void
many_twins(void **state)
{
	char name[64];
	void *self;
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "Maildir/new/1.x,S=%d", i);
		bed_text(&bed, name, "x\n");
	}
	self = opened();
	assert_string_equal(uid(self, 0), "1.x");
	assert_string_equal(uid(self, 1), "1.x.2");
	assert_string_equal(uid(self, 299), "1.x.300");
	drop()->close(self);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(order_is_by_time_then_name),
		MAILDIR_TEST(unique_ids_stay_when_flags_change),
		MAILDIR_TEST(odd_names_get_hashed_unique_ids),
		MAILDIR_TEST(the_hash_is_sha256_of_the_base),
		MAILDIR_TEST(twins_are_told_apart),
		MAILDIR_TEST(many_twins),
	};

	return cmocka_run_group_tests_name("maildir_uid", tests, NULL, NULL);
}
