/*
 * mbox_xuidl.c - unique-ids that another server has given stay.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mbox_xuidl.h"

#define HEAD FROM_A "X-UIDL: "
#define REST "\nSubject: x\n\nText\n\n"

typedef char uid_text[POPPER_UID_MAX + 1];

/* Put ${file}, if any, open it and store the ids of its messages. */
static size_t
uids_of(struct rig *r, const char *file, uid_text *uids)
{
	size_t i, count;

	rig_close(r);
	if (file != NULL)
		rig_put(r, file);
	rig_open(r);
	count = r->drop->count(r->self);
	for (i = 0; i < count; i++)
		rig_uid(r, i, uids[i]);
	return count;
}

static void
expect_uid(struct rig *r, const char *file, const char *uid)
{
	uid_text uids[1];

	assert_int_equal(uids_of(r, file, uids), 1);
	assert_string_equal(uids[0], uid);
}

static void
any_length_from_1_to_70_is_kept(void **state)
{
	struct rig *r = *state;
	char file[512], uid[100];
	uid_text uids[1];
	size_t i;

	for (i = 1; i <= 72; i++) {
		memset(uid, 'a' + (int)(i % 26), i);
		uid[i] = '\0';
		(void)snprintf(file, sizeof(file), HEAD "%s" REST, uid);
		if (i <= 70) {
			expect_uid(r, file, uid);
			continue;
		}
		assert_int_equal(uids_of(r, file, uids), 1);
		assert_int_equal(strlen(uids[0]), MBOX_HASH_TEXT);
	}
	expect_uid(
	    r, HEAD "-!*!!SA^\"!$$#\"!~k!!q" REST, "-!*!!SA^\"!$$#\"!~k!!q");
	expect_uid(r, HEAD "0123456789abcdef0123456789abcdef" REST,
	    "0123456789abcdef0123456789abcdef");
	expect_uid(r, HEAD "1064912345.002" REST, "1064912345.002");
	expect_uid(r, FROM_A "A: b\nx-uidl:\t yes \t\r\n\nText\n\n", "yes");
	/* The first good one counts. */
	expect_uid(
	    r, HEAD "a b\nX-UIDL:\nX-UIDL: one\nX-UIDL: two" REST, "one");
}

/* No id at all, as far as RFC 1939 goes: it is as if there were none. */
static void
bad_ones_are_not_taken(void **state)
{
	static const char *const forms[] = { FROM_A "Subject: x\n\nText\n\n",
		HEAD REST, HEAD "a b" REST, HEAD "a\x7f" REST,
		HEAD "\xc3\xa4" REST, HEAD "a\n b" REST,
		FROM_A "X-UIDL:\n x" REST };
	struct rig *r = *state;
	uid_text first[1], uids[1];
	size_t i;

	assert_int_equal(uids_of(r, forms[0], first), 1);
	for (i = 1; i < sizeof(forms) / sizeof(*forms); i++) {
		assert_int_equal(uids_of(r, forms[i], uids), 1);
		if (i == 5) /* the field goes on, but its first line counts */
			assert_string_equal(uids[0], "a");
		else
			assert_string_equal(uids[0], first[0]);
	}
	/* Behind the header it is text. */
	assert_int_equal(uids_of(r, FROM_A "A: b\n\nX-UIDL: abc\n\n", uids), 1);
	assert_int_equal(strlen(uids[0]), MBOX_HASH_TEXT);
}

static void
forged_ones_are_told_apart(void **state)
{
	struct rig *r = *state;
	uid_text first[4], later[4];
	char file[2048];

	assert_int_equal(uids_of(r,
			     HEAD "abc\nSubject: x\n\nText\n\n" HEAD
				  "abc\nSubject: y\n\nForged\n\n" HEAD
				  "abc\nSubject: x\n\nText\n\n",
			     first),
	    3);
	assert_string_equal(first[0], "abc");
	assert_string_not_equal(first[1], "abc");
	assert_string_not_equal(first[2], "abc");
	assert_string_not_equal(first[2], first[1]);
	/* They keep them when the first is gone. */
	assert_int_equal(rig_commit(r, "D--"), POPPER_DONE);
	assert_int_equal(uids_of(r, NULL, later), 2);
	assert_string_equal(later[0], first[1]);
	assert_string_equal(later[1], first[2]);
	/* Nor can a header claim what popper gives to another message. */
	(void)snprintf(file, sizeof(file),
	    HEAD "%s\nSubject: y\n\nForged\n\n" FROM_B "Subject: x\n\nText\n\n",
	    first[1]);
	assert_int_equal(uids_of(r, file, later), 2);
	assert_string_equal(later[0], first[1]); /* nobody else has it now */
	(void)snprintf(file, sizeof(file),
	    HEAD "%s\nA: z\n\nForged\n\n" FROM_B "Subject: x\n\nText\n\n",
	    later[1]);
	assert_int_equal(uids_of(r, file, first), 2);
	assert_string_equal(first[1], later[1]);
	assert_string_not_equal(first[0], later[1]);
}

/* An id of popper's own in the header of that very message. */
static void
own_ids_are_known_again(void **state)
{
#define TWIN "Subject: twin\n\nTwin\n\n"
	struct rig *r = *state;
	uid_text plain[3], again[3];
	char file[1024];

	assert_int_equal(
	    uids_of(r, FROM_A TWIN FROM_A TWIN FROM_A TWIN, plain), 3);
	/* The second and third, with their ids written down, and nothing known
	 * of the first; then a copy without. */
	(void)snprintf(file, sizeof(file),
	    HEAD "%s\n" TWIN HEAD "%s\n" TWIN FROM_A TWIN, plain[2], plain[1]);
	assert_int_equal(uids_of(r, file, again), 3);
	assert_string_equal(again[0], plain[2]);
	assert_string_equal(again[1], plain[1]);
	assert_string_not_equal(again[2], plain[0]);
	assert_string_not_equal(again[2], plain[1]);
	assert_string_not_equal(again[2], plain[2]);
	/* Copied with its header. */
	(void)snprintf(file, sizeof(file), HEAD "%s\n" TWIN HEAD "%s\n" TWIN,
	    plain[1], plain[1]);
	assert_int_equal(uids_of(r, file, again), 2);
	assert_string_equal(again[0], plain[1]);
	assert_string_not_equal(again[1], plain[1]);
}

/* Computed apart from this program, from the description of the rule. */
static void
qpoppers_rule_is_followed(void **state)
{
#define HASHED                                                            \
	FROM_A "Received: from x by y\n\tfor z\nX: 1\nDATE: Thu\n"        \
	       "Status: RO\nmessage-id: <1@x>\nSubject: hello\n folded\n" \
	       "\nDate: in the body\n\n"
	struct rig *r = *state;
	char file[4096], *p;
	uid_text uids[2];

	r->conf.unique_id = "qpopper";
	expect_uid(r, HASHED, "QlR\"!S,K!!=_,\"!I/+!!");
	p = stpcpy(file, FROM_A "Subject: ");
	memset(p, 's', 2000);
	(void)strcpy(p + 2000, "\n\nText\n\n");
	expect_uid(r, file, "XU)\"!hl0\"!ihJ!!>KG!!");
	/* A stored one goes first; equal ones are told apart. */
	expect_uid(r, HEAD "stored" REST, "stored");
	assert_int_equal(uids_of(r, HASHED HASHED, uids), 2);
	assert_string_equal(uids[0], "QlR\"!S,K!!=_,\"!I/+!!");
	assert_string_not_equal(uids[1], uids[0]);
	r->conf.old_style_uid = true;
	expect_uid(r, HASHED, "60d1a8705e072c0eb8f1d154a2f78d39");
}

static void
expect_encoding(const unsigned char md5[MBOX_MD5_SIZE], const char *text)
{
	uid_text got;

	mbox_qpopper_text(md5, false, got);
	assert_string_equal(got, text);
}

static void
digests_are_written_as_qpopper_does(void **state)
{
	unsigned char md5[MBOX_MD5_SIZE] = { 0 };
	const unsigned char empty[] = { 0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00,
		0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e };
	unsigned i;

	(void)state;
	expect_encoding(md5, "!!!!!!!!!!!!!!!!!!!!");
	for (i = 0; i < MBOX_MD5_SIZE; i++)
		md5[i] = (unsigned char)i;
	expect_encoding(md5, "T$!!!(_#!!LI&!!p3)!!");
	memset(md5, 0xff, sizeof(md5));
	expect_encoding(md5, "0'/#!0'/#!0'/#!0'/#!");
	expect_encoding(empty, "j2Z\"!5n,\"!i7k\"!O,\"#!");
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(any_length_from_1_to_70_is_kept),
		RIGGED(bad_ones_are_not_taken),
		RIGGED(forged_ones_are_told_apart),
		RIGGED(own_ids_are_known_again),
		RIGGED(qpoppers_rule_is_followed),
		cmocka_unit_test(digests_are_written_as_qpopper_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
