/*
 * mbox_grown.c - of an mbox that mail was delivered to only that is read, and
 * one that was rewritten is not taken for one.
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
#include "modules/drop/mbox_twins.h"

static struct mbox *
self(struct rig *r)
{
	return mbox_from_self(r->self);
}

/* A session that leaves an index of ${text}; with unique-ids if ${full}. */
static void
know(struct rig *r, const char *text, bool full)
{
	rig_close(r);
	(void)unlinkat(r->state, INDEX, 0);
	rig_put(r, text);
	rig_open(r);
	free(index_answers(r, full));
	rig_close(r);
}

/* Open the mbox, and again without an index: the answers must be the same.
 * Returns if the old index was of use. */
static bool
is_told_right(struct rig *r)
{
	char *quick, *plain;
	bool used;

	rig_open(r);
	used = self(r)->older != NULL;
	quick = index_answers(r, true);
	rig_close(r);
	/* What this session left must be as good. */
	assert_true(index_is_used(r));
	plain = index_answers(r, true);
	assert_string_equal(plain, quick);
	free(plain);
	rig_close(r);
	(void)unlinkat(r->state, INDEX, 0);
	rig_open(r);
	assert_null(self(r)->older);
	plain = index_answers(r, true);
	rig_close(r);
	assert_string_equal(quick, plain);
	free(plain);
	free(quick);
	return used;
}

static void
only_the_tail_is_read(void **state)
{
	static const char *const before[] = { ONE, ONE TWO, INTERNAL ONE,
		ONE TWIN TWIN, XUIDL("a") ONE, FROM_A "A: b\r\n\r\nx\r\n\r\n",
		FROM_A "\n" FROM_B "\n", FROM_A "A: b\n\ntext\n" };
	static const char *const after[] = { TWO, TWIN, TWIN TWIN, ONE TWO TWIN,
		XUIDL("a") XUIDL("b"), FROM_A "last, without an end" };
	struct rig *r = *state;
	size_t i, k;
	int full;

	for (i = 0; i < sizeof(before) / sizeof(*before); i++)
		for (k = 0; k < sizeof(after) / sizeof(*after); k++)
			for (full = 0; full <= 1; full++) {
				know(r, before[i], full);
				if (before[i][strlen(before[i]) - 2] != '\n' &&
				    before[i][strlen(before[i]) - 2] != '\r')
					rig_deliver(r, "\n");
				rig_deliver(r, after[k]);
				assert_true(is_told_right(r));
			}
}

/* A message that was not whole when it was scanned. */
static void
half_a_message_is_read_again(void **state)
{
	static const char *const rests[] = { "x\n\n" TWO, "\n" TWO, "\n\n" TWO,
		"\n\n\n" TWO, "more\n", "\nFrom nobody\n" };
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(rests) / sizeof(*rests); i++) {
		know(r, ONE FROM_B "Subject: half\n\nof i", true);
		rig_deliver(r, rests[i]);
		(void)is_told_right(r);
	}
}

/* Who asks for nothing must not cost the others what was known. */
static void
ids_stay_known(void **state)
{
	struct rig *r = *state;

	know(r, ONE TWO, true);
	rig_deliver(r, TWIN);
	rig_open(r);
	assert_non_null(self(r)->older);
	rig_close(r);
	assert_true(index_is_used(r));
	assert_int_equal(self(r)->kept->head.with_uids, 1);
	rig_close(r);
	/* And without them, none are made. */
	know(r, ONE TWO, false);
	rig_deliver(r, TWIN);
	rig_open(r);
	assert_non_null(self(r)->older);
	rig_close(r);
	assert_true(index_is_used(r));
	assert_int_equal(self(r)->kept->head.with_uids, 0);
}

/* The index is of before a twin came, and a commit that was to remove that one
 * noted so, and died before it touched the mbox. */
static void
ids_outlive_an_interrupted_commit(void **state)
{
	static const unsigned char marks[] = { 0, 0, POPPER_MARK_DELETED };
	const struct popper_changes c = {
		.size = sizeof(c), .count = sizeof(marks), .marks = marks
	};
	char before[POPPER_UID_MAX + 1], after[POPPER_UID_MAX + 1];
	struct rig *r = *state;

	know(r, ONE TWIN, true);
	rig_deliver(r, TWIN);
	rig_open(r);
	rig_uid(r, 2, before);
	mbox_twins_intend(self(r), &c);
	self(r)->unsaved = false;
	rig_close(r);
	rig_open(r);
	assert_non_null(self(r)->older);
	rig_uid(r, 2, after);
	assert_string_equal(after, before);
}

/* Replace the mbox's content, in the same file. */
static void
rewrite(struct rig *r, const char *text)
{
	int fd = open(r->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
rewritten_ones_are_read_whole(void **state)
{
	static const char *const rewritten[] = {
		/* removed; removed in front; inserted; changed places */
		ONE TWIN TWIN TWIN,
		TWO TWIN TWIN TWIN,
		TWIN ONE TWO TWIN,
		TWO ONE TWIN TWIN,
		/* longer headers and bodies */
		FROM_A "Subject: one\nStatus: RO\nX-Keywords: \n\nText\nand "
		       "more\n\n" TWO TWIN,
		FROM_A
		"Subject: one\nStatus: RO\n\nText\nand more\n.\n\n" TWO TWIN,
		ONE FROM_B "Subject: two\nStatus: O\n\nText\n\n" TWIN,
		ONE FROM_B "Subject: two\n\nText\nmore\n\n" TWIN,
		ONE TWO FROM_B "Subject: twin\n\nTwin\nand more\n\n" TWIN,
		/* a new separator in the last body, others gone */
		ONE TWO FROM_B "Subject: twin\n\n" FROM_A "Twin\n\n",
		ONE FROM_B "Subject: twx\n\nText\n\n" TWIN TWIN,
		MMDF ONE MMDF MMDF TWO MMDF MMDF TWIN MMDF,
	};
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(rewritten) / sizeof(*rewritten); i++) {
		know(r, ONE TWO TWIN, true);
		rewrite(r, rewritten[i]);
		assert_false(is_told_right(r));
	}
	/* Something else than a mailbox. */
	know(r, ONE TWO, true);
	rewrite(r, "Nothing that\n" ONE TWO TWIN);
	rig_refused(r, POPPER_PERMANENT);
}

static uint32_t
next(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Some messages, in any order. */
static size_t
mix(uint32_t *seed, char *text, size_t size)
{
	static const char *const some[] = { ONE, TWO, TWIN, XUIDL("a"),
		FROM_B "Subject: x\nStatus: O\n\nx\n\n",
		FROM_B "Subject: x\nStatus: RO\n\nx\n\n",
		FROM_A "Subject: y\nX-Keywords:     \n\nx\n\n" };
	size_t i, n = next(seed) % 5 + 1, len = 0;

	*text = '\0';
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, size - len, "%s",
		    some[next(seed) % (sizeof(some) / sizeof(*some))]);
	return len;
}

/* Whatever it was and has become: unless the old is the beginning of the new,
 * or bodies were changed in place, both ways lead to the same answers. */
static void
random_ones_are_told_right(void **state)
{
	struct rig *r = *state;
	char before[4096], after[4096];
	uint32_t seed = 7, used = 0;
	int i;

	for (i = 0; i < 400; i++) {
		(void)mix(&seed, before, sizeof(before));
		if (next(&seed) % 3 == 0) {
			(void)mix(&seed, after, sizeof(after));
		} else {
			memcpy(after, before, sizeof(after));
			(void)mix(&seed, after + strlen(after),
			    sizeof(after) - strlen(after));
		}
		know(r, before, true);
		rewrite(r, after);
		used += is_told_right(r);
	}
	assert_in_range(used, 100, 399);
}

/* A large message, so that it is worth while, and then ${rest}; to be freed. */
static char *
large(const char *rest)
{
	static const char head[] = FROM_A "Subject: large\n\n", end[] = "\n\n";
	const size_t body = (size_t)11 << 17;
	char *text = malloc(sizeof(head) + body + sizeof(end) + strlen(rest));

	assert_non_null(text);
	memcpy(text, head, sizeof(head) - 1);
	memset(text + sizeof(head) - 1, 'x', body);
	memcpy(text + sizeof(head) - 1 + body, end, sizeof(end) - 1);
	memcpy(text + sizeof(head) - 1 + body + sizeof(end) - 1, rest,
	    strlen(rest) + 1);
	return text;
}

/* Remove some of the messages but the first, at least one. */
static void
remove_some(struct rig *r, uint32_t *seed)
{
	char marks[256] = "";
	size_t count = r->drop->count(r->self), i;

	assert_in_range(count, 2, sizeof(marks) - 1);
	memset(marks, '-', count);
	for (i = 1; i < count; i++)
		if (next(seed) % 3 == 0)
			marks[i] = 'D';
	marks[1 + next(seed) % (count - 1)] = 'D';
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
}

static void
what_a_commit_left_is_known(void **state)
{
	struct rig *r = *state;
	char *text, rest[4096];
	uint32_t seed = 11, used = 0;
	int i;

	for (i = 0; i < 60; i++) {
		(void)mix(&seed, rest, sizeof(rest));
		text = large(rest);
		know(r, text, i % 2 == 0);
		free(text);
		if (i % 3 == 0) /* or as it was after a change */
			assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
		rig_open(r);
		if (i % 4 == 1)
			rig_deliver(r, TWO);
		remove_some(r, &seed);
		rig_close(r);
		assert_false(index_is_used(r)); /* without a look */
		if (i % 4 == 2)
			rig_deliver(r, TWIN);
		used += is_told_right(r);
	}
	assert_in_range(used, 50, 60);
}

/* Nor is it believed if the mail is not what the commit left. */
static void
what_a_commit_left_is_looked_at(void **state)
{
	struct rig *r = *state;
	char *text = large(ONE TWO TWIN), *other = large(TWO ONE);

	know(r, text, true);
	rig_open(r);
	assert_int_equal(rig_commit(r, "---D"), POPPER_DONE);
	rig_close(r);
	rewrite(r, other);
	assert_false(is_told_right(r));
	free(other);
	free(text);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(only_the_tail_is_read),
		RIGGED(half_a_message_is_read_again),
		RIGGED(ids_stay_known),
		RIGGED(ids_outlive_an_interrupted_commit),
		RIGGED(rewritten_ones_are_read_whole),
		RIGGED(random_ones_are_told_right),
		RIGGED(what_a_commit_left_is_known),
		RIGGED(what_a_commit_left_is_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
