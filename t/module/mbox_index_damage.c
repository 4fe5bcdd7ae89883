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
#include "modules/drop/mbox_index.h"

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
	assert_non_null(mbox_from_self(r->self)->kept);
	assert_int_equal(mbox_from_self(r->self)->kept->head.with_uids, 1);
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

/* Whatever of it is used, the answers are those of a scan. */
static void
expect_right(struct rig *r, struct popper_slice index, const char *expected)
{
	char *text;

	rig_close(r);
	write_index(r, index);
	rig_open(r);
	text = index_answers(r, true);
	assert_string_equal(text, expected);
	free(text);
	rig_close(r);
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
		expect_right(r, popper_slice(index, len), expected);
		if (i < sizeof(struct mbox_head)) {
			write_index(r, popper_slice(index, len));
			assert_false(index_is_used(r));
		}
		index[i] ^= (char)(1 << i % 8);
		expect_right(r, popper_slice(index, i), expected);
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

/* Sessions that ask for little find out late, or not at all. */
static void
damage_is_mended_when_it_is_met(void **state)
{
	struct rig *r = *state;
	struct popper_message message;
	char *expected, *index, uid[POPPER_UID_MAX + 1];
	size_t len, records = sizeof(struct mbox_head);

	index = good_index(r, &expected, &len);
	index[records] ^= 1;
	index[len - 1] ^= 1;
	write_index(r, popper_slice(index, len));
	assert_true(index_is_used(r));
	rig_uid(r, 2, uid); /* these are good */
	assert_true(index_is_used(r));
	assert_int_equal(r->drop->describe(r->self, 2, POPPER_WANT_OCTETS,
			     &message, &r->error),
	    0);
	index_expect_scanned(r, expected);
	/* All is in place again. */
	assert_true(index_is_used(r));
	free(index);
	index = index_answers(r, true);
	assert_string_equal(index, expected);
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

/* Make all sums of ${index} right. */
static void
seal(char *index, size_t len)
{
	struct mbox_head head;
	struct mbox_list part;
	uint64_t at, most;
	int i;

	memcpy(&head, index, sizeof(head));
	for (i = 0; i <= MBOX_SECTIONS; i++) {
		at = mbox_section_at(&head, (enum mbox_section)i);
		most = mbox_section_len(&head, (enum mbox_section)i);
		if (at > len || most > len - at)
			break;
		if (i < MBOX_SECTIONS)
			head.sums[i] = mbox_index_sum(
			    (uint64_t)i, index + at, (size_t)most);
	}
	head.sum = mbox_head_sum_of(&head);
	memcpy(index, &head, sizeof(head));
	if (i <= MBOX_SECTIONS || most < sizeof(part))
		return;
	memcpy(&part, index + at, sizeof(part));
	most -= sizeof(part);
	if (part.count > most || part.len > most - part.count)
		return;
	part.sum =
	    mbox_index_sum(head.sums[MBOX_UIDS], index + at + sizeof(part.sum),
		sizeof(part) - sizeof(part.sum) + part.count + part.len);
	memcpy(index + at, &part, sizeof(part));
}

/* The index with something else at ${at}, and sums that say it is right. */
static void
forge(struct rig *r, struct popper_slice index, size_t at,
    struct popper_slice with)
{
	char *copy = malloc(index.len);

	assert_non_null(copy);
	memcpy(copy, index.ptr, index.len);
	memcpy(copy + at, with.ptr, with.len);
	seal(copy, index.len);
	rig_close(r);
	write_index(r, popper_slice(copy, index.len));
	free(copy);
}

static int
keep_quiet(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	(void)lister;
	(void)octets;
	assert_in_range(uid.len, 1, POPPER_UID_MAX);
	for (i = 0; i < uid.len; i++)
		assert_in_range(uid.ptr[i], 0x21, 0x7e);
	return 0;
}

static int
take_all(struct popper_sink *sink, struct popper_slice piece)
{
	(void)sink;
	(void)piece;
	return 0;
}

/* The session goes on, whatever it may say. */
static void
ask_all(struct rig *r)
{
	struct popper_message message;
	struct popper_lister lister = { .put = keep_quiet };
	struct popper_sink sink = { .put = take_all };
	size_t i;

	if (rig_try_open(r) == -1)
		return;
	for (i = 0; i < r->drop->count(r->self) && i < 9; i++) {
		(void)r->drop->describe(r->self, i,
		    POPPER_WANT_OCTETS | POPPER_WANT_UID | POPPER_WANT_FLAGS |
			POPPER_WANT_RECEIVED,
		    &message, &r->error);
		if (r->drop->describe(
			r->self, i, POPPER_WANT_UID, &message, &r->error) == 0)
			assert_in_range(strlen(message.uid), 1, POPPER_UID_MAX);
		(void)r->drop->top(r->self, i, i, &sink, &r->error);
	}
	(void)r->drop->list(r->self, POPPER_WANT_UID, &lister, &r->error);
	rig_close(r);
}

/* Its owner may write what he likes, and harms nobody, himself included. */
static void
forged_ones_harm_nobody(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 2, 5000, 1u << 20, UINT32_MAX,
		(uint64_t)1 << 33, INT64_MAX, UINT64_MAX };
	struct rig *r = *state;
	struct popper_slice index, word;
	char *expected, *text;
	size_t i, k, len;

	text = good_index(r, &expected, &len);
	index = popper_slice(text, len);
	forge(r, index, 0, popper_slice(text, 1));
	assert_true(index_is_used(r)); /* so that is how to forge */
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		for (k = 0; k + 8 <= len; k += 4) {
			word = popper_slice((const char *)&numbers[i], 8);
			forge(r, index, k, word);
			ask_all(r);
			word.len = 4;
			forge(r, index, k, word);
			ask_all(r);
		}
	/* Of records that no scan could find none is believed. */
	for (k = 0; k < sizeof(struct mbox_record); k += sizeof(uint64_t)) {
		forge(r, index, sizeof(struct mbox_head) + k,
		    popper_slice((const char *)&numbers[7], 8));
		index_expect_scanned(r, expected);
	}
	free(text);
	free(expected);
}

/* Each version is another format. */
static void
older_ones_are_replaced(void **state)
{
	const uint32_t older = MBOX_INDEX_VERSION - 1,
		       newer = MBOX_INDEX_VERSION + 1;
	const size_t at = offsetof(struct mbox_head, version);
	struct rig *r = *state;
	char *expected, *text;
	size_t len;

	text = good_index(r, &expected, &len);
	forge(r, popper_slice(text, len), at,
	    popper_slice((const char *)&older, sizeof(older)));
	expect_ignored(r, expected);
	forge(r, popper_slice(text, len), at,
	    popper_slice((const char *)&newer, sizeof(newer)));
	expect_ignored(r, expected);
	free(text);
	free(expected);
}

/* Nor does he make popper tell a client what is no unique-id. */
static void
forged_texts_are_ignored(void **state)
{
	static const char *const texts[] = { "a\nbc", "\x7f", "x", "a bc" };
	struct rig *r = *state;
	struct popper_slice index;
	char *expected, *answers;
	size_t i;

	rig_put(r, XUIDL("good"));
	rig_open(r);
	expected = index_answers(r, true);
	rig_close(r);
	index = read_index(r);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		forge(r, index, index.len - 4, popper_slice_text(texts[i]));
		assert_true(index_is_used(r));
		answers = index_answers(r, true);
		if (i == 2)
			assert_non_null(strstr(answers, "xood"));
		else
			assert_string_equal(answers, expected);
		free(answers);
		rig_close(r);
	}
	free((void *)(uintptr_t)index.ptr);
	free(expected);
}

/* It is met with the lock held. */
static void
an_undelete_mends_it_too(void **state)
{
	struct rig *r = *state;
	struct popper_slice index;
	uint64_t count = 0;
	char *octets;

	r->conf.trash = 86400;
	rig_put(r, ONE TWO);
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	rig_close(r);
	index_clock_ahead += 10;
	rig_open(r);
	free(index_answers(r, true));
	rig_close(r);
	index = read_index(r);
	octets = (char *)(uintptr_t)index.ptr;
	octets[sizeof(struct mbox_head)] ^= 1;
	write_index(r, index);
	free(octets);
	if (rig_undelete(r, 0, &count) == -1)
		fail_msg("undelete: %s", r->error.text);
	assert_int_equal(count, 1);
	rig_expect(r, TWO ONE);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(damaged_ones_are_ignored),
		RIGGED(what_is_no_file_of_ours_is_ignored),
		RIGGED(damage_is_mended_when_it_is_met),
		RIGGED(an_undelete_mends_it_too),
		RIGGED(forged_ones_harm_nobody),
		RIGGED(older_ones_are_replaced),
		RIGGED(forged_texts_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
