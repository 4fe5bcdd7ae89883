/*
 * ext_bulletins.c - who gets which bulletin, and when not again.
 *
 * Runs in: tests.
 */
#include "bulletins_bed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct popper_module bulletins_LTX_popper_module;

static void
options_fit_the_struct(void **state)
{
	const struct popper_module *m = &bulletins_LTX_popper_module;

	(void)state;
	assert_string_equal(m->name, "bulletins");
	assert_int_equal(m->conf_size, sizeof(struct bulletins_options));
	for (const struct popper_option *o = m->options; o->name != NULL; o++)
		if (strcmp(o->name, "group-bulletins") == 0)
			assert_int_equal(o->offset,
			    offsetof(
				struct bulletins_options, group_bulletins));
}

/* --- New users. --- */

static void
a_new_user_gets_the_newest(void **state)
{
	(void)state;
	bulletins_post("1.a", "one");
	bulletins_post("5.b", "five");
	bulletins_post("100.c", "hundred");
	assert_string_equal(bulletins_subjects(), "hundred");
	assert_string_equal(bulletins_text(".popbull"), "100\n");
}

static void
their_number_is_a_count(void **state)
{
	(void)state;
	bulletins_post("1.a", "one");
	bulletins_post("5.b", "five");
	bulletins_post("5.c", "five more");
	bulletins_post("100.c", "hundred");
	bulletins_options.max_bulletins = 2;
	assert_string_equal(bulletins_subjects(), "five more,hundred");
	bulletins_options.max_bulletins = 10;
	assert_string_equal(bulletins_subjects(), "five more,hundred");
}

static void
or_none_or_all(void **state)
{
	(void)state;
	bulletins_post("1.a", "one");
	bulletins_options.max_bulletins = 0;
	assert_string_equal(bulletins_subjects(), "");
	assert_string_equal(bulletins_text(".popbull"), "1\n");
	bed_remove(&bulletins_bed, ".popbull");
	bed_remove(&bulletins_bed, "state/bulletins");
	bulletins_post("2.a", "two");
	bulletins_options.max_bulletins = 10;
	assert_string_equal(bulletins_subjects(), "one,two");
}

/* Or he gets one of three that are posted before he comes again. */
static void
the_first_login_is_noted_without_bulletins(void **state)
{
	(void)state;
	assert_string_equal(bulletins_subjects(), "");
	assert_string_equal(bulletins_text(".popbull"), "0\n");
	bulletins_post("1", "one");
	bulletins_post("2", "two");
	bulletins_post("3", "three");
	assert_string_equal(bulletins_subjects(), "one,two,three");
}

/* --- Numbers. --- */

static void
numbers_ascend_with_gaps_and_twins(void **state)
{
	(void)state;
	bed_text(&bulletins_bed, ".popbull", "3\n");
	bulletins_post("3.old", "no");
	bulletins_post("010.x", "ten");
	bulletins_post("9.z", "nine");
	bulletins_post("9.a", "also nine");
	bulletins_post("x11", "no");
	bulletins_post(".12", "no");
	bulletins_post("0.zero", "no");
	bulletins_post("2003041201", "a date");
	bulletins_post("99999999999999999999", "no");
	assert_string_equal(bulletins_subjects(), "also nine,nine,ten,a date");
	assert_string_equal(bulletins_text(".popbull"), "2003041201\n");
	assert_int_equal(bed_logged("too large numbers"), 1);
}

static void
only_new_ones_come(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	assert_string_equal(bulletins_subjects(), "one");
	bulletins_post("2", "two");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_count(), 2);
	assert_int_equal(bulletins_quit(1), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "two");
	/* A twin of what he has had is not new. */
	bulletins_post("2.again", "again");
	assert_string_equal(bulletins_subjects(), "two");
}

static void
a_number_that_went_back_is_obeyed(void **state)
{
	(void)state;
	bulletins_post("7", "seven");
	assert_string_equal(bulletins_subjects(), "seven");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_quit(1), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "");
	bed_text(&bulletins_bed, ".popbull", "6\n");
	assert_string_equal(bulletins_subjects(), "seven");
}

/* --- DELE, RSET, QUIT, and connections that break. --- */

static void
one_stays_until_it_is_deleted(void **state)
{
	char uid[POPPER_UID_MAX + 1];

	(void)state;
	bulletins_post("4.a", "four");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_count(), 1);
	(void)snprintf(uid, sizeof(uid), "%s", bulletins_uid(0));
	bulletins_logout(); /* broken: he has not read it */
	assert_int_equal(bulletins_login(), 0);
	assert_string_equal(bulletins_uid(0), uid);
	assert_int_equal(bulletins_quit(0), POPPER_DONE);
	assert_int_equal(bulletins_login(), 0);
	assert_string_equal(bulletins_uid(0), uid);
	assert_int_equal(bulletins_quit(1), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "");
	bed_remove(&bulletins_bed, "state/bulletins");
	assert_string_equal(bulletins_subjects(), "");
}

static void
deletions_without_quit_are_none(void **state)
{
	(void)state;
	bulletins_post("4", "four");
	assert_int_equal(bulletins_login(), 0);
	bulletins_logout();
	assert_string_equal(bulletins_subjects(), "four");
}

static void
only_the_marked_one_goes(void **state)
{
	(void)state;
	bed_text(&bulletins_bed, ".popbull", "0\n");
	bulletins_post("1", "one");
	bulletins_post("2", "two");
	bulletins_post("2.b", "two b");
	bulletins_post("3", "three");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_quit(1u << 2), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "one,two,three");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_quit(7), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "");
}

static void
a_list_that_cannot_be_written_fails_quit(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	assert_int_equal(bulletins_login(), 0);
	bed_folder(&bulletins_bed, "state/bulletins.new");
	bed_committed_count = 0;
	assert_int_equal(bulletins_quit(1), POPPER_NOT_DONE);
	assert_int_equal(bed_committed_count, 0); /* nor is mail removed */
	assert_int_equal(
	    rmdir(bed_path(&bulletins_bed, "state/bulletins.new")), 0);
	assert_string_equal(bulletins_subjects(), "one");
}

static void
nothing_is_missed_if_the_login_cannot_note_it(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	bed_folder(&bulletins_bed, "state/bulletins.new");
	assert_string_equal(bulletins_subjects(), "one");
	assert_int_equal(bed_logged("bulletins of alice"), 1);
	assert_int_equal(
	    rmdir(bed_path(&bulletins_bed, "state/bulletins.new")), 0);
	assert_string_equal(bulletins_subjects(), "one");
	assert_string_equal(bulletins_text(".popbull"), "1\n");
}

static void
the_mail_behind_gets_its_marks(void **state)
{
	static const unsigned char marks[4] = { 2, 1, 0, 0 };
	const struct popper_changes c = { sizeof(c), 4, marks };

	(void)state;
	bulletins_post("1", "one");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(
	    bulletins_session->commit(bulletins_outer, &c, &bulletins_error),
	    POPPER_DONE);
	assert_int_equal(bed_committed_count, 3);
	assert_memory_equal(bed_committed, marks, 3);
	bed_closed = 0;
	bulletins_logout();
	assert_int_equal(bed_closed, 1);
	assert_string_equal(bulletins_subjects(), "one");
}

static void
withdrawn_ones_are_gone(void **state)
{
	(void)state;
	bed_text(&bulletins_bed, ".popbull", "0\n");
	bulletins_post("1", "one");
	bulletins_post("2", "two");
	assert_string_equal(bulletins_subjects(), "one,two");
	bed_remove(&bulletins_bed, "bulletins/1");
	assert_string_equal(bulletins_subjects(), "two");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_quit(1), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "");
}

static void
a_correction_is_seen_under_the_same_uid(void **state)
{
	char uid[POPPER_UID_MAX + 1];

	(void)state;
	bulletins_post("1", "a slip");
	assert_int_equal(bulletins_login(), 0);
	(void)snprintf(uid, sizeof(uid), "%s", bulletins_uid(0));
	bulletins_post("1", "a slip mended");
	{
		struct collect c;

		/* But not half-way: its size has been told. */
		collect_start(&c);
		assert_int_equal(bulletins_session->read(bulletins_outer, 3, 0,
				     &c.sink, &bulletins_error),
		    -1);
		assert_int_equal(c.len, 0);
		collect_end(&c);
	}
	bulletins_logout();
	assert_string_equal(bulletins_subjects(), "a slip mended");
	assert_int_equal(bulletins_login(), 0);
	assert_string_equal(bulletins_uid(0), uid);
	bulletins_logout();
}

/* --- Sub-mailboxes, and a module without its option. --- */

static void
it_stays_out(void **state)
{
	(void)state;
	bulletins_post("1", "one");
	(void)snprintf(bulletins_bed.identity.folder,
	    sizeof(bulletins_bed.identity.folder), "lists");
	assert_int_equal(bulletins_login(), 0);
	assert_ptr_equal(bulletins_session, &bed_drop);
	bulletins_logout();
	bulletins_bed.identity.folder[0] = '\0';
	bulletins_options.directory = "";
	assert_int_equal(bulletins_login(), 0);
	assert_ptr_equal(bulletins_session, &bed_drop);
	bulletins_logout();
	assert_int_equal(bed_logged("option directory is not set"), 1);
}

#define TEST(f)                          \
	cmocka_unit_test_setup_teardown( \
	    f, bulletins_set_up, bulletins_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(options_fit_the_struct),
		TEST(a_new_user_gets_the_newest),
		TEST(their_number_is_a_count),
		TEST(or_none_or_all),
		TEST(the_first_login_is_noted_without_bulletins),
		TEST(numbers_ascend_with_gaps_and_twins),
		TEST(only_new_ones_come),
		TEST(a_number_that_went_back_is_obeyed),
		TEST(one_stays_until_it_is_deleted),
		TEST(deletions_without_quit_are_none),
		TEST(only_the_marked_one_goes),
		TEST(a_list_that_cannot_be_written_fails_quit),
		TEST(nothing_is_missed_if_the_login_cannot_note_it),
		TEST(the_mail_behind_gets_its_marks),
		TEST(withdrawn_ones_are_gone),
		TEST(a_correction_is_seen_under_the_same_uid),
		TEST(it_stays_out),
	};

	return cmocka_run_group_tests_name("ext_bulletins", tests, NULL, NULL);
}
