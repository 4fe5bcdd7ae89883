/*
 * maildir_given.c - unique-ids that another server gave are kept.
 *
 * Runs in: tests.
 *
 * What is expected was said by the servers themselves: t/corpus/uids/README.md.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES 9 /* in maildir.names */

typedef char uid_text[POPPER_UID_MAX + 1];

/* A file of the corpus, to be freed. */
static char *
corpus(const char *name)
{
	const char *folder = getenv("POPPER_SRC");
	char path[512], *text;
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/t/corpus/uids/%s",
	    folder == NULL ? "." : folder, name);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: cannot open", path);
	text = calloc(1, 65536);
	assert_non_null(text);
	n = fread(text, 1, 65535, f);
	assert_true(n > 0 && feof(f));
	(void)fclose(f);
	return text;
}

/* The messages for which those servers made ids. */
static void
make_messages(void)
{
	char *names = corpus("maildir.names"), *rest = names, *name;
	char path[512];

	while ((name = strsep(&rest, "\n")) != NULL && *name != '\0') {
		(void)snprintf(path, sizeof(path), "Maildir/%s", name);
		bed_text(&bed, path, "Subject: x\n\nbody\n");
	}
	free(names);
}

static void
put_list(const char *name, const char *from)
{
	char path[128], *text = corpus(from);

	(void)snprintf(path, sizeof(path), "Maildir/%s", name);
	bed_text(&bed, path, text);
	free(text);
}

static size_t
uids(uid_text *out)
{
	void *self = opened();
	size_t i, count = drop()->count(self);

	for (i = 0; i < count; i++)
		(void)snprintf(out[i], sizeof(out[i]), "%s", uid(self, i));
	drop()->close(self);
	return count;
}

static bool
is_legal(const char *uid)
{
	size_t i;

	for (i = 0; uid[i] != '\0'; i++)
		if (uid[i] < 0x21 || uid[i] > 0x7e)
			return false;
	return i > 0 && i <= POPPER_UID_MAX;
}

/* Each id is what the other server answered to UIDL, or, where that is none
 * by RFC 1939, popper's own. */
static void
expect(const char *answers)
{
	char *text = corpus(answers), *rest = text, *line, *space;
	uid_text now[NAMES], native[NAMES];
	const char *scheme = conf.unique_id;
	size_t i, same = 0;

	conf.unique_id = "popper";
	assert_int_equal(uids(native), NAMES);
	conf.unique_id = scheme;
	assert_int_equal(uids(now), NAMES);
	for (i = 0; i < NAMES; i++) {
		line = strsep(&rest, "\n");
		assert_non_null(line);
		space = strchr(line, ' ');
		assert_non_null(space);
		if (is_legal(space + 1)) {
			assert_string_equal(now[i], space + 1);
			same++;
		} else
			assert_string_equal(now[i], native[i]);
	}
	assert_true(same >= NAMES / 2);
	free(text);
}

static int
set_up(void **state)
{
	conf.unique_id = "popper";
	conf.dovecot_format = "%08Xu%08Xv";
	return maildir_set_up(state);
}

static void
couriers_ids_are_kept(void **state)
{
	(void)state;
	make_messages();
	conf.unique_id = "courier";
	put_list("courierpop3dsizelist", "courierpop3dsizelist");
	expect("maildir.courier");
}

/* Of several versions: a name, a number, both. */
static void
couriers_old_ids_are_kept(void **state)
{
	(void)state;
	make_messages();
	conf.unique_id = "courier";
	put_list("courierpop3dsizelist", "courierpop3dsizelist.mixed");
	expect("maildir.courier-mixed");
}

static void
dovecots_ids_are_kept(void **state)
{
	(void)state;
	make_messages();
	conf.unique_id = "dovecot";
	put_list("dovecot-uidlist", "dovecot-uidlist");
	expect("maildir.dovecot");
}

static void
dovecots_saved_ids_go_before_its_format(void **state)
{
	(void)state;
	make_messages();
	conf.unique_id = "dovecot";
	put_list("dovecot-uidlist", "dovecot-uidlist.saved");
	expect("maildir.dovecot-saved");
}

static void
dovecots_file_names_are_kept(void **state)
{
	(void)state;
	make_messages();
	conf.unique_id = "dovecot";
	conf.dovecot_format = "%f";
	put_list("dovecot-uidlist", "dovecot-uidlist");
	expect("maildir.dovecot-filename");
	bed_remove(&bed, "state/uids");
	conf.dovecot_format = "%g";
	expect("maildir.dovecot-filename");
}

static void
qmail_has_the_name_up_to_the_colon(void **state)
{
	uid_text now[NAMES];

	(void)state;
	make_messages();
	conf.unique_id = "qmail";
	assert_int_equal(uids(now), NAMES);
	assert_string_equal(now[1], "1700000002.M2P2.host,S=17");
	/* No id at all by RFC 1939. */
	assert_memory_equal(now[3], "h-", 2);
	assert_memory_equal(now[6], "h-", 2);
	assert_int_equal(bed_logged("3 messages cannot have"), 1);
}

/* solid-pop3d lists the messages in another order. */
static void
solids_ids_are_kept(void **state)
{
	char *text = corpus("maildir.solid"), line[NAMES * 80];
	uid_text now[NAMES];
	size_t i;

	(void)state;
	make_messages();
	conf.unique_id = "solid";
	assert_int_equal(uids(now), NAMES);
	for (i = 0; i < NAMES; i++) {
		(void)snprintf(line, sizeof(line), " %s\n", now[i]);
		assert_non_null(strstr(text, line));
	}
	free(text);
}

/* printf 1.a,S=1 | md5sum */
static void
tpop3d_has_the_md5_of_the_name(void **state)
{
	void *self;

	(void)state;
	conf.unique_id = "tpop3d";
	bed_text(&bed, "Maildir/cur/1.a,S=1:2,S", "x\n");
	self = opened();
	assert_string_equal(uid(self, 0), "6841fe4fb32c571e14fe47cca63d0dce");
	drop()->close(self);
}

static void
they_stay_when_the_list_is_gone(void **state)
{
	uid_text before[NAMES], after[NAMES + 1];
	size_t i;

	(void)state;
	make_messages();
	conf.unique_id = "dovecot";
	put_list("dovecot-uidlist", "dovecot-uidlist");
	assert_int_equal(uids(before), NAMES);
	assert_int_equal(bed_logged("took 9 unique-ids"), 1);
	bed_remove(&bed, "Maildir/dovecot-uidlist");
	bed_text(&bed, "Maildir/new/1800000000.new", "x\n");
	bed_move(&bed, "Maildir/cur/1700000001.M1P1.host:2,S",
	    "Maildir/cur/1700000001.M1P1.host:2,FS");
	assert_int_equal(uids(after), NAMES + 1);
	for (i = 0; i < NAMES; i++)
		assert_string_equal(after[i], before[i]);
	assert_string_equal(after[NAMES], "1800000000.new");
	/* What came since keeps popper's id, whatever a list says later. */
	bed_text(&bed, "Maildir/dovecot-uidlist",
	    "3 V9 N99 G0\n50 :1800000000.new\n");
	assert_int_equal(uids(after), NAMES + 1);
	assert_string_equal(after[NAMES], "1800000000.new");
	assert_string_equal(after[0], before[0]);
}

/* They come from the index, whose names and numbers are popper's own. */
static void
the_index_keeps_nothing_of_a_scheme(void **state)
{
	uid_text native[NAMES], given[NAMES], again[NAMES];
	size_t i;

	(void)state;
	make_messages();
	assert_int_equal(uids(native), NAMES);
	conf.unique_id = "solid";
	assert_int_equal(uids(given), NAMES);
	conf.unique_id = "native";
	assert_int_equal(uids(again), NAMES);
	for (i = 0; i < NAMES; i++) {
		assert_string_equal(again[i], native[i]);
		assert_string_not_equal(again[i], given[i]);
	}
}

/* Not the first session's option, but another one later. */
static void
another_option_is_told(void **state)
{
	const char *told = "have other unique-ids than in the last session";
	uid_text now[NAMES];

	(void)state;
	make_messages();
	conf.unique_id = "solid";
	assert_int_equal(uids(now), NAMES);
	assert_int_equal(uids(now), NAMES);
	assert_int_equal(bed_logged(told), 0);
	conf.unique_id = "tpop3d"; /* makes the same ids */
	assert_int_equal(uids(now), NAMES);
	assert_int_equal(bed_logged(told), 0);
	conf.unique_id = "native";
	assert_int_equal(uids(now), NAMES);
	assert_int_equal(bed_logged(told), 1);
	assert_int_equal(bed_logged("9 of 9 messages"), 1);
	assert_int_equal(bed_logged("unique-id was tpop3d then"), 1);
	conf.unique_id = "popper";
	assert_int_equal(uids(now), NAMES);
	/* What was taken over stays under any option. */
	conf.unique_id = "dovecot";
	put_list("dovecot-uidlist", "dovecot-uidlist");
	assert_int_equal(uids(now), NAMES);
	conf.unique_id = "popper";
	assert_int_equal(uids(now), NAMES);
	assert_int_equal(strlen(now[0]), 16);
	assert_int_equal(bed_logged(told), 1);
}

static void
no_two_messages_have_one_id(void **state)
{
	uid_text now[6];
	size_t i, k;

	(void)state;
	conf.unique_id = "dovecot";
	bed_text(&bed, "Maildir/cur/1.a:2,", "1\n");
	bed_text(&bed, "Maildir/cur/2.b:2,", "2\n");
	bed_text(&bed, "Maildir/cur/3.c:2,", "3\n");
	bed_text(&bed, "Maildir/cur/4.d:2,", "4\n");
	bed_text(&bed, "Maildir/new/4.d", "4\n");
	bed_text(&bed, "Maildir/cur/5.e:2,", "5\n");
	/* One claims another's own id, two the same, one an impossible one. */
	bed_text(&bed, "Maildir/dovecot-uidlist",
	    "3 V1 N9\n1 P2.b :1.a\n3 Psame :3.c\n4 Psame :4.d\n"
	    "5 P\xc3\xa4 :5.e\nrubbish\n7\n8 :\n9 P :\n");
	assert_int_equal(uids(now), 6);
	for (i = 0; i < 6; i++) {
		assert_true(is_legal(now[i]));
		for (k = 0; k < i; k++)
			assert_string_not_equal(now[i], now[k]);
	}
	assert_string_equal(now[0], "1.a");
	assert_string_equal(now[1], "2.b");
	assert_string_equal(now[2], "same");
	assert_int_equal(bed_logged("2 messages cannot have"), 1);
}

static void
expect_refused(const char *log)
{
	struct popper_message message;
	void *self = opened();

	assert_int_equal(
	    drop()->describe(self, 0, POPPER_WANT_UID, &message, &error), -1);
	assert_int_equal(error.status, POPPER_PERMANENT);
	assert_non_null(strstr(error.text, log));
	drop()->close(self);
}

/* Better no ids than new ones for all mail. */
static void
a_list_that_cannot_be_used_is_told(void **state)
{
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/cur/1.a:2,", "1\n");
	conf.unique_id = "dovecot";
	bed_folder(&bed, "Maildir/dovecot-uidlist");
	expect_refused("cannot be read");
	conf.unique_id = "courier";
	bed_text(&bed, "Maildir/courierpop3dsizelist", "/1 9 9\n1.a:2, 5\n");
	expect_refused("is of a version that has no unique-ids");
	bed_file(&bed, "Maildir/courierpop3dsizelist", "/3 1 1\na\0b\n", 11);
	expect_refused("cannot be read");
	bed_remove(&bed, "Maildir/courierpop3dsizelist");
	bed_text(&bed, "state/uids", "popper uids 1\na - b\n");
	expect_refused("is damaged");
	bed_text(&bed, "state/uids", "popper uids 1\na b\nend\n");
	expect_refused("is damaged");
	bed_remove(&bed, "state/uids");
	self = opened();
	assert_string_equal(uid(self, 0), "1.a"); /* no list, no trouble */
	drop()->close(self);
}

#define GIVEN_TEST(f) \
	cmocka_unit_test_setup_teardown(f, set_up, maildir_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = { GIVEN_TEST(couriers_ids_are_kept),
		GIVEN_TEST(couriers_old_ids_are_kept),
		GIVEN_TEST(dovecots_ids_are_kept),
		GIVEN_TEST(dovecots_saved_ids_go_before_its_format),
		GIVEN_TEST(dovecots_file_names_are_kept),
		GIVEN_TEST(qmail_has_the_name_up_to_the_colon),
		GIVEN_TEST(solids_ids_are_kept),
		GIVEN_TEST(tpop3d_has_the_md5_of_the_name),
		GIVEN_TEST(they_stay_when_the_list_is_gone),
		GIVEN_TEST(the_index_keeps_nothing_of_a_scheme),
		GIVEN_TEST(another_option_is_told),
		GIVEN_TEST(no_two_messages_have_one_id),
		GIVEN_TEST(a_list_that_cannot_be_used_is_told) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
