/* test_stream.c - src/base/stream.c: what comes in. */
#include "unit.h"

#include <fcntl.h>

#include "stream_pair.h"

static void
makes_descriptor_non_blocking(void **state)
{
	(void)state;
	assert_true((fcntl(pair[0], F_GETFL) & O_NONBLOCK) != 0);
}

static void
cuts_lines(void **state)
{
	struct popper_slice line;

	(void)state;
	say(S("one\r\ntwo\nlone\rcr\r\r\n\r\n\nnul\0x\r\nhalf"));
	assert_line(255, "one");
	assert_line(255, "two");
	assert_line(255, "lone\rcr\r");
	assert_line(255, "");
	assert_line(255, "");
	assert_line(255, "nul\0x");
	fd_close(&pair[1]);
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	assert_true(s.ended);
	assert_false(s.broken);
}

static void
joins_pieces(void **state)
{
	static const char text[] = "PASS x\r\n";
	struct popper_slice line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text) - 2; i++) {
		say(popper_slice(text + i, 1));
		assert_int_equal(
		    stream_read_line(&s, 255, &line, deadline_in(0)),
		    STREAM_EXPIRED);
	}
	say(S("\n"));
	assert_line(255, "PASS x");
}

static void
limit_counts_the_line_end(void **state)
{
	struct popper_slice line;
	char x[254];

	(void)state;
	memset(x, 'x', sizeof(x));
	say(popper_slice(x, 253));
	say(S("\r\n"));
	assert_int_equal(read_line(255, &line), STREAM_LINE);
	assert_int_equal(line.len, 253);
	say(popper_slice(x, 254));
	say(S("\n"));
	assert_int_equal(read_line(255, &line), STREAM_LINE);
	assert_int_equal(line.len, 254);
	say(popper_slice(x, 254));
	say(S("\r\nNOOP\r\n"));
	assert_int_equal(read_line(255, &line), STREAM_LONG);
	assert_line(255, "NOOP");
}

static void
swallows_a_long_line_once(void **state)
{
	struct popper_slice line;
	char x[1000];
	int i;

	(void)state;
	memset(x, 'x', sizeof(x));
	for (i = 0; i < 100; i++) {
		say(popper_slice(x, sizeof(x)));
		assert_int_equal(
		    stream_read_line(&s, 255, &line, deadline_in(0)),
		    STREAM_EXPIRED);
	}
	say(S("DELE 1\r\nQUIT\r\n"));
	assert_int_equal(read_line(255, &line), STREAM_LONG);
	assert_line(255, "QUIT");
}

static void
takes_the_longest_line(void **state)
{
	static char x[STREAM_LINE_MAX];
	struct popper_slice line;

	(void)state;
	memset(x, 'x', sizeof(x));
	say(S("short\r\n"));
	say(popper_slice(x, sizeof(x) - 2));
	say(S("\r\nnext\r\n"));
	assert_line(255, "short");
	assert_int_equal(read_line(STREAM_LINE_MAX, &line), STREAM_LINE);
	assert_int_equal(line.len, sizeof(x) - 2);
	assert_line(255, "next");
	say(popper_slice(x, sizeof(x) - 1));
	say(S("\r\n"));
	assert_int_equal(read_line(STREAM_LINE_MAX, &line), STREAM_LONG);
}

static void
gives_a_flood_up(void **state)
{
	enum stream_line result = STREAM_EXPIRED;
	struct popper_slice line;
	uint64_t sent;
	char x[4096];

	(void)state;
	memset(x, 'x', sizeof(x));
	for (sent = 0; result == STREAM_EXPIRED; sent += sizeof(x)) {
		assert_true(sent < 2 * STREAM_FLOOD);
		say(popper_slice(x, sizeof(x)));
		result = stream_read_line(&s, 255, &line, deadline_in(0));
	}
	assert_int_equal(result, STREAM_FLOODED);
	assert_true(sent > STREAM_FLOOD);
}

static void
silence_expires(void **state)
{
	struct popper_slice line;

	(void)state;
	assert_int_equal(
	    stream_read_line(&s, 255, &line, deadline_in(1)), STREAM_EXPIRED);
	say(S("late\r\n"));
	assert_line(255, "late");
}

static void
preloads_and_shows_what_is_ahead(void **state)
{
	static char x[STREAM_LINE_MAX];

	(void)state;
	assert_true(stream_preload(&s, S("STAT\r\nQU")));
	assert_true(stream_preload(&s, popper_slice(NULL, 0)));
	assert_false(stream_preload(&s, popper_slice(x, sizeof(x))));
	assert_line(255, "STAT");
	assert_slice(stream_ahead(&s), "QU");
	say(S("IT\r\n"));
	assert_line(255, "QUIT");
	assert_int_equal(stream_ahead(&s).len, 0);
}

static void
forgets(void **state)
{
	(void)state;
	say(S("STLS\r\nUSER injected\r\n"));
	assert_line(255, "STLS");
	assert_true(stream_ahead(&s).len > 0);
	stream_forget(&s);
	assert_int_equal(stream_ahead(&s).len, 0);
	say(S("CAPA\r\n"));
	assert_line(255, "CAPA");
}

static void
forgets_half_a_long_line(void **state)
{
	struct popper_slice line;
	char x[300];

	(void)state;
	memset(x, 'x', sizeof(x));
	say(popper_slice(x, sizeof(x)));
	assert_int_equal(
	    stream_read_line(&s, 255, &line, deadline_in(0)), STREAM_EXPIRED);
	stream_forget(&s);
	say(S("CAPA\r\n"));
	assert_line(255, "CAPA");
}

static void
bad_descriptor_is_broken(void **state)
{
	struct popper_slice line;
	int fd = dup(pair[0]);

	(void)state;
	close(fd);
	stream_start(&s, fd, SOON);
	assert_true(s.broken);
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
}

/* Nothing is left of other tests. */
static void
blank(void)
{
	memset(&s, 0, sizeof(s));
	stream_start(&s, pair[0], SOON);
}

static void
wipes_all_that_passed(void **state)
{
	static const char all_zero[sizeof(s)];
	char x[300];

	(void)state;
	memset(x, 'x', sizeof(x));
	blank();
	say(popper_slice(x, sizeof(x)));
	say(S("\r\nPASS sesame\r\nQUIT\r\n"));
	assert_int_equal(stream_put(&s, S("+OK open\r\n")), 0);
	assert_int_equal(
	    read_line(255, &(struct popper_slice){ 0 }), STREAM_LONG);
	assert_int_equal(stream_put(&s, S("+OK\r\n")), 0);
	assert_line(255, "PASS sesame");
	assert_int_equal(stream_put(&s, S("a\r\n")), 0);
	stream_wipe(&s);
	assert_memory_equal(&s, all_zero, sizeof(s));
}

static void
wipes_what_was_preloaded(void **state)
{
	static const char all_zero[sizeof(s)];

	(void)state;
	blank();
	assert_true(stream_preload(&s, S("PASS sesame\r\n")));
	memcpy(stream_room(&s, 7), "sesame", 7);
	stream_wipe(&s);
	assert_memory_equal(&s, all_zero, sizeof(s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STREAM(makes_descriptor_non_blocking),
		WITH_STREAM(cuts_lines),
		WITH_STREAM(joins_pieces),
		WITH_STREAM(limit_counts_the_line_end),
		WITH_STREAM(swallows_a_long_line_once),
		WITH_STREAM(takes_the_longest_line),
		WITH_STREAM(gives_a_flood_up),
		WITH_STREAM(silence_expires),
		WITH_STREAM(preloads_and_shows_what_is_ahead),
		WITH_STREAM(forgets),
		WITH_STREAM(forgets_half_a_long_line),
		WITH_STREAM(bad_descriptor_is_broken),
		WITH_STREAM(wipes_all_that_passed),
		WITH_STREAM(wipes_what_was_preloaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
