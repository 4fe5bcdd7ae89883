/*
 * mbox_top.c - TOP reads what it needs, and all that it needs, whatever the
 * index says of the length of headers.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_rig.h"

#define HEADER "Subject: long\nX-Other: field\n\n"
#define LONG ((size_t)200000) /* octets of a body, more than a buffer */

/* Takes ${want} octets, or all; counts pieces. */
struct taker {
	struct popper_sink sink;
	size_t want, len, pieces;
	char *text;
};

static int
take(struct popper_sink *sink, struct popper_slice s)
{
	struct taker *t = (struct taker *)sink;

	t->text = realloc(t->text, t->len + s.len + 1);
	assert_non_null(t->text);
	memcpy(t->text + t->len, s.ptr, s.len);
	t->len += s.len;
	t->pieces++;
	return t->len >= t->want ? 1 : 0;
}

/* TOP of message ${i}, for a sink that wants ${want} octets: so many come, in
 * so many pieces, and they are how the message begins. */
static void
expect_top(struct rig *r, size_t i, uint64_t lines, size_t want, size_t len,
    size_t pieces)
{
	struct taker t = { .sink = { take }, .want = want };
	struct popper_slice all = rig_read(r, i, 0);

	if (r->drop->top(r->self, i, lines, &t.sink, &r->error) == -1)
		fail_msg("top: %s", r->error.text);
	assert_int_equal(t.len, len);
	assert_int_equal(t.pieces, pieces);
	assert_true(t.len <= all.len);
	assert_memory_equal(t.text, all.ptr, t.len);
	free(t.text);
	free((void *)(uintptr_t)all.ptr);
}

/* An mbox whose second message has a long body; returns its length. */
static size_t
put_long(struct rig *r)
{
	char *text, *p;
	size_t i;

	text = malloc(LONG + 1000);
	assert_non_null(text);
	p = stpcpy(text, FROM_A "Subject: short\n\nText\n\n" FROM_B HEADER);
	for (i = 0; i < LONG; i++)
		*p++ = i % 50 == 49 ? '\n' : 'x';
	(void)strcpy(p, "\n" FROM_A "Subject: last\n");
	rig_put(r, text);
	free(text);
	return strlen(HEADER) + LONG;
}

static void
only_what_is_wanted_is_read(void **state)
{
	struct rig *r = *state;
	size_t head = strlen(HEADER), all = put_long(r);

	rig_open(r);
	expect_top(r, 1, 0, head, head, 1);
	expect_top(r, 1, 3, head + 150, head + 240, 1);
	/* More than was thought, and of very many lines all there is. */
	expect_top(r, 1, 0, head + 1, head + MBOX_BUFFER, 2);
	expect_top(r, 1, UINT64_MAX, SIZE_MAX, all, 1 + all / MBOX_BUFFER);
	expect_top(r, 1, 0, SIZE_MAX, all, 2 + (all - head) / MBOX_BUFFER);
	/* A message that ends first, or in its header. */
	expect_top(r, 0, 0, 16, 16, 1);
	expect_top(r, 0, 9, SIZE_MAX, 21, 1);
	expect_top(r, 2, 0, SIZE_MAX, 14, 1);
}

/* An index may say what it likes. */
static void
a_wrong_length_costs_only_time(void **state)
{
	static const uint16_t lengths[] = { 0, 1, 29, 31, 5000, 65456,
		UINT16_MAX };
	struct rig *r = *state;
	struct taker t = { .sink = { take } };
	struct popper_slice all;
	size_t i, k, len = put_long(r);

	rig_open(r);
	all = rig_read(r, 1, 0);
	assert_int_equal(all.len, len);
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		for (k = 0; k < 2; k++) {
			mbox_from_self(r->self)->index.records[1].head_len =
			    lengths[i];
			t.want = k == 0 ? strlen(HEADER) : SIZE_MAX;
			t.len = 0;
			assert_int_equal(r->drop->top(r->self, 1, i % 2 * 7,
					     &t.sink, &r->error),
			    0);
			assert_true(t.len >= t.want || t.len == len);
			assert_memory_equal(t.text, all.ptr, t.len);
		}
	free(t.text);
	free((void *)(uintptr_t)all.ptr);
}

/* None of a message that is not there any more goes out. */
static void
a_message_that_moved_is_refused(void **state)
{
	struct rig *r = *state;
	struct taker t = { .sink = { take }, .want = SIZE_MAX };

	(void)put_long(r);
	rig_open(r);
	rig_put(r, FROM_B "Subject: other\n\nText of another\n\n" FROM_A "A\n");
	assert_int_equal(r->drop->top(r->self, 0, 0, &t.sink, &r->error), -1);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
	assert_int_equal(t.pieces, 0);
	assert_int_equal(r->drop->top(r->self, 1, 0, &t.sink, &r->error), -1);
	assert_int_equal(t.pieces, 0);
}

static int
refuse(struct popper_sink *sink, struct popper_slice s)
{
	(void)sink;
	(void)s;
	return -1;
}

static void
a_sink_that_fails_is_heard(void **state)
{
	struct rig *r = *state;
	struct popper_sink sink = { .put = refuse };

	(void)put_long(r);
	rig_open(r);
	assert_int_equal(r->drop->top(r->self, 1, 0, &sink, &r->error), -1);
}

/* With purge = lazy messages have other numbers than records. */
static void
numbers_are_those_that_are_shown(void **state)
{
	struct rig *r = *state;

	(void)put_long(r);
	r->conf.purge = "lazy";
	rig_open(r);
	assert_int_equal(rig_commit(r, "D--"), POPPER_DONE);
	rig_close(r);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
	expect_top(r, 0, 0, strlen(HEADER), strlen(HEADER), 1);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(only_what_is_wanted_is_read),
		RIGGED(a_wrong_length_costs_only_time),
		RIGGED(a_message_that_moved_is_refused),
		RIGGED(a_sink_that_fails_is_heard),
		RIGGED(numbers_are_those_that_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
