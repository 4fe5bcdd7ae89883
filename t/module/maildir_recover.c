/*
 * maildir_recover.c - what a session finds in tmp after a crash.
 *
 * Runs in: tests.
 */
#include "maildir_bed.h"

#include <stdio.h>
#include <string.h>

/* --- Leftovers of a crash. --- */

static void
unfinished_removal_is_undone(void **state)
{
	void *self;
	unsigned i;

	(void)state;
	make_five();
	bed_folder(&bed, "Maildir/tmp/.popper-undo");
	bed_folder(&bed, "Maildir/tmp/.popper-undo/cur");
	bed_folder(&bed, "Maildir/tmp/.popper-undo/new");
	bed_move(
	    &bed, "Maildir/cur/1.m:2,", "Maildir/tmp/.popper-undo/cur/1.m:2,");
	bed_move(&bed, "Maildir/new/2.m", "Maildir/tmp/.popper-undo/new/2.m");
	self = opened();
	assert_int_equal(drop()->count(self), FIVE);
	drop()->close(self);
	for (i = 1; i <= FIVE; i++)
		assert_true(bed_exists(&bed, path_of(i)));
	expect_clean_tmp();
	assert_int_equal(bed_logged("brought back"), 1);
}

static void
finished_removal_is_completed(void **state)
{
	void *self;

	(void)state;
	make_five();
	bed_folder(&bed, "Maildir/tmp/.popper-done");
	bed_folder(&bed, "Maildir/tmp/.popper-done/cur");
	bed_move(
	    &bed, "Maildir/cur/1.m:2,", "Maildir/tmp/.popper-done/cur/1.m:2,");
	self = opened();
	assert_int_equal(drop()->count(self), FIVE - 1);
	expect_text(self, 0, "message 2\n");
	drop()->close(self);
	expect_clean_tmp();
}

/* What came back must not replace mail of the same name. */
static void
undo_replaces_nothing(void **state)
{
	void *self;

	(void)state;
	bed_folder(&bed, "Maildir/tmp/.popper-undo");
	bed_folder(&bed, "Maildir/tmp/.popper-undo/cur");
	bed_text(&bed, "Maildir/tmp/.popper-undo/cur/1.m", "old\n");
	bed_text(&bed, "Maildir/cur/1.m", "new\n");
	self = opened();
	assert_int_equal(drop()->count(self), 2);
	expect_text(self, 0, "new\n");
	expect_text(self, 1, "old\n");
	drop()->close(self);
}

/* Many, so that readdir sees a folder that shrinks under it. */
static void
large_undo_is_complete(void **state)
{
	char name[64];
	void *self;
	int i;

	(void)state;
	bed_folder(&bed, "Maildir/tmp/.popper-undo");
	bed_folder(&bed, "Maildir/tmp/.popper-undo/new");
	for (i = 0; i < 2000; i++) {
		(void)snprintf(
		    name, sizeof(name), "Maildir/tmp/.popper-undo/new/%d.m", i);
		bed_text(&bed, name, "x\n");
	}
	self = opened();
	assert_int_equal(drop()->count(self), 2000);
	drop()->close(self);
	expect_clean_tmp();
}

/* Other files in tmp are deliveries under way. */
static void
other_files_in_tmp_are_left_alone(void **state)
{
	static const unsigned char all[FIVE] = { 1, 1, 1, 1, 1 };
	void *self;

	(void)state;
	make_five();
	bed_text(&bed, "Maildir/tmp/9.delivery", "half a mess");
	self = opened();
	assert_int_equal(drop()->count(self), FIVE);
	assert_int_equal(commit(self, all), POPPER_DONE);
	drop()->close(self);
	assert_true(bed_exists(&bed, "Maildir/tmp/9.delivery"));
}

/* --- As popperctl asks for it. --- */

static const char *
recovered(void)
{
	static struct collect c;

	collect_end(&c);
	collect_start(&c);
	assert_int_equal(
	    drop()->recover(&bed_host, &conf, &bed.place, &c.sink, &error), 0);
	return c.len == 0 ? "" : (c.ptr[c.len - 1] = '\0', c.ptr);
}

static void
recover_tells(void **state)
{
	(void)state;
	make_five();
	assert_string_equal(recovered(), "nothing to do");
	bed_folder(&bed, "Maildir/tmp/.popper-undo");
	bed_folder(&bed, "Maildir/tmp/.popper-undo/cur");
	bed_move(
	    &bed, "Maildir/cur/1.m:2,", "Maildir/tmp/.popper-undo/cur/1.m:2,");
	bed_folder(&bed, "Maildir/tmp/.popper-done");
	assert_string_equal(recovered(),
	    "brought back mail that was not removed\nfinished a removal");
	for (unsigned i = 1; i <= FIVE; i++)
		assert_true(bed_exists(&bed, path_of(i)));
	assert_string_equal(recovered(), "nothing to do");
	expect_clean_tmp();
}

static void
recover_says_what_it_cannot(void **state)
{
	struct collect c;

	(void)state;
	make_five();
	bed_text(&bed, "Maildir/tmp/.popper-undo", "no folder\n");
	collect_start(&c);
	assert_int_equal(
	    drop()->recover(&bed_host, &conf, &bed.place, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_PERMANENT);
	assert_int_equal(bed_logged("cannot be dealt with"), 1);
	bed_remove(&bed, "Maildir/tmp/.popper-undo");
	c.fail = true;
	assert_int_equal(
	    drop()->recover(&bed_host, &conf, &bed.place, &c.sink, &error), -1);
	collect_end(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(unfinished_removal_is_undone),
		MAILDIR_TEST(finished_removal_is_completed),
		MAILDIR_TEST(undo_replaces_nothing),
		MAILDIR_TEST(large_undo_is_complete),
		MAILDIR_TEST(other_files_in_tmp_are_left_alone),
		MAILDIR_TEST(recover_tells),
		MAILDIR_TEST(recover_says_what_it_cannot),
	};

	return cmocka_run_group_tests_name(
	    "maildir_recover", tests, NULL, NULL);
}
