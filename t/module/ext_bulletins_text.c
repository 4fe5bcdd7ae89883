/*
 * ext_bulletins_text.c - what a bulletin becomes, and those that are broken.
 *
 * Runs in: tests.
 */
#include "bulletins_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulletins.h"

/* --- The text. --- */

static void
expect(const char *stored, const char *seen)
{
	bed_text(&bulletins_bed, "bulletins/1", stored);
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_count(), 1);
	assert_string_equal(bulletins_read(0), seen);
	bulletins_logout();
}

static void
to_becomes_the_user(void **state)
{
	(void)state;
	expect("From root Mon Jan  1 00:00:00 2001\nTo: everybody@example.org\n"
	       "Subject: x\n\nTo: body\n",
	    "To: alice@pop.example.org\nSubject: x\n\nTo: body\n");
	expect("to:a\nTO : b\nTopic: c\nTo\t:d\nReply-To: e\n\n",
	    "To: alice@pop.example.org\nTo: alice@pop.example.org\nTopic: c\n"
	    "To: alice@pop.example.org\nReply-To: e\n\n");
	expect("To: a,\n b,\n\tc\nCc: d,\n e\n\n",
	    "To: alice@pop.example.org\nCc: d,\n e\n\n");
	expect("To: a,\r\n b\r\nX: y\r\n\r\nz\r\n",
	    "To: alice@pop.example.org\r\nX: y\r\n\r\nz\r\n");
	expect("To:\n\n", "To: alice@pop.example.org\n\n");
	expect("To: a", "To: alice@pop.example.org");
	expect("To:", "To: alice@pop.example.org");
}

static void
notes_of_mail_programs_go(void **state)
{
	(void)state;
	expect("Status: RO\nX-UIDL: 12\n more\nX-Status: A\nStatusses: x\n"
	       "X-UIDL : z\n\nStatus: RO\n",
	    "X-Status: A\nStatusses: x\n\nStatus: RO\n");
	expect("A: b\r\nstatus:\r\n O\r\n\r\n", "A: b\r\n\r\n");
}

static void
all_else_stays(void **state)
{
	(void)state;
	expect("From a b\nFrom: c\nFrom d\n\nFrom e\n>From f\n",
	    "From: c\nFrom d\n\nFrom e\n>From f\n");
	expect("A: b\n\nno end", "A: b\n\nno end");
	expect(
	    "A: b\n\nmixed\r\nends\n\r\n\n", "A: b\n\nmixed\r\nends\n\r\n\n");
	expect("\nnothing but a body\n", "\nnothing but a body\n");
	expect("\r\nbody\r\n", "\r\nbody\r\n");
	expect("no header at all\n", "no header at all\n");
	expect("A: b\n.\n..\n\n.\n", "A: b\n.\n..\n\n.\n");
	expect("X: \xe4\x01\n\n\xff", "X: \xe4\x01\n\n\xff");
	expect("A: \r b\nTo\r: x\n\n", "A: \r b\nTo\r: x\n\n");
}

/* Lines longer than any buffer; names that only almost are. */
static void
long_lines_stay(void **state)
{
	static char stored[40000], seen[40100];
	char *to;

	(void)state;
	memset(stored, 'x', sizeof(stored) - 1);
	memcpy(stored, "Subject: ", 9);
	memcpy(stored + 20000, "\nTo: ", 5);
	memcpy(stored + 36000, "\n\nbody", 6);
	memcpy(seen, stored, 20001);
	to = seen + 20001;
	to += sprintf(to, "To: alice@pop.example.org");
	(void)snprintf(to, 4500, "%s", stored + 36000);
	expect(stored, seen);
	memset(stored, ' ', 200);
	memcpy(stored, "To", 2);
	memcpy(stored + 100, ": x\n\n\0", 6);
	expect(
	    stored, stored); /* 98 blanks before a colon: no header of mail */
}

static void
addresses(void **state)
{
	char out[600];

	(void)state;
	bulletins_address(out, sizeof(out), "bob", "h");
	assert_string_equal(out, "bob@h");
	bulletins_address(out, sizeof(out), "bob@d.example", "h");
	assert_string_equal(out, "bob@d.example");
	bulletins_address(out, sizeof(out), "a b\"@d", "h");
	assert_string_equal(out, "\"a b\\\"\"@d");
	bulletins_address(out, sizeof(out), "", "h");
	assert_string_equal(out, "\"\"@h");
	bulletins_address(out, sizeof(out), "j\xc3\xbcrg", "h");
	assert_string_equal(out, "undisclosed-recipients:;");
	bulletins_address(out, sizeof(out), "x\nBcc: y", "h");
	assert_string_equal(out, "undisclosed-recipients:;");
	memset(out, 'u', 255);
	out[255] = '\0';
	{
		char user[256], small[200];

		memcpy(user, out, 256);
		memset(user, '"', 255);
		bulletins_address(small, sizeof(small), user, "host");
		assert_true(strlen(small) < sizeof(small));
	}
}

/* --- Broken bulletins: the others come, and these once they are mended. --- */

static void
good_ones_around(void)
{
	bed_text(&bulletins_bed, ".popbull", "0\n");
	bulletins_post("1", "one");
	bulletins_post("3", "three");
}

static void
a_link_hurts_nobody(void **state)
{
	(void)state;
	good_ones_around();
	assert_int_equal(
	    symlink("1", bed_path(&bulletins_bed, "bulletins/2")), 0);
	assert_string_equal(bulletins_subjects(), "one,three");
	assert_int_equal(bed_logged("links are not followed"), 1);
	assert_string_equal(bulletins_text(".popbull"), "3\n");
	bed_remove(&bulletins_bed, "bulletins/2");
	bulletins_post("2", "two");
	assert_string_equal(bulletins_subjects(), "one,two,three");
}

static void
nor_does_a_folder_or_a_fifo(void **state)
{
	(void)state;
	good_ones_around();
	bed_folder(&bulletins_bed, "bulletins/2.folder");
	assert_int_equal(
	    mkfifo(bed_path(&bulletins_bed, "bulletins/2.fifo"), 0644), 0);
	assert_string_equal(bulletins_subjects(), "one,three");
	assert_int_equal(bed_logged("not a regular file"), 2);
}

static void
nor_an_empty_or_a_huge_one(void **state)
{
	(void)state;
	good_ones_around();
	bulletins_options.max_size = 200;
	bed_text(&bulletins_bed, "bulletins/2.empty", "");
	bed_text(&bulletins_bed, "bulletins/2.from", "From x\n");
	bulletins_post("4", "four");
	assert_int_equal(
	    truncate(bed_path(&bulletins_bed, "bulletins/4"), (off_t)1 << 40),
	    0);
	assert_string_equal(bulletins_subjects(), "one,three");
	assert_int_equal(bed_logged(": empty"), 2);
	assert_int_equal(bed_logged("larger than max-size"), 1);
}

/* As root everything is readable. */
static int
without_rights(void *arg)
{
	const char *said;

	(void)arg;
	CHECK(chmod(bed_path(&bulletins_bed, "bulletins/2"), 0) == 0);
	bulletins_bed.identity.uid = geteuid();
	said = bulletins_subjects();
	CHECK(strcmp(said, "one,three") == 0);
	CHECK(bed_logged("chmod 644") == 1);
	CHECK(chmod(bed_path(&bulletins_bed, "bulletins/2"), 0600) == 0);
	CHECK(strcmp(bulletins_subjects(), "one,two,three") == 0);
	CHECK(chmod(bed_path(&bulletins_bed, "bulletins"), 0) == 0);
	CHECK(strcmp(bulletins_subjects(), "") == 0);
	CHECK(bed_logged("chmod 755") == 1);
	CHECK(chmod(bed_path(&bulletins_bed, "bulletins"), 0700) == 0);
	CHECK(strcmp(bulletins_subjects(), "one,two,three") == 0);
	return 0;
}

static void
nor_one_without_rights(void **state)
{
	(void)state;
	good_ones_around();
	bulletins_post("2", "two");
	assert_int_equal(
	    bed_as_nobody(&bulletins_bed, without_rights, NULL), 0);
}

static void
nor_a_folder_that_is_not_there(void **state)
{
	(void)state;
	bed_move(&bulletins_bed, "bulletins", "away");
	assert_string_equal(bulletins_subjects(), "");
	/* Nothing is noted, or he would get all of them as new later. */
	assert_string_equal(bulletins_text(".popbull"), "\n");
	assert_null(bulletins_text("state/bulletins"));
	bed_move(&bulletins_bed, "away", "bulletins");
	bulletins_post("1", "one");
	bulletins_post("2", "two");
	assert_string_equal(bulletins_subjects(), "two");
}

/* --- The unique-ids of mail. --- */

static const char *forged;

static int
describe(void *self, size_t i, unsigned want, struct popper_message *m,
    struct popper_error *e)
{
	(void)self;
	(void)i;
	(void)want;
	(void)e;
	(void)snprintf(m->uid, sizeof(m->uid), "%s", forged);
	return 0;
}

static void
expect_uid(const char *given, const char *shown)
{
	struct popper_drop inner = { .describe = describe };
	struct bulletins b = { .inner = &inner, .inner_count = 1 };
	struct popper_message m = { .octets = 0 };

	forged = given;
	assert_int_equal(bulletins_drop.describe(
			     &b, 0, POPPER_WANT_UID, &m, &bulletins_error),
	    0);
	assert_string_equal(m.uid, shown);
}

static void
mail_cannot_take_a_bulletins_uid(void **state)
{
	char uid[POPPER_UID_MAX + 1], marked[POPPER_UID_MAX + 1];

	(void)state;
	expect_uid("1234.M5", "1234.M5");
	expect_uid("~x", "~x");
	expect_uid("bulletin", "bulletin");
	expect_uid(
	    "bulletin-1-0123456789abcdef", "~bulletin-1-0123456789abcdef");
	expect_uid("~bulletin-1", "~~bulletin-1");
	memset(uid, 'x', sizeof(uid));
	memcpy(uid, "bulletin-", 9);
	uid[POPPER_UID_MAX] = '\0';
	marked[0] = '~';
	memcpy(marked + 1, uid, POPPER_UID_MAX - 1);
	marked[POPPER_UID_MAX] = '\0';
	expect_uid(uid, marked);
}

#define TEST(f)                          \
	cmocka_unit_test_setup_teardown( \
	    f, bulletins_set_up, bulletins_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(to_becomes_the_user),
		TEST(notes_of_mail_programs_go),
		TEST(all_else_stays),
		TEST(long_lines_stay),
		TEST(addresses),
		TEST(a_link_hurts_nobody),
		TEST(nor_does_a_folder_or_a_fifo),
		TEST(nor_an_empty_or_a_huge_one),
		TEST(nor_one_without_rights),
		TEST(nor_a_folder_that_is_not_there),
		TEST(mail_cannot_take_a_bulletins_uid),
	};

	return cmocka_run_group_tests_name(
	    "ext_bulletins_text", tests, NULL, NULL);
}
