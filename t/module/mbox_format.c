/*
 * mbox_format.c - separators, message borders and sizes.
 *
 * Runs in: tests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_pad.h"
#include "mbox_reference.h"
#include "mbox_rig.h"

static const char *const separators[] = {
	"From alice Thu Jan  1 00:00:00 1970\n",
	"From alice@example.org Thu Jan  1 00:00:00 1970\r\n",
	"From  Thu Jan  1 00:00:00 1970\n",
	"From Thu Jan 1 00:00:00 1970\n",
	"From MAILER-DAEMON Sun Nov 22 01:38:00 2026\n",
	"From \"a b\"@example.org Mon Feb 29 23:59:60 2016\n",
	"From a b c Mon Feb 29 23:59 2016\n",
	"From a!b!c Mon Feb 29 23:59:59 MET 2016\n",
	"From a Mon Feb 29 23:59:59 MET DST 2016\n",
	"From a Mon Feb 29 23:59:59 -0500 2016\n",
	"From a Mon Feb 29 23:59:59 2016 +0100\n",
	"From a Mon Feb 29 23:59:59 2016 CEST\n",
	"From a Mon Feb 29 9:05:00 99\n",
	"From a Mon Feb 29 23:59:59 2016 remote from host\n",
	"From a Mon Feb 29 23:59 EST 16 remote from host\n",
	"From a\tMon Feb 29 23:59:59 2016 \t\n",
	"From Mon Mon Feb 29 x Mon Feb 29 23:59:59 2016\n",
};

/* The time of a separator line, at most; 0: not to be told. */
static const struct {
	const char *line;
	int64_t time;
} times[] = {
	{ "From a Thu Jan  1 00:00:01 1970\n", 43201 },
	{ "From a@b Mon Feb 29 23:59:59 2016\n", 1456790399 + 43200 },
	{ "From a Mon Feb 29 23:59 MET DST 2016\r\n", 1456790340 + 43200 },
	{ "From a Mon Feb 29 23:59:59 -0500 2016\n", 1456790399 + 43200 },
	{ "From a Mon Feb 29 23:59:59 2016 CEST\n", 1456790399 + 43200 },
	{ "From Mon Mon Feb 29 x Mon Feb 29 23:59:59 2016\n",
	    1456790399 + 43200 },
	{ "From a Mon Feb 29 23:59:59 16\n", 0 },
	{ "From a Mon Feb 29 2016\n", 0 },
	{ "From a Mon\n", 0 },
	{ "From a\n", 0 },
	{ "From ", 0 },
	{ "", 0 },
};

/* The time of the first Received header. */
static const struct {
	const char *header;
	int64_t time;
} received[] = {
	{ "Received: x; Mon, 29 Feb 2016 23:59:59 +0000\n\n", 1456790399 },
	{ "received: x;\r\n\tMon, 29 Feb 2016 22:59:59 -0100 (A)\r\n\r\n",
	    1456790399 },
	{ "A: b; Mon, 29 Feb 2016 22:59:59 -0100\n"
	  "Received: x (y; z); 29 Feb 2016 23:59:59 +0000\n",
	    1456790399 },
	{ "Received: x\nReceived: x; 29 Feb 2016 23:59:59 +0000\n\n", 0 },
	{ "Received: x; 29 Feb\n\n", 0 },
	{ "Received: x; 29 Feb 2016 23:59:59\n\n", 0 },
	{ "A: b\n\nReceived: x; 29 Feb 2016 23:59:59 +0000\n", 0 },
	{ "Received:", 0 },
	{ "", 0 },
};

static const char *const others[] = {
	"From here on it is text\n",
	"From \n",
	"From\n",
	"From:alice Thu Jan  1 00:00:00 1970\n",
	">From alice Thu Jan  1 00:00:00 1970\n",
	"from alice Thu Jan  1 00:00:00 1970\n",
	"From alice Thu Jan  1 00:00:00 1970",
	"From alice Thx Jan  1 00:00:00 1970\n",
	"From alice Thu Jax  1 00:00:00 1970\n",
	"From alice Thu Jan  0 00:00:00 1970\n",
	"From alice Thu Jan 32 00:00:00 1970\n",
	"From alice Thu Jan 1 24:00:00 1970\n",
	"From alice Thu Jan 1 00:60:00 1970\n",
	"From alice Thu Jan 1 00:00:61 1970\n",
	"From alice Thu Jan 1 00:0 1970\n",
	"From alice Thu Jan 1 00:00:00:00 1970\n",
	"From alice Thu Jan 1 1970\n",
	"From alice Thu Jan 1 00:00:00\n",
	"From alice Thu Jan 1 00:00:00 197\n",
	"From alice Thu Jan 1 00:00:00 19700\n",
	"From alice Thu Jan 1 00:00:00 1970, he said\n",
	"From alice Thu Jan 1 00:00:00 1970 he said\n",
	"From alice Thu Jan 1 00:00:00 1970 remote from\n",
	"From alice Thu Jan 1 00:00:00 1970 remote from a b\n",
	"From alice ThuJan 1 00:00:00 1970\n",
};

static void
separators_are_known(void **state)
{
	char line[2 * MBOX_FROM_MAX];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(separators) / sizeof(*separators); i++) {
		len = strlen(separators[i]);
		if (mbox_from(separators[i], len) != len)
			fail_msg("refused: %s", separators[i]);
		/* Nothing behind the line counts, and every octet of it. */
		assert_int_equal(mbox_from(separators[i], len - 1), 0);
		(void)snprintf(line, sizeof(line), "%sx\n", separators[i]);
		assert_int_equal(mbox_from(line, len + 2), len);
	}
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (mbox_from(others[i], strlen(others[i])) != 0)
			fail_msg("accepted: %s", others[i]);
}

/* The longest line that separates, and one octet more. */
static void
dates_are_read(void **state)
{
	const char *text;
	int64_t when;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
		text = times[i].line;
		when = mbox_from_time(text, strlen(text));
		if (when != times[i].time)
			fail_msg("%s: %lld", text, (long long)when);
	}
	for (i = 0; i < sizeof(received) / sizeof(*received); i++) {
		text = received[i].header;
		when = mbox_received_time(text, strlen(text));
		if (when != received[i].time)
			fail_msg("%s: %lld", text, (long long)when);
	}
}

static void
long_lines_never_separate(void **state)
{
	static const char date[] = " Thu Jan  1 00:00:00 1970\n";
	char line[2 * MBOX_FROM_MAX];
	size_t len = MBOX_FROM_MAX - (sizeof(date) - 1);

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "From ", 5);
	(void)strcpy(line + len, date);
	assert_int_equal(mbox_from(line, sizeof(line)), MBOX_FROM_MAX);
	line[len] = 'x';
	(void)strcpy(line + len + 1, date);
	assert_int_equal(mbox_from(line, sizeof(line)), 0);
}

/* Each with the sizes its messages must have; the last is followed by -1. */
static const struct {
	const char *file;
	int octets[4];
} known[] = {
	{ "", { -1 } },
	{ FROM_A, { 0, -1 } },
	{ FROM_A "\n", { 0, -1 } },
	{ FROM_A "\n\n", { 2, -1 } },
	{ FROM_A "A: b\n\ntext\n\n", { 6 + 2 + 6, -1 } },
	{ FROM_A "A: b\n\ntext\n", { 6 + 2 + 6, -1 } },
	{ FROM_A "A: b\n\ntext", { 6 + 2 + 6, -1 } },
	{ FROM_A "A: b\r\n\r\ntext\r\n\r\n", { 6 + 2 + 6, -1 } },
	{ FROM_A "A: b\n\ntext\n\n\n\n", { 6 + 2 + 6 + 4, -1 } },
	{ FROM_A "a\rb\r\n\r\r\n", { 5 + 3, -1 } },
	{ FROM_A "a\r", { 4, -1 } },
	{ FROM_A "A: b\n\n" FROM_B "C: d\n\nx\n\n", { 6, 6 + 2 + 3, -1 } },
	{ FROM_A "\n" FROM_B "\n" FROM_A, { 0, 0, 0, -1 } },
	/* No empty line before it: it is text. */
	{ FROM_A "A: b\n" FROM_B "\n", { 6 + 47, -1 } },
	{ FROM_A "\nFrom here to there\n\n>" FROM_B "\n",
	    { 2 + 20 + 2 + 48, -1 } },
	{ FROM_A "x\n\r\n" FROM_B "y\n", { 3, 3, -1 } },
};

static void
sizes_are_as_sent(void **state)
{
	struct rig *r = *state;
	struct popper_message message;
	struct popper_slice file;
	size_t i, k;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		file = popper_slice_text(known[i].file);
		reference_check(file, (size_t)MBOX_SCAN_LEAST);
		rig_put(r, known[i].file);
		rig_open(r);
		for (k = 0; known[i].octets[k] != -1; k++) {
			assert_in_range(k + 1, 1, r->drop->count(r->self));
			assert_int_equal(
			    r->drop->describe(r->self, k, POPPER_WANT_OCTETS,
				&message, &r->error),
			    0);
			if ((int)message.octets != known[i].octets[k])
				fail_msg("%zu, message %zu: %d", i, k,
				    (int)message.octets);
		}
		assert_int_equal(r->drop->count(r->self), k);
		rig_close(r);
		rig_expect(r, known[i].file);
	}
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

/* Files put together from what scanners stumble over. */
static void
random_files_agree_with_the_reference(void **state)
{
	static const struct popper_slice parts[] = { { "\n", 1 }, { "\r", 1 },
		{ "\r\n", 2 }, { "\n\n", 2 }, { "\n\r\n", 3 },
		{ FROM_A, sizeof(FROM_A) - 1 }, { FROM_B, sizeof(FROM_B) - 1 },
		{ "\n" FROM_A, sizeof(FROM_A) },
		{ "From x Thu Jan 1 00:00 70\r\n", 27 }, { "From ", 5 },
		{ "\nFrom ", 6 }, { ">From ", 6 }, { "\0", 1 },
		{ "\377\200", 2 }, { ".", 1 }, { "Subject: text\n", 14 } };
	uint32_t seed = 1, part;
	char *file = malloc(40000);
	size_t len, end, n;
	int i;

	(void)state;
	assert_non_null(file);
	for (i = 0; i < 4000; i++) {
		len = next_random(&seed) % 8 == 0 ? 0 : sizeof(FROM_A) - 1;
		memcpy(file, FROM_A, len);
		end = next_random(&seed) % (i % 4 == 0 ? 16000 : 200);
		while (len < end) {
			part = next_random(&seed) % 18;
			if (part == 17) {
				/* It may lack its separator. */
				n = MBOX_PAD_LEAST + next_random(&seed) % 900;
				mbox_pad_make(file + len, n, seed,
				    popper_slice(FROM_B, sizeof(FROM_B) - 1));
			} else if (part < 16) {
				n = parts[part].len;
				memcpy(file + len, parts[part].ptr, n);
			} else {
				n = next_random(&seed) % 1500;
				memset(file + len, 'x', n);
			}
			len += n;
		}
		reference_check(popper_slice(file, len),
		    (size_t)MBOX_SCAN_LEAST + next_random(&seed) % 64);
	}
	free(file);
}

/* A header of ${len} octets, one field after the other, and a body. */
static size_t
put_header(char *file, size_t len, const char *line_end)
{
	char *p = stpcpy(file, FROM_A), *end = p + len;

	while (end - p > 70) {
		memset(p, 'x', 50);
		p = stpcpy(p + 50, line_end);
	}
	memset(p, 'y', (size_t)(end - p));
	p = stpcpy(end, line_end);
	p = stpcpy(p, line_end);
	p = stpcpy(p, "Text\n\n" FROM_B "A: b\n\nText\n");
	return (size_t)(p - file);
}

/* ... and those that are longer than a window, and than is noted. */
static void
headers_end_anywhere_in_a_window(void **state)
{
	static const char *const ends[] = { "\n", "\r\n" };
	const size_t window = MBOX_SCAN_LEAST;
	char *file = malloc(150000);
	size_t len, i;

	(void)state;
	assert_non_null(file);
	for (i = 0; i < 2; i++) {
		for (len = window - 120; len < window + 20; len++)
			reference_check(
			    popper_slice(file, put_header(file, len, ends[i])),
			    window);
		for (len = 3 * window - 60; len < 3 * window; len++)
			reference_check(
			    popper_slice(file, put_header(file, len, ends[i])),
			    window);
		for (len = 65520; len < 65540; len++)
			reference_check(
			    popper_slice(file, put_header(file, len, ends[i])),
			    window);
	}
	free(file);
}

/* Every octet value, and from any offset on. */
static void
messages_are_read_byte_for_byte(void **state)
{
	struct rig *r = *state;
	size_t len = 3 * MBOX_BUFFER + 77, head = sizeof(FROM_A) - 1, i;
	const size_t offsets[] = { 0, 1, MBOX_BUFFER, len - 1, len, len + 5 };
	char *file = malloc(head + len + 1);
	struct popper_slice got;

	assert_non_null(file);
	memcpy(file, FROM_A, head);
	for (i = 0; i < len; i++)
		file[head + i] = (char)(i * 7 + i / 256);
	file[head + len - 1] = '\n';
	file[head + len] = '\n';
	rig_put_slice(r, popper_slice(file, head + len + 1));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
	for (i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		size_t from = offsets[i] < len ? offsets[i] : len;

		got = rig_read(r, 0, offsets[i]);
		assert_int_equal(got.len, len - from);
		assert_memory_equal(got.ptr, file + head + from, got.len);
		free((void *)(uintptr_t)got.ptr);
	}
	free(file);
}

static void
internal_data_is_hidden_and_kept(void **state)
{
	static const char internal[] = FROM_A
	    "From: Mail System Internal Data <MAILER-DAEMON@example.org>\n"
	    "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n"
	    "X-IMAP: 0123456789 0000000001\n\nIt is not mail.\n\n";
	struct rig *r = *state;
	struct popper_slice got;

	rig_put(r, internal);
	rig_deliver(r, FROM_B "A: 1\n\n1\n\n" FROM_B "A: 2\n\n2\n\n");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
	got = rig_read(r, 0, 0);
	assert_string_equal(got.ptr, "A: 1\n\n1\n");
	free((void *)(uintptr_t)got.ptr);
	assert_int_equal(rig_commit(r, "DD"), POPPER_DONE);
	rig_expect(r, internal);
	rig_close(r);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
	rig_close(r);
	/* One sign alone is a message like others. */
	rig_put(r, FROM_A "Subject: FOLDER INTERNAL DATA\n\n");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separators_are_known),
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(long_lines_never_separate),
		cmocka_unit_test_setup_teardown(
		    sizes_are_as_sent, rig_setup, rig_teardown),
		cmocka_unit_test(headers_end_anywhere_in_a_window),
		cmocka_unit_test(random_files_agree_with_the_reference),
		cmocka_unit_test_setup_teardown(
		    messages_are_read_byte_for_byte, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    internal_data_is_hidden_and_kept, rig_setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
