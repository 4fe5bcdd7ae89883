/*
 * mbox_given.c - unique-ids that another server gave are kept.
 *
 * Runs in: tests.
 *
 * What is expected was said by the servers themselves: t/corpus/uids/README.md.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rig.h"

#define MESSAGES 16 /* in the corpus */

typedef char uid_text[POPPER_UID_MAX + 1];

/* A file of the corpus, to be freed. */
static char *
corpus(const char *name)
{
	const char *folder = getenv("POPPER_SRC");
	char path[512], *text;
	struct popper_slice s;

	(void)snprintf(path, sizeof(path), "%s/t/corpus/uids/%s",
	    folder == NULL ? "." : folder, name);
	s = rig_get(path);
	text = strndup(s.ptr, s.len);
	assert_non_null(text);
	free((void *)(uintptr_t)s.ptr);
	return text;
}

static size_t
uids(struct rig *r, uid_text *out)
{
	size_t i, count;

	rig_close(r);
	rig_open(r);
	count = r->drop->count(r->self);
	for (i = 0; i < count; i++)
		rig_uid(r, i, out[i]);
	return count;
}

/* The ids that the other server answered; returns how many. */
static size_t
answers(const char *name, uid_text *out)
{
	char *text = corpus(name), *rest = text, *line, *space;
	size_t i;

	for (i = 0; i < MESSAGES && *rest != '\0'; i++) {
		line = strsep(&rest, "\n");
		assert_non_null(line);
		space = strchr(line, ' ');
		assert_non_null(space);
		assert_true(strlen(space + 1) <= POPPER_UID_MAX);
		(void)strcpy(out[i], space + 1);
	}
	free(text);
	return i;
}

static void
put(struct rig *r, const char *name)
{
	char *mail = corpus(name);

	rig_put(r, mail);
	free(mail);
}

/* Of several messages to which the other server gave one id, the first has it
 * here. */
static void
expect(struct rig *r, const char *name)
{
	uid_text want[MESSAGES], have[MESSAGES];
	size_t i, k, same = 0, count = answers(name, want);

	assert_true(count >= MESSAGES - 1);
	assert_int_equal(uids(r, have), count);
	for (i = 0; i < count; i++) {
		for (k = 0; k < i && strcmp(want[k], want[i]) != 0; k++)
			;
		if (k == i) {
			assert_string_equal(have[i], want[i]);
			same++;
		}
		for (k = 0; k < i; k++)
			assert_string_not_equal(have[k], have[i]);
	}
	assert_true(same >= MESSAGES - 4);
}

static void
popa3ds_ids_are_kept(void **state)
{
	struct rig *r = *state;

	put(r, "mbox");
	r->conf.unique_id = "popa3d";
	expect(r, "mbox.popa3d");
}

static void
solids_ids_are_kept(void **state)
{
	struct rig *r = *state;

	put(r, "mbox");
	r->conf.unique_id = "solid";
	expect(r, "mbox.solid");
}

/* It writes them into the headers. */
static void
mailutils_ids_are_kept(void **state)
{
	struct rig *r = *state;

	put(r, "mbox-mailutils");
	r->conf.unique_id = "mailutils";
	expect(r, "mbox.mailutils");
}

/* The MD5 of the first 512 octets, or of all that there are:
 * printf 'From ...\nA: b\n\nText\n' | md5sum */
static void
tpop3d_has_the_md5_of_the_beginning(void **state)
{
	struct rig *r = *state;
	uid_text have[2];
	char more[2048];

	rig_put(r, FROM_A "A: b\n\nText\n\n");
	r->conf.unique_id = "tpop3d";
	assert_int_equal(uids(r, have), 1);
	assert_string_equal(have[0], "73410736d8a33c98e70eca69b8373770");
	/* What comes behind does not count. */
	(void)snprintf(more, sizeof(more), FROM_A "A: %0600d\n\n", 1);
	rig_put(r, more);
	assert_int_equal(uids(r, have), 1);
	assert_string_equal(have[0], "6a9e8921078042283cbc3f8c3a85f49e");
	(void)snprintf(more, sizeof(more), FROM_A "A: %0600d\n\nmore\n\n", 2);
	rig_put(r, more);
	assert_int_equal(uids(r, have + 1), 1);
	assert_string_equal(have[0], have[1]);
}

static void
numbers_of_imap_servers_are_kept(void **state)
{
	struct rig *r = *state;

	put(r, "mbox-imap");
	r->conf.unique_id = "dovecot";
	expect(r, "mbox-imap.dovecot");
	assert_true(rig_exists(r, "uids"));
	rig_close(r);
	assert_int_equal(unlinkat(r->state, "uids", 0), 0);
	r->conf.unique_id = "uw";
	expect(r, "mbox-imap.uw");
}

static void
other_forms_of_dovecot_are_known(void **state)
{
	static const struct {
		const char *format, *uid;
	} forms[] = { { "%v.%u", "10.3" }, { "%v-%u", "10-3" }, { "%u", "3" },
		{ "%08Xv%08Xu", "0000000a00000003" },
		{ "%{uid|hex(8)}%{uidvalidity|hex(8)}", "000000030000000a" } };
	struct rig *r = *state;
	uid_text have[1];
	size_t i;

	r->conf.unique_id = "dovecot";
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		r->conf.dovecot_format = forms[i].format;
		rig_put(
		    r, FROM_A "X-IMAPbase: 10 5 word\nX-UID: 3\n\nText\n\n");
		assert_int_equal(uids(r, have), 1);
		assert_string_equal(have[0], forms[i].uid);
		rig_close(r);
		assert_int_equal(unlinkat(r->state, "uids", 0), 0);
	}
}

#define ONE FROM_A "X-IMAPbase: 10 5\nX-UID: 1\nSubject: 1\n\nText\n\n"
#define MAIL(uid, subject) \
	FROM_A "X-UID: " uid "\nSubject: " subject "\n\nText\n\n"

/* With the first message goes what says which numbers they are. */
static void
they_stay_when_the_first_is_deleted(void **state)
{
	struct rig *r = *state;
	uid_text have[3];

	rig_put(r, ONE MAIL("2", "2") MAIL("5", "5"));
	r->conf.unique_id = "uw";
	assert_int_equal(uids(r, have), 3);
	assert_string_equal(have[2], "0000000a00000005");
	assert_int_equal(rig_commit(r, "D--"), POPPER_DONE);
	assert_int_equal(uids(r, have), 2);
	assert_string_equal(have[0], "0000000a00000002");
	assert_string_equal(have[1], "0000000a00000005");
}

/* A sender can write such fields, too. */
static void
forged_numbers_are_not_taken(void **state)
{
	struct rig *r = *state;
	uid_text have[8];

	/* Never given out, twice, going back, too large, none. */
	rig_put(r,
	    ONE MAIL("6", "a") MAIL("1", "b") MAIL("4", "c") MAIL("3", "d")
		MAIL("99999999999", "e") MAIL("x", "f"));
	r->conf.unique_id = "uw";
	assert_int_equal(uids(r, have), 7);
	assert_string_equal(have[0], "0000000a00000001");
	assert_string_equal(have[3], "0000000a00000004");
	assert_int_equal(strlen(have[1]), MBOX_HASH_TEXT);
	assert_int_equal(strlen(have[2]), MBOX_HASH_TEXT);
	assert_int_equal(strlen(have[4]), MBOX_HASH_TEXT);
	assert_int_equal(strlen(have[5]), MBOX_HASH_TEXT);
	assert_int_equal(strlen(have[6]), MBOX_HASH_TEXT);
	/* And none once they have been taken over. */
	rig_deliver(r, MAIL("5", "late"));
	assert_int_equal(uids(r, have), 8);
	assert_string_equal(have[3], "0000000a00000004");
	assert_int_equal(strlen(have[7]), MBOX_HASH_TEXT);
}

static void
an_equal_message_gets_no_id_of_a_removed_one(void **state)
{
	struct rig *r = *state;
	uid_text first[3], have[2];

	rig_put(r, ONE MAIL("2", "same") MAIL("0", "same"));
	r->conf.unique_id = "uw";
	assert_int_equal(uids(r, first), 3);
	assert_string_equal(first[1], "0000000a00000002");
	assert_int_equal(rig_commit(r, "-D-"), POPPER_DONE);
	assert_int_equal(uids(r, have), 2);
	assert_string_equal(have[0], first[0]);
	assert_string_not_equal(have[1], first[1]);
}

static void
x_uidl_counts_only_where_it_should(void **state)
{
	struct rig *r = *state;
	uid_text have[1];

	rig_put(r, FROM_A "X-UIDL: abc\n\nText\n\n");
	r->conf.unique_id = "mailutils";
	assert_int_equal(uids(r, have), 1);
	assert_string_equal(have[0], "abc");
	r->conf.unique_id = "x-uidl";
	assert_int_equal(uids(r, have), 1);
	assert_string_equal(have[0], "abc");
	r->conf.unique_id = "popa3d";
	assert_int_equal(uids(r, have), 1);
	assert_string_equal(have[0], "d98c1dd404b2008f"); /* of nothing */
	r->conf.unique_id = "uw";
	assert_int_equal(uids(r, have), 1);
	assert_int_equal(strlen(have[0]), MBOX_HASH_TEXT);
}

static void
a_damaged_state_file_is_told(void **state)
{
	struct popper_message message;
	struct rig *r = *state;
	int fd;

	rig_put(r, FROM_A "A: b\n\nText\n\n");
	fd = openat(r->state, "uids", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "popper uids 1\nx\nend\n", 20), 20);
	assert_int_equal(close(fd), 0);
	rig_open(r);
	assert_int_equal(
	    r->drop->describe(r->self, 0, POPPER_WANT_UID, &message, &r->error),
	    -1);
	assert_int_equal(r->error.status, POPPER_PERMANENT);
	assert_non_null(strstr(r->error.text, "is damaged"));
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(popa3ds_ids_are_kept),
		RIGGED(solids_ids_are_kept),
		RIGGED(mailutils_ids_are_kept),
		RIGGED(tpop3d_has_the_md5_of_the_beginning),
		RIGGED(numbers_of_imap_servers_are_kept),
		RIGGED(other_forms_of_dovecot_are_known),
		RIGGED(they_stay_when_the_first_is_deleted),
		RIGGED(forged_numbers_are_not_taken),
		RIGGED(an_equal_message_gets_no_id_of_a_removed_one),
		RIGGED(x_uidl_counts_only_where_it_should),
		RIGGED(a_damaged_state_file_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
