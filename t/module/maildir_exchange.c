/*
 * maildir_exchange.c - unique-ids as lists: out of a Maildir, and into it.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
expect_list(const char *list)
{
	void *self = opened();
	struct collect c;

	collect_start(&c);
	assert_int_equal(drop()->export_uids(self, &c.sink, &error), 0);
	assert_int_equal(c.len, strlen(list));
	assert_memory_equal(c.ptr, list, c.len);
	collect_end(&c);
	drop()->close(self);
}

static void
expect_list_begins(const char *list)
{
	void *self = opened();
	struct collect c;

	collect_start(&c);
	assert_int_equal(drop()->export_uids(self, &c.sink, &error), 0);
	assert_true(c.len > strlen(list));
	assert_memory_equal(c.ptr, list, strlen(list));
	collect_end(&c);
	drop()->close(self);
}

static int
import(const char *list)
{
	void *self = opened();
	int result;

	result = drop()->import_uids(self, popper_slice_text(list), &error);
	drop()->close(self);
	return result;
}

static void
make_three(void)
{
	bed_text(&bed, "Maildir/cur/1.a:2,S", "1\n");
	bed_text(&bed, "Maildir/cur/2.b c%:2,", "22\n");
	bed_text(&bed, "Maildir/new/3.\xc3\xa4,S=4", "333\n");
}

#define KEY2 "2.b c%25"
#define KEY3 "3.%C3%A4,S=4"

static char native[512];

static int
set_up(void **state)
{
	void *self;

	maildir_set_up(state);
	conf.unique_id = "popper";
	make_three();
	self = opened();
	(void)snprintf(
	    native, sizeof(native), "1.a 3 1.a\n%s 4 %s\n", uid(self, 1), KEY2);
	(void)snprintf(native + strlen(native), sizeof(native) - strlen(native),
	    "%s 5 %s\n", uid(self, 2), KEY3);
	drop()->close(self);
	return 0;
}

static void
an_export_names_each_message(void **state)
{
	(void)state;
	expect_list(native);
	assert_int_equal(import(native), 0);
	expect_list(native);
}

static void
imported_ids_stay(void **state)
{
	(void)state;
	assert_int_equal(import("one 3 1.a\ntwo 4 " KEY2 "\nthree - " KEY3
				"\ngone 9 9.gone\n"),
	    0);
	expect_list("one 3 1.a\ntwo 4 " KEY2 "\nthree 5 " KEY3 "\n");
	bed_move(&bed, "Maildir/cur/2.b c%:2,", "Maildir/cur/2.b c%:2,FRS");
	bed_text(&bed, "Maildir/cur/4.d:2,", "4\n");
	expect_list("one 3 1.a\ntwo 4 " KEY2 "\nthree 5 " KEY3 "\n4.d 3 4.d\n");
	/* Whatever else the ids are made of. */
	conf.unique_id = "solid";
	assert_int_equal(import("other 4 " KEY2 "\n"), 0);
	expect_list("one 3 1.a\nother 4 " KEY2 "\nthree 5 " KEY3
		    "\n" /* printf 4.d | md5sum */
		    "441e85f9d25694f597933a3c134dc4ea 3 4.d\n");
}

/* As a POP3 session with the old server shows them. */
static void
a_list_without_keys_goes_by_order_and_size(void **state)
{
	char list[256];

	(void)state;
	assert_int_equal(import("x1 3 -\nx2 4 -"), 0);
	(void)snprintf(list, sizeof(list), "x1 3 1.a\nx2 4 %s\n%s", KEY2,
	    strrchr(native, 'h'));
	expect_list(list); /* the third one came since */
	assert_int_equal(import("y1 3 -\ny2 4 -\ny3 5 -\n"), 0);
	expect_list("y1 3 1.a\ny2 4 " KEY2 "\ny3 5 " KEY3 "\n");
}

static void
bad_lists_are_refused(void **state)
{
	static const struct {
		const char *list, *line;
	} bad[] = { { "x1 3 -\nx2 5 -\n", "line 2" },
		{ "x1 3 -\nx2 - -\n", "line 2" },
		{ "x1 3 -\nx2 4 -\nx3 5 -\nx4 6 -\n", "line 4" },
		{ "x1 3 1.a\nx2 9 " KEY2 "\n", "line 2" },
		{ "x1 3 1.a\nx1 4 " KEY2 "\n", "line 2" },
		{ "x1 3 1.a\n\n", "line 2" }, { "x1 3\n", "line 1" },
		{ "x1 3 \n", "line 1" }, { " 3 1.a\n", "line 1" },
		{ "x\xc3 3 1.a\n", "line 1" }, { "x1 3x 1.a\n", "line 1" },
		{ "x1 -3 1.a\n", "line 1" }, { "x1 3 1.a\x01\n", "line 1" },
		{ "1234567890123456789012345678901234567890123456789012345678"
		  "9012345678901 3 1.a\n",
		    "line 1" },
		{ "taken dovecot\nx1 3 1.a\n", "line 1" },
		{ "scheme dovecot\nx1 3 1.a\n", "line 1" },
		{ "x1 3 other\nx2 4 mail\n", "line 1" } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(import(bad[i].list), -1);
		assert_int_equal(error.status, POPPER_INVALID);
		assert_non_null(strstr(error.text, bad[i].line));
		assert_false(bed_exists(&bed, "state/uids"));
		expect_list(native);
	}
}

/* An old pin goes if a new line is about its message or has its id. */
static void
a_second_import_adds_to_the_first(void **state)
{
	(void)state;
	assert_int_equal(import("a 3 1.a\nb 4 " KEY2 "\n"), 0);
	assert_int_equal(import("a 4 " KEY2 "\nc 5 " KEY3 "\n"), 0);
	expect_list("1.a 3 1.a\na 4 " KEY2 "\nc 5 " KEY3 "\n");
	assert_int_equal(import(""), 0);
	expect_list("1.a 3 1.a\na 4 " KEY2 "\nc 5 " KEY3 "\n");
}

/* The other server is still in use: its ids of tomorrow must count, too. */
static void
an_export_takes_nothing_over(void **state)
{
	(void)state;
	conf.unique_id = "dovecot";
	bed_text(&bed, "Maildir/dovecot-uidlist", "3 V1 N2\n1 :1.a\n");
	expect_list_begins("0000000100000001 3 1.a\n");
	assert_false(bed_exists(&bed, "state/uids"));
	bed_text(&bed, "Maildir/dovecot-uidlist", "3 V1 N3\n2 :1.a\n");
	expect_list_begins("0000000200000001 3 1.a\n");
}

/* The first session tells ids that nobody has been told before. */
static void
an_export_is_no_session(void **state)
{
	void *self;

	(void)state;
	make_three();
	bed_text(&bed, "Maildir/new/4.d", "4\n");
	bed_text(&bed, "Maildir/new/5.e", "5\n"); /* enough for an index */
	conf.unique_id = "solid";
	expect_list_begins("");
	assert_false(bed_exists(&bed, "state/maildir.index"));
	self = opened();
	assert_int_equal(strlen(uid(self, 0)), 32);
	drop()->close(self);
	assert_int_equal(bed_logged("have other unique-ids"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, maildir_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = { TEST(an_export_names_each_message),
		TEST(imported_ids_stay),
		TEST(a_list_without_keys_goes_by_order_and_size),
		TEST(bad_lists_are_refused), TEST(an_export_takes_nothing_over),
		TEST(an_export_is_no_session),
		TEST(a_second_import_adds_to_the_first) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
