/*
 * mbox_index_damage.c - nothing depends on the index that a session leaves,
 * whatever happens to it.
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

#include "mbox_index_rig.h"

static void
write_index(struct rig *r, struct popper_slice text)
{
	int fd = openat(r->state, INDEX, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text.ptr, text.len), text.len);
	assert_int_equal(close(fd), 0);
}

/* The index is not used, what it is about is told right, and a good one is
 * there again. */
static void
expect_ignored(struct rig *r, const char *expected)
{
	assert_false(index_is_used(r));
	index_expect_scanned(r, expected);
	assert_true(index_is_used(r));
	assert_non_null(mbox_from_self(r->self)->uids);
	rig_close(r);
}

static struct popper_slice
read_index(struct rig *r)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/state/" INDEX, r->top);
	return rig_get(path);
}

/* Leave an index with unique-ids; returns it, room for one octet behind it and
 * what a session tells. */
static char *
good_index(struct rig *r, char **expected, size_t *len)
{
	struct popper_slice text;
	char *copy;

	rig_put(r, INTERNAL ONE TWIN TWIN);
	rig_open(r);
	*expected = index_answers(r, true);
	rig_close(r);
	text = read_index(r);
	*len = text.len;
	copy = malloc(text.len + 1);
	assert_non_null(copy);
	memcpy(copy, text.ptr, text.len);
	free((void *)(uintptr_t)text.ptr);
	return copy;
}

static void
damaged_ones_are_ignored(void **state)
{
	struct rig *r = *state;
	char *expected, *index;
	size_t i, len;

	index = good_index(r, &expected, &len);
	for (i = 0; i < len; i++) {
		index[i] ^= (char)(1 << i % 8);
		write_index(r, popper_slice(index, len));
		assert_false(index_is_used(r));
		index[i] ^= (char)(1 << i % 8);
		write_index(r, popper_slice(index, i));
		assert_false(index_is_used(r));
	}
	index[len] = 0;
	write_index(r, popper_slice(index, len + 1));
	expect_ignored(r, expected);
	write_index(r, popper_slice(index, len));
	assert_true(index_is_used(r));
	memset(index, 0, len);
	write_index(r, popper_slice(index, len));
	expect_ignored(r, expected);
	write_index(r, popper_slice("", 0));
	expect_ignored(r, expected);
	free(index);
	free(expected);
}

static void
what_is_no_file_of_ours_is_ignored(void **state)
{
	struct rig *r = *state;
	char *expected, *index;
	size_t len;

	index = good_index(r, &expected, &len);
	assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
	assert_int_equal(mkfifoat(r->state, INDEX, 0600), 0);
	expect_ignored(r, expected);
	assert_int_equal(renameat(r->state, INDEX, r->state, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", r->state, INDEX), 0);
	expect_ignored(r, expected);
	if (getuid() == 0) {
		assert_int_equal(fchownat(r->state, INDEX, 65534, 65534, 0), 0);
		expect_ignored(r, expected);
	}
	assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
	assert_int_equal(mkdirat(r->state, INDEX, 0700), 0);
	assert_false(index_is_used(r));
	index_expect_scanned(r, expected);
	assert_false(index_is_used(r));
	assert_int_equal(unlinkat(r->state, INDEX, AT_REMOVEDIR), 0);
	expect_ignored(r, expected);
	free(index);
	free(expected);
}

/* Put ${len} octets at ${at} of the index and the right checksum into it. */
static void
forge(struct rig *r, struct popper_slice index, size_t at,
    struct popper_slice with)
{
	const size_t place = 104;
	uint64_t sum, word;
	char *copy = malloc(index.len);
	size_t i;

	assert_non_null(copy);
	memcpy(copy, index.ptr, index.len);
	memcpy(copy + at, with.ptr, with.len);
	memcpy(&sum, index.ptr, sizeof(sum)); /* begins with the magic */
	for (i = 0; i + 8 <= index.len; i += 8) {
		if (i == place)
			continue;
		memcpy(&word, copy + i, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
	}
	memcpy(copy + place, &sum, sizeof(sum));
	write_index(r, popper_slice(copy, index.len));
	free(copy);
}

/* Its owner may write what he likes, and harms nobody, himself included. */
static void
forged_ones_are_ignored(void **state)
{
	static const uint64_t numbers[] = { 1, 5000, 1u << 20, UINT32_MAX,
		(uint64_t)1 << 33, INT64_MAX, UINT64_MAX };
	const size_t head = 112, record = sizeof(struct mbox_record);
	const size_t uids = head + 4 * record;
	struct rig *r = *state;
	struct popper_slice index, word;
	char *expected, *text;
	size_t i, k, len;

	text = good_index(r, &expected, &len);
	index = popper_slice(text, len);
	assert_int_equal(len, uids + 3 * sizeof(struct mbox_uid));
	forge(r, index, 0, popper_slice(text, 1));
	assert_true(index_is_used(r)); /* so that is how to forge */
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		word = popper_slice((const char *)&numbers[i], 8);
		/* Count of records, offset, end and octets of the first. */
		for (k = 80; k < head + 24; k += k == 80 ? 32 : 8) {
			forge(r, index, k, word);
			assert_false(index_is_used(r));
		}
		if (numbers[i] == 1)
			continue;
		word.len = 4;
		/* internal, with_uids, mmdf, octets of texts, length of the
		 * first separator. */
		for (k = 88; k < 104; k += 4) {
			if (k >= 96 && (uint32_t)numbers[i] == 0)
				continue; /* so it is */
			forge(r, index, k, word);
			assert_false(index_is_used(r));
		}
		forge(r, index, head + 24, word);
		assert_false(index_is_used(r));
		/* The second begins in the first, or behind the end. */
		word.len = 8;
		forge(r, index, head + record, word);
		assert_false(index_is_used(r));
	}
	/* An id in texts that are not there. */
	forge(r, index, uids + sizeof(struct mbox_uid) - 4,
	    popper_slice("\2\0\0\0", 4));
	expect_ignored(r, expected);
	free(text);
	free(expected);
}

/* Nor does he make popper tell a client what is no unique-id. */
static void
forged_texts_are_ignored(void **state)
{
	static const char *const texts[] = { "a\nb", "\x7f", "x", "abcdefg" };
	struct rig *r = *state;
	struct popper_slice index;
	char uid[POPPER_UID_MAX + 1];
	size_t i;

	rig_put(r, XUIDL("good"));
	rig_open(r);
	rig_uid(r, 0, uid);
	rig_close(r);
	index = read_index(r);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		forge(r, index, index.len - 7, popper_slice_text(texts[i]));
		assert_int_equal(index_is_used(r), i == 2);
		if (i != 2)
			continue;
		rig_uid(r, 0, uid);
		assert_string_equal(uid, "xood");
	}
	free((void *)(uintptr_t)index.ptr);
}

/* What an earlier session left half-written is no obstacle. */
static void
remains_are_no_obstacle(void **state)
{
	struct rig *r = *state;
	int fd = openat(r->state, INDEX ".new", O_WRONLY | O_CREAT, 0400);

	assert_int_not_equal(fd, -1);
	(void)close(fd);
	rig_put(r, ONE TWO);
	rig_open(r);
	assert_true(index_is_used(r));
	assert_false(rig_exists(r, INDEX ".new"));
	assert_int_equal(mkdirat(r->state, INDEX ".new", 0700), 0);
	rig_deliver(r, TWO);
	assert_false(index_is_used(r));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 3);
	rig_close(r);
	assert_false(index_is_used(r));
}

static int
without_rights(struct rig *r)
{
	struct popper_message message;
	int i;

	MUST(fchmod(r->state, 0500) == 0);
	for (i = 0; i < 2; i++) {
		MUST(rig_try_open(r) == 0);
		MUST(r->drop->count(r->self) == 2);
		MUST(r->drop->describe(r->self, 1, POPPER_WANT_UID, &message,
			 &r->error) == 0);
		rig_close(r);
		MUST(!rig_exists(r, INDEX) && !rig_exists(r, INDEX ".new"));
	}
	/* One that cannot be replaced or removed. */
	MUST(fchmod(r->state, 0700) == 0);
	MUST(rig_try_open(r) == 0);
	rig_close(r);
	MUST(rig_exists(r, INDEX));
	MUST(fchmod(r->state, 0500) == 0);
	rig_deliver(r, TWO);
	for (i = 0; i < 2; i++) {
		MUST(rig_try_open(r) == 0);
		MUST(r->drop->count(r->self) == 3);
		rig_close(r);
	}
	/* The end of the file goes without a backup. */
	MUST(rig_try_open(r) == 0);
	MUST(rig_commit(r, "--D") == POPPER_DONE);
	rig_close(r);
	MUST(rig_try_open(r) == 0);
	MUST(r->drop->count(r->self) == 2);
	MUST(fchmod(r->state, 0700) == 0);
	return 0;
}

static void
a_state_folder_without_rights_is_no_trouble(void **state)
{
	struct rig *r = *state;

	rig_put(r, ONE TWO);
	assert_int_equal(rig_child(without_rights, r), 0);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(damaged_ones_are_ignored),
		RIGGED(what_is_no_file_of_ours_is_ignored),
		RIGGED(forged_ones_are_ignored),
		RIGGED(forged_texts_are_ignored),
		RIGGED(remains_are_no_obstacle),
		RIGGED(a_state_folder_without_rights_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
