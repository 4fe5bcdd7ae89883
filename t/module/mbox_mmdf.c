/*
 * mbox_mmdf.c - mailboxes with lines of four 0x01 between the messages.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mbox_rig.h"

#define SEP "\1\1\1\1\n"
#define ONE "Subject: one\n\nFrom here on\n\n" FROM_A "\n"
#define TWO "Subject: two\n\nText\n"
#define THREE "Subject: three\n\nText\n"

static void
expect_message(struct rig *r, size_t i, const char *text, uint64_t octets)
{
	struct popper_slice got = rig_read(r, i, 0);
	struct popper_message m;

	assert_string_equal(got.ptr, text);
	free((void *)(uintptr_t)got.ptr);
	assert_int_equal(
	    r->drop->describe(r->self, i, POPPER_WANT_OCTETS, &m, &r->error),
	    0);
	assert_int_equal(m.octets, octets);
}

/* All ways in which programs have written it. */
static void
messages_lie_between_separators(void **state)
{
	static const char *const forms[] = {
		SEP ONE SEP SEP TWO SEP,
		SEP ONE SEP TWO SEP,
		SEP ONE SEP SEP TWO,
		SEP SEP ONE SEP SEP SEP TWO SEP SEP,
		SEP ONE SEP "\n\n" SEP TWO SEP "\n",
		SEP FROM_A ONE SEP SEP FROM_B TWO SEP,
	};
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		rig_put(r, forms[i]);
		rig_open(r);
		assert_int_equal(r->drop->count(r->self), 2);
		expect_message(r, 0, ONE, strlen(ONE) + 6);
		expect_message(r, 1, TWO, strlen(TWO) + 3);
		rig_close(r);
	}
	rig_put(r, SEP "\n" SEP SEP SEP);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
}

static void
line_ends_may_be_crlf(void **state)
{
	struct rig *r = *state;

	rig_put(r,
	    "\1\1\1\1\r\nA: b\r\n\r\nx\r\n\1\1\1\1\r\n"
	    "\1\1\1\1\r\nA: c\r\n\r\ny");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
	expect_message(r, 0, "A: b\r\n\r\nx\r\n", 11);
	expect_message(r, 1, "A: c\r\n\r\ny", 11);
}

/* Only whole lines separate, and only in such a file. */
static void
others_are_no_separators(void **state)
{
	struct rig *r = *state;

	rig_put(r, SEP "A: b\n\n\1\1\1\n\1\1\1\1\1\nx\1\1\1\1\n" SEP);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
	rig_close(r);
	rig_put(r, FROM_A "A: b\n\n" SEP SEP "A: c\n\n");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
	rig_close(r);
	rig_put(r, "\1\1\1\nA: b\n\n");
	rig_refused(r, POPPER_PERMANENT);
}

static void
removing_leaves_the_others(void **state)
{
	struct rig *r = *state;
	char uids[3][POPPER_UID_MAX + 1], uid[POPPER_UID_MAX + 1];
	size_t i;

	rig_put(r, SEP ONE SEP SEP TWO SEP SEP THREE SEP);
	rig_open(r);
	for (i = 0; i < 3; i++)
		rig_uid(r, i, uids[i]);
	rig_deliver(r, SEP "New: mail\n\n" SEP);
	assert_int_equal(rig_commit(r, "-D-"), POPPER_DONE);
	rig_expect(r, SEP ONE SEP SEP THREE SEP SEP "New: mail\n\n" SEP);
	rig_close(r);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 3);
	rig_uid(r, 0, uid);
	assert_string_equal(uid, uids[0]);
	rig_uid(r, 1, uid);
	assert_string_equal(uid, uids[2]);
	assert_int_equal(rig_commit(r, "--D"), POPPER_DONE);
	rig_expect(r, SEP ONE SEP SEP THREE SEP);
	rig_close(r);
	rig_open(r);
	assert_int_equal(rig_commit(r, "DD"), POPPER_DONE);
	rig_expect(r, "");
}

/* Any window finds the same. */
static void
windows_make_no_difference(void **state)
{
	static const char *const parts[] = { SEP, SEP, "\n", "\r\n", "x\r",
		"A: b\n", "\1\1", FROM_A, "\1\1\1\1\r\n" };
	struct mbox_index first, index;
	char file[40000], *p = file;
	uint32_t seed = 7;
	size_t window, i;
	int fd = memfd_create("mmdf", MFD_CLOEXEC);

	(void)state;
	assert_int_not_equal(fd, -1);
	p = stpcpy(p, SEP);
	while (p - file < 39000) {
		seed = seed * 1664525u + 1013904223u;
		p = stpcpy(p, parts[(seed >> 16) % 9]);
		if (seed >> 25 == 0) {
			memset(p, 'y', 900);
			p += 900;
		}
	}
	assert_int_equal(mbox_write_at(fd, file, (size_t)(p - file), 0), 0);
	first = (struct mbox_index){ .size = (uint64_t)(p - file) };
	assert_int_equal(mbox_scan(NULL, fd, sizeof(file), &first), 0);
	assert_in_range(first.count, 100, 10000);
	for (window = MBOX_SCAN_LEAST; window < MBOX_SCAN_LEAST + 200;
	     window++) {
		index = (struct mbox_index){ .size = first.size };
		assert_int_equal(mbox_scan(NULL, fd, window, &index), 0);
		assert_true(index.mmdf);
		assert_int_equal(index.count, first.count);
		for (i = 0; i < index.count; i++)
			assert_memory_equal(&index.records[i],
			    &first.records[i], sizeof(*index.records));
		mbox_index_free(&index);
	}
	mbox_index_free(&first);
	(void)close(fd);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(messages_lie_between_separators),
		RIGGED(line_ends_may_be_crlf),
		RIGGED(others_are_no_separators),
		RIGGED(removing_leaves_the_others),
		cmocka_unit_test(windows_make_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
