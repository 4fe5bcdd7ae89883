/* test_stuff.c - src/proto/stuff.c */
#include "unit.h"

#include "proto/stuff.h"

static struct stream s;

/* A message, its wire form and its size. */
struct sample {
	struct popper_slice stored, wire;
	uint64_t octets;
};

static const struct sample samples[] = {
	{ { "", 0 }, { "", 0 }, 0 },
	{ { "a", 1 }, { "a\r\n", 3 }, 3 },
	{ { "a\n", 2 }, { "a\r\n", 3 }, 3 },
	{ { "a\r\n", 3 }, { "a\r\n", 3 }, 3 },
	{ { "\n", 1 }, { "\r\n", 2 }, 2 },
	{ { "\r\n", 2 }, { "\r\n", 2 }, 2 },
	{ { "\r", 1 }, { "\r\r\n", 3 }, 3 },
	{ { "\r\r\n", 3 }, { "\r\r\n", 3 }, 3 },
	{ { "a\rb\n", 4 }, { "a\rb\r\n", 5 }, 5 },
	{ { ".", 1 }, { "..\r\n", 4 }, 3 },
	{ { "..\n", 3 }, { "...\r\n", 5 }, 4 },
	{ { ".\n.\r\n", 5 }, { "..\r\n..\r\n", 8 }, 6 },
	{ { "a.\n\n.b\n", 7 }, { "a.\r\n\r\n..b\r\n", 11 }, 10 },
	{ { "\r.\n", 3 }, { "\r.\r\n", 4 }, 4 },
	{ { "\n\n\n", 3 }, { "\r\n\r\n\r\n", 6 }, 6 },
	{ { "\0\n.\0", 4 }, { "\0\r\n..\0\r\n", 8 }, 7 },
	{ { "a\nb\r\nc\nx\r\n", 10 }, { "a\r\nb\r\nc\r\nx\r\n", 12 }, 12 },
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

/* Put ${in} in two pieces, cut at ${cut}, with an empty one between. */
static int
put_cut(struct popper_sink *sink, struct popper_slice in, size_t cut)
{
	int result = sink->put(sink, popper_slice(in.ptr, cut));

	if (result == 0)
		result = sink->put(sink, popper_slice(NULL, 0));
	if (result == 0)
		result =
		    sink->put(sink, popper_slice(in.ptr + cut, in.len - cut));
	return result;
}

static void
stuffs_every_cut(void **state)
{
	struct stuff st;
	size_t i, cut;

	(void)state;
	for (i = 0; i < SAMPLES; i++)
		for (cut = 0; cut <= samples[i].stored.len; cut++) {
			stream_start(&s, -1, 0);
			stuff_start(&st, &s);
			assert_int_equal(
			    put_cut(&st.sink, samples[i].stored, cut), 0);
			assert_int_equal(stuff_end(&st), 0);
			assert_int_equal(s.out_len, samples[i].wire.len);
			assert_memory_equal(
			    s.out, samples[i].wire.ptr, s.out_len);
		}
}

static void
measures_every_cut(void **state)
{
	struct measure m;
	size_t i, cut;

	(void)state;
	for (i = 0; i < SAMPLES; i++)
		for (cut = 0; cut <= samples[i].stored.len; cut++) {
			measure_start(&m);
			assert_int_equal(
			    put_cut(&m.sink, samples[i].stored, cut), 0);
			assert_int_equal(measure_end(&m), samples[i].octets);
		}
}

static void
ends_only_once(void **state)
{
	struct measure m;
	struct stuff st;

	(void)state;
	stream_start(&s, -1, 0);
	stuff_start(&st, &s);
	st.sink.put(&st.sink, S("a"));
	stuff_end(&st);
	stuff_end(&st);
	assert_slice(popper_slice(s.out, s.out_len), "a\r\n");
	measure_start(&m);
	m.sink.put(&m.sink, S("a"));
	assert_int_equal(measure_end(&m), 3);
	assert_int_equal(measure_end(&m), 3);
}

static void
tells_a_broken_stream(void **state)
{
	struct stuff st;

	(void)state;
	stream_start(&s, -1, 0);
	stuff_start(&st, &s);
	s.broken = true;
	assert_int_equal(st.sink.put(&st.sink, S("a\n.b\n")), -1);
	assert_int_equal(stuff_end(&st), -1);
}

/* --- Output that is sent while a message is on its way. --- */

static char sent[4 * STREAM_OUT_MAX];
static size_t sent_len;

static ssize_t
take(void *self, const void *octets, size_t len)
{
	(void)self;
	assert_true(len <= sizeof(sent) - sent_len);
	memcpy(sent + sent_len, octets, len);
	sent_len += len;
	return (ssize_t)len;
}

/* The wire form of ${in}, octet by octet. */
static size_t
slowly(struct popper_slice in, char *out)
{
	bool start = true;
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (start && in.ptr[i] == '.')
			out[len++] = '.';
		start = in.ptr[i] == '\n';
		if (start && (i == 0 || in.ptr[i - 1] != '\r'))
			out[len++] = '\r';
		out[len++] = in.ptr[i];
	}
	return len;
}

/* Lines of every length, so that each octet of one meets the end of the
 * buffer. */
static void
stuffs_across_buffers(void **state)
{
	static const struct stream_transport t = { .write = take };
	static char in[STREAM_OUT_MAX + 5000], out[2 * sizeof(in)];
	static const char tails[][5] = { "\n", "\r\n", "\n.\n", "\n\n..",
		"\r\r\n" };
	size_t at, len, tail;
	struct stuff st;

	(void)state;
	for (size_t shift = 0; shift < 400; shift++) {
		memset(in, 'x', sizeof(in));
		for (at = shift, len = 0; at + 4 < sizeof(in);
		     at += len % 100 + 4, len++) {
			tail = len % (sizeof(tails) / sizeof(*tails));
			memcpy(in + at, tails[tail], strlen(tails[tail]));
		}
		len = slowly(popper_slice(in, sizeof(in)), out);
		stream_start(&s, -1, 0);
		s.fd = 0; /* which is never asked */
		stream_wrap(&s, &t);
		stuff_start(&st, &s);
		sent_len = 0;
		assert_int_equal(
		    st.sink.put(&st.sink, popper_slice(in, sizeof(in))), 0);
		assert_int_equal(stream_flush(&s), 0);
		assert_int_equal(sent_len, len);
		assert_memory_equal(sent, out, len);
	}
}

/* --- TOP --- */

/* A sink that keeps what it gets, and fails on demand. */
struct keeper {
	struct popper_sink sink;
	char octets[256];
	size_t len;
	int result;
};

static int
keep(struct popper_sink *sink, struct popper_slice in)
{
	struct keeper *k = (struct keeper *)sink;

	assert_true(in.len <= sizeof(k->octets) - k->len);
	if (in.len > 0)
		memcpy(k->octets + k->len, in.ptr, in.len);
	k->len += in.len;
	return k->result;
}

/* Put ${in} octet by octet. */
static int
put_octets(struct popper_sink *sink, struct popper_slice in)
{
	int result = 0;
	size_t i;

	for (i = 0; i < in.len && result == 0; i++)
		result = sink->put(sink, popper_slice(in.ptr + i, 1));
	return result;
}

/* TOP of ${message} with ${lines} is its first ${len} octets, however it is
 * cut; ${enough} says whether the sink says so. */
static void
check_top(struct popper_slice message, uint64_t lines, size_t len, int enough)
{
	struct keeper k;
	struct top t;
	size_t cut;
	int result;

	for (cut = 0; cut <= message.len + 1; cut++) {
		k = (struct keeper){ .sink.put = keep };
		top_start(&t, &k.sink, lines);
		if (cut <= message.len)
			result = put_cut(&t.sink, message, cut);
		else
			result = put_octets(&t.sink, message);
		assert_int_equal(result, enough);
		assert_int_equal(k.len, len);
		assert_memory_equal(k.octets, message.ptr, len);
	}
}

static void
top_counts_body_lines(void **state)
{
	(void)state;
	check_top(S("A: b\n\nx\ny\nz\n"), 0, 6, 1);
	check_top(S("A: b\n\nx\ny\nz\n"), 1, 8, 1);
	check_top(S("A: b\n\nx\ny\nz\n"), 3, 12, 1);
	check_top(S("A: b\n\nx\ny\nz\n"), 4, 12, 0);
	check_top(S("A: b\n\nx\ny\nz\n"), UINT64_MAX, 12, 0);
	check_top(S("A: b\r\n\r\nx\r\ny\r\n"), 0, 8, 1);
	check_top(S("A: b\r\n\r\nx\r\ny\r\n"), 1, 11, 1);
	check_top(S("A: b\n\n\n\n\n"), 2, 8, 1);
	check_top(S("A: b\n\nx"), 1, 7, 0);
}

static void
top_finds_the_empty_line(void **state)
{
	(void)state;
	check_top(S("\nbody\n"), 0, 1, 1);
	check_top(S("\r\nbody\n"), 0, 2, 1);
	check_top(S("A\n\r\r\nB\n\nx\n"), 0, 8, 1);
	check_top(S("A\n \nB\n\r\nx\n"), 0, 8, 1);
	check_top(S("A\rB\n\r\nx"), 0, 6, 1);
	check_top(S("A: only\nB: header\n"), 0, 18, 0);
	check_top(S("A\n\r"), 0, 3, 0);
	check_top(S("\rA\n\nx"), 0, 4, 1);
}

static void
top_stays_enough(void **state)
{
	struct keeper k = { .sink.put = keep };
	struct top t;

	(void)state;
	top_start(&t, &k.sink, 0);
	assert_int_equal(t.sink.put(&t.sink, S("\nx")), 1);
	assert_int_equal(t.sink.put(&t.sink, S("more")), 1);
	assert_int_equal(k.len, 1);
}

static void
top_passes_the_answer_on(void **state)
{
	struct keeper k = { .sink.put = keep, .result = -1 };
	struct top t;

	(void)state;
	top_start(&t, &k.sink, 0);
	assert_int_equal(t.sink.put(&t.sink, S("A: b")), -1);
	top_start(&t, &k.sink, 0);
	assert_int_equal(t.sink.put(&t.sink, S("\n")), -1);
	k.result = 1;
	top_start(&t, &k.sink, 9);
	assert_int_equal(t.sink.put(&t.sink, S("A: b")), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stuffs_every_cut),
		cmocka_unit_test(measures_every_cut),
		cmocka_unit_test(ends_only_once),
		cmocka_unit_test(tells_a_broken_stream),
		cmocka_unit_test(stuffs_across_buffers),
		cmocka_unit_test(top_counts_body_lines),
		cmocka_unit_test(top_finds_the_empty_line),
		cmocka_unit_test(top_stays_enough),
		cmocka_unit_test(top_passes_the_answer_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
