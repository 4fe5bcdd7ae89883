/*
 * mbox_uids.c - unique-ids stay, whatever happens around a message.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_rig.h"

typedef char uid_t_text[POPPER_UID_MAX + 1];

#define ONE FROM_A "Subject: one\nDate: x\n\nText\nand more\n\n"
#define TWO FROM_B "Subject: two\n\nText\n\n"
#define TWIN FROM_B "Subject: twin\n\nTwin\n\n"

/* Put ${file}, open it and store the ids of its messages. */
static size_t
uids_of(struct rig *r, const char *file, uid_t_text *uids)
{
	size_t i, count;

	if (file != NULL)
		rig_put(r, file);
	rig_close(r);
	rig_open(r);
	count = r->drop->count(r->self);
	for (i = 0; i < count; i++)
		rig_uid(r, i, uids[i]);
	return count;
}

static void
ids_are_well_formed_and_stay(void **state)
{
	struct rig *r = *state;
	uid_t_text first[3], later[3];
	size_t i;

	assert_int_equal(uids_of(r, ONE TWO, first), 2);
	for (i = 0; first[0][i] != '\0'; i++)
		assert_in_range(first[0][i], 0x21, 0x7e);
	assert_int_equal(i, MBOX_HASH_TEXT);
	assert_string_not_equal(first[0], first[1]);
	/* Delivered, removed, delivered: the others keep theirs. */
	rig_deliver(r, TWIN);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	assert_int_equal(uids_of(r, NULL, later), 2);
	assert_string_equal(later[0], first[1]);
	assert_string_not_equal(later[1], first[0]);
	assert_string_not_equal(later[1], first[1]);
}

/* The same message as mail programs leave it behind. */
static void
private_fields_and_line_ends_do_not_count(void **state)
{
	static const char *const forms[] = {
		FROM_A
		"Status: RO\nSubject: one\nDate: x\n\nText\nand more\n\n",
		FROM_A "Subject: one\nX-Status: A\nX-Keywords:\n a\n b\n"
		       "Date: x\nstatus: O\nX-UID: 7\nX-UIDL: a b\n"
		       "Content-Length: 14\nX-IMAPbase: 1 2\n\n"
		       "Text\nand more\n\n",
		"From alice@example.org Thu Jan  1 00:00:00 1970\r\n"
		"Subject: one\r\nDate: x\r\n\r\nText\r\nand more\r\n\r\n",
		FROM_A "Subject: one\nDate: x\n\nText\nand more\n",
		FROM_A "Subject: one\nDate: x\n\nText\nand more",
	};
	struct rig *r = *state;
	struct popper_message message;
	uid_t_text plain[1], uid[1];
	size_t i;

	assert_int_equal(uids_of(r, ONE, plain), 1);
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		assert_int_equal(uids_of(r, forms[i], uid), 1);
		if (strcmp(uid[0], plain[0]) != 0)
			fail_msg("form %zu", i);
		assert_int_equal(r->drop->describe(r->self, 0,
				     POPPER_WANT_FLAGS, &message, &r->error),
		    0);
		assert_int_equal(
		    message.flags, i == 0 ? POPPER_MESSAGE_SEEN : 0);
	}
}

/* Another message, another id: each part of it counts. */
static void
other_messages_have_other_ids(void **state)
{
	static const char *const forms[] = { ONE,
		FROM_B "Subject: one\nDate: x\n\nText\nand more\n\n",
		FROM_A "Subject: One\nDate: x\n\nText\nand more\n\n",
		FROM_A "Subject: one\n Date: x\n\nText\nand more\n\n",
		FROM_A "Subject: one\nDate: x\n\nText\nand mode\n\n",
		FROM_A "Subject: one\nDate: x\n\nText\nand more\n\n\n",
		FROM_A "Subject: one\n\nDate: x\nText\nand more\n\n",
		FROM_A "\nSubject: one\nDate: x\n\nText\nand more\n\n",
		FROM_A };
	struct rig *r = *state;
	uid_t_text uids[sizeof(forms) / sizeof(*forms)];
	size_t i, k;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		for (assert_int_equal(uids_of(r, forms[i], &uids[i]), 1), k = 0;
		     k < i; k++)
			if (strcmp(uids[i], uids[k]) == 0)
				fail_msg("%zu and %zu", i, k);
}

/* Header lines longer than any window, cut anywhere; a private one, too. */
static void
long_lines_are_hashed_whole(void **state)
{
	struct rig *r = *state;
	uid_t_text lf[1], crlf[1], with[1];
	char *file = malloc(200000), *p;
	size_t n;

	assert_non_null(file);
	for (n = 8100; n < 8300; n++) {
		p = file + sprintf(file, FROM_A "X: ");
		p = (char *)memset(p, 'x', n) + n;
		(void)strcpy(p, "\nA: b\n\nBody\n\n");
		uids_of(r, file, lf);
		(void)strcpy(p, "\r\nA: b\r\n\r\nBody\r\n\r\n");
		uids_of(r, file, crlf);
		assert_string_equal(crlf[0], lf[0]);
		p += sprintf(p, "\nX-Keywords: ");
		p = (char *)memset(p, 'x', n) + n;
		(void)strcpy(p, "\r\nA: b\r\n\r\nBody\r\n\r\n");
		uids_of(r, file, with);
		assert_string_equal(with[0], lf[0]);
	}
	free(file);
}

static void
twins_are_told_apart(void **state)
{
	struct rig *r = *state;
	uid_t_text first[4], later[4], last[4];

	assert_int_equal(uids_of(r, TWIN ONE TWIN TWIN, first), 4);
	assert_string_not_equal(first[0], first[2]);
	assert_string_not_equal(first[0], first[3]);
	assert_string_not_equal(first[2], first[3]);
	assert_false(rig_exists(r, "twins"));
	assert_int_equal(rig_commit(r, "D---"), POPPER_DONE);
	assert_true(rig_exists(r, "twins"));
	assert_int_equal(uids_of(r, NULL, later), 3);
	assert_string_equal(later[0], first[1]);
	assert_string_equal(later[1], first[2]);
	assert_string_equal(later[2], first[3]);
	/* The last of them goes and another comes: its id is new. */
	assert_int_equal(rig_commit(r, "--D"), POPPER_DONE);
	rig_deliver(r, TWIN);
	assert_int_equal(uids_of(r, NULL, last), 3);
	assert_string_equal(last[1], first[2]);
	assert_string_not_equal(last[2], first[0]);
	assert_string_not_equal(last[2], first[2]);
	assert_string_not_equal(last[2], first[3]);
	/* No twin is left: nothing is to be remembered. */
	assert_int_equal(rig_commit(r, "-DD"), POPPER_DONE);
	assert_false(rig_exists(r, "twins"));
}

/* A client that never asks for ids costs others nothing. */
static void
twins_are_remembered_without_uidl(void **state)
{
	struct rig *r = *state;
	uid_t_text first[2], later[1];

	assert_int_equal(uids_of(r, TWIN TWIN, first), 2);
	rig_close(r);
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	assert_int_equal(uids_of(r, NULL, later), 1);
	assert_string_equal(later[0], first[1]);
	rig_close(r);
	rig_open(r);
	assert_int_equal(rig_commit(r, "D"), POPPER_DONE);
	assert_false(rig_exists(r, "twins"));
}

static void
write_state(struct rig *r, const char *text)
{
	int fd = openat(r->state, "twins", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
a_damaged_record_is_ignored(void **state)
{
#define FIRST "popper mbox twins 1\n"
	/* What stands before the hash and behind it. */
	static const char *const around[][2] = { { "", "" },
		{ FIRST, " 2 2\n" }, { FIRST, " 3 2\nend\n" },
		{ FIRST, " 0 2\nend\n" }, { FIRST, " 2\nend\n" },
		{ FIRST, " 2 2 \nend\n" }, { FIRST, " 2 9999999999\nend\n" },
		{ FIRST "x", " 2 2\nend\n" }, { "other\n", " 2 2\nend\n" },
		{ FIRST, " 2 2\nend\nx" } };
	struct rig *r = *state;
	uid_t_text first[2], later[2];
	char text[256];
	size_t i;

	assert_int_equal(uids_of(r, TWIN TWIN, first), 2);
	for (i = 0; i < sizeof(around) / sizeof(*around); i++) {
		(void)snprintf(text, sizeof(text), "%s%s%s", around[i][0],
		    first[0], around[i][1]);
		write_state(r, text);
		assert_int_equal(uids_of(r, NULL, later), 2);
		assert_string_equal(later[0], first[0]);
		assert_string_equal(later[1], first[1]);
		assert_non_null(strstr(rig_log(), "twins"));
	}
	/* Two messages must never get one id. */
	(void)sprintf(text, FIRST "%s 2 2\n%s 2 2\nend\n", first[0], first[0]);
	write_state(r, text);
	uids_of(r, NULL, later);
	assert_string_not_equal(later[0], later[1]);
	/* And one that is good is not. */
	(void)sprintf(text, FIRST "%s 2 7\nend\n", first[0]);
	write_state(r, text);
	uids_of(r, NULL, later);
	assert_string_equal(later[0], first[1]);
	assert_string_equal(strchr(later[1], '.'), ".8");
}

/* Where the empty line comes from makes no difference: the program that
 * delivers writes it behind a message, or in front of the next one (dma). After
 * a removal it is there already, as most programs want it. */
static void
empty_lines_in_front_or_behind(void **state)
{
	static const char one[] = FROM_A "Subject: one\n\nText\n";
	struct rig *r = *state;
	uid_t_text first[2], later[2];

	assert_int_equal(uids_of(r, one, first), 1);
	rig_deliver(r, "\n" FROM_B "Subject: two\n\nText\n");
	assert_int_equal(uids_of(r, NULL, later), 2);
	assert_string_equal(later[0], first[0]);
	assert_int_equal(rig_commit(r, "-D"), POPPER_DONE);
	rig_deliver(r, TWO);
	assert_int_equal(uids_of(r, NULL, later), 2);
	assert_string_equal(later[0], first[0]);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(ids_are_well_formed_and_stay),
		RIGGED(private_fields_and_line_ends_do_not_count),
		RIGGED(other_messages_have_other_ids),
		RIGGED(long_lines_are_hashed_whole),
		RIGGED(twins_are_told_apart),
		RIGGED(twins_are_remembered_without_uidl),
		RIGGED(a_damaged_record_is_ignored),
		RIGGED(empty_lines_in_front_or_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
