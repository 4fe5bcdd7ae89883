/*
 * mbox_index_forged.c - an index that leaves a message out, with good sums:
 * nobody who does not see a message removes it.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_index_rig.h"
#include "modules/drop/mbox_index.h"
#include "modules/drop/mbox_waste.h"

#define RECORDS 3

struct forged {
	struct mbox_head head;
	struct mbox_record records[RECORDS];
};

static void
read_index(struct rig *r, struct forged *f)
{
	int fd = openat(r->state, INDEX, O_RDONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(read(fd, f, sizeof(*f)), sizeof(*f));
	assert_int_equal(read(fd, f, 1), 0);
	assert_int_equal(close(fd), 0);
}

/* Make all sums right and write it. */
static void
write_index(struct rig *r, struct forged *f)
{
	size_t len = f->head.count * sizeof(f->records[0]);
	int fd = openat(r->state, INDEX, O_WRONLY | O_TRUNC | O_CLOEXEC);

	f->head.sums[MBOX_RECORDS] =
	    mbox_index_sum(MBOX_RECORDS, f->records, len);
	f->head.sum = mbox_head_sum_of(&f->head);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    write(fd, f, sizeof(f->head) + len), sizeof(f->head) + len);
	assert_int_equal(close(fd), 0);
}

/* Leave an index without record ${i}. */
static void
hide(struct rig *r, size_t i)
{
	struct forged f;
	uint64_t octets;

	rig_put(r, ONE TWO TWIN);
	rig_open(r);
	assert_int_equal(r->drop->total(r->self, &octets, &r->error), 0);
	rig_close(r);
	read_index(r, &f);
	assert_int_equal(f.head.count, RECORDS);
	assert_int_equal(f.head.with_uids, 0);
	assert_int_equal(f.head.octets, octets);
	write_index(r, &f);
	assert_true(index_is_used(r)); /* so that is how to forge */
	rig_close(r);
	f.head.octets -= f.records[i].octets;
	memmove(f.records + i, f.records + i + 1,
	    (RECORDS - i - 1) * sizeof(f.records[0]));
	f.head.count--;
	write_index(r, &f);
}

static void
no_hidden_message_goes_with_another(void **state)
{
	static const char *const marks[] = { [1] = "D-", [2] = "-D" };
	struct rig *r = *state;

	for (size_t i = 1; i < RECORDS; i++) {
		hide(r, i);
		assert_true(index_is_used(r));
		assert_int_equal(rig_commit(r, marks[i]), POPPER_NOT_DONE);
		rig_close(r);
		rig_expect(r, ONE TWO TWIN);
		rig_open(r);
		assert_int_equal(r->drop->count(r->self), RECORDS);
		rig_close(r);
	}
}

static void
nor_is_it_shown_with_another(void **state)
{
	struct popper_message message;
	struct rig *r = *state;

	for (size_t i = 1; i < RECORDS; i++) {
		hide(r, i);
		rig_open(r);
		assert_int_equal(r->drop->describe(r->self, 0,
				     POPPER_WANT_OCTETS, &message, &r->error),
		    -1);
		assert_int_equal(r->error.status, POPPER_TEMPORARY);
		rig_close(r);
		assert_false(rig_exists(r, INDEX));
	}
}

static void
it_comes_back_with_new_mail(void **state)
{
	struct rig *r = *state;

	for (size_t i = 1; i < RECORDS; i++) {
		hide(r, i);
		rig_deliver(r, TWO);
		rig_open(r);
		assert_int_equal(r->drop->count(r->self), RECORDS + 1);
		assert_int_equal(rig_commit(r, "--D-"), POPPER_DONE);
		rig_close(r);
		rig_expect(r, ONE TWO TWO);
	}
}

/* Separators need no empty line before them at the end of a file, and there
 * may be one of CRLF. */
static void
what_a_scan_finds_is_used(void **state)
{
	static const char *const ends[] = { "", "\n", "\n\n", "\n\n\n", "\r\n",
		"\r\n\r\n", "\n\r\n" };
	struct rig *r = *state;
	char text[512];
	uint64_t octets;
	void *records;

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		(void)snprintf(text, sizeof(text), ONE TWO "%s" TWIN "x%s",
		    i > 0 ? ends[i] : "", ends[i]);
		rig_put(r, text);
		rig_open(r);
		assert_int_equal(
		    r->drop->total(r->self, &octets, &r->error), 0);
		rig_close(r);
		assert_true(index_is_used(r));
		records = mbox_kept_records(mbox_from_self(r->self)->kept);
		assert_non_null(records);
		free(records);
		rig_close(r);
	}
}

/* What "waste" says of sizes is wrong: STAT is not below zero, and is that of
 * LIST once the records are known. */
static void
waste_is_not_more_than_all(void **state)
{
	struct popper_message message;
	struct rig *r = *state;
	uint64_t octets;

	r->conf.purge = "lazy";
	rig_put(r, ONE TWO TWIN);
	rig_open(r);
	assert_int_equal(rig_commit(r, "-D-"), POPPER_DONE);
	rig_close(r);
	for (uint64_t wrong = 0; wrong <= 1; wrong++) {
		rig_open(r);
		mbox_from_self(r->self)->waste->octets = wrong ? UINT64_MAX : 1;
		assert_int_equal(
		    r->drop->total(r->self, &octets, &r->error), 0);
		if (!wrong)
			(void)r->drop->describe(r->self, 0, POPPER_WANT_OCTETS,
			    &message, &r->error);
		assert_int_equal(
		    r->drop->total(r->self, &octets, &r->error), 0);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(
			    r->drop->describe(r->self, i, POPPER_WANT_OCTETS,
				&message, &r->error),
			    0);
			octets -= message.octets;
		}
		assert_int_equal(octets, 0);
		rig_close(r);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, index_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_hidden_message_goes_with_another),
		TEST(nor_is_it_shown_with_another),
		TEST(it_comes_back_with_new_mail),
		TEST(what_a_scan_finds_is_used),
		TEST(waste_is_not_more_than_all),
	};

	return cmocka_run_group_tests_name(
	    "mbox_index_forged", tests, NULL, NULL);
}
