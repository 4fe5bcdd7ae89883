/* test_stream.c - src/base/stream.c */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/stream.h"

#define SOON 10000 /* ms: reached only if something is wrong */

static struct stream s;
static int pair[2];

static int
open_stream(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return -1;
	stream_start(&s, pair[0], SOON);
	return 0;
}

static int
close_stream(void **state)
{
	(void)state;
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}

static void
say(struct popper_slice octets)
{
	assert_int_equal(fd_write_all(pair[1], octets.ptr, octets.len), 0);
}

static enum stream_line
read_line(size_t most, struct popper_slice *line)
{
	return stream_read_line(&s, most, line, deadline_in(SOON));
}

#define assert_line(most, literal)                                      \
	do {                                                            \
		struct popper_slice line_;                              \
		assert_int_equal(read_line(most, &line_), STREAM_LINE); \
		assert_slice(line_, literal);                           \
	} while (0)

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
flushes_only_before_a_wait(void **state)
{
	struct popper_slice line;
	char buf[16];

	(void)state;
	say(S("a\r\nb\r\n"));
	assert_line(255, "a");
	assert_int_equal(stream_put(&s, S("+OK 1\r\n")), 0);
	assert_line(255, "b");
	assert_int_equal(recv(pair[1], buf, sizeof(buf), MSG_DONTWAIT), -1);
	assert_int_equal(stream_put(&s, S("+OK 2\r\n")), 0);
	assert_int_equal(
	    stream_read_line(&s, 255, &line, deadline_in(0)), STREAM_EXPIRED);
	assert_int_equal(recv(pair[1], buf, sizeof(buf), 0), 14);
	assert_memory_equal(buf, "+OK 1\r\n+OK 2\r\n", 14);
	assert_int_equal(s.octets_in, 6);
	assert_int_equal(s.octets_out, 14);
}

static void
answers_who_closed_his_half(void **state)
{
	struct popper_slice line;
	char buf[16];

	(void)state;
	say(S("QUIT\r\n"));
	shutdown(pair[1], SHUT_WR);
	assert_line(255, "QUIT");
	stream_put(&s, S("+OK\r\n"));
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	assert_int_equal(recv(pair[1], buf, sizeof(buf), 0), 5);
}

/* Octet ${i} of the long output of the tests below. */
static char
octet_at(size_t i)
{
	return (char)('a' + i % 23);
}

/* Child: read everything, exit 0 if it is ${total} octets as sent. */
static void
check_output(size_t total)
{
	size_t i, at = 0;
	char buf[3000];
	ssize_t n;

	while ((n = read(pair[1], buf, sizeof(buf))) > 0)
		for (i = 0; i < (size_t)n; i++)
			if (buf[i] != octet_at(at++))
				_exit(1);
	_exit(n == 0 && at == total ? 0 : 2);
}

/* Put ${total} octets in slices of ${piece}. */
static void
put_output(size_t total, size_t piece)
{
	static char x[200000];
	size_t at, i;

	assert_true(piece <= sizeof(x));
	for (at = 0; at < total; at += piece) {
		if (piece > total - at)
			piece = total - at;
		for (i = 0; i < piece; i++)
			x[i] = octet_at(at + i);
		assert_int_equal(stream_put(&s, popper_slice(x, piece)), 0);
	}
}

static void
sends_all_in_pieces_of_any_size(void **state)
{
	static const size_t piece[] = { 1, 77, 4096, 65535, 65536, 65537,
		200000 };
	size_t i;
	pid_t pid;
	int status;

	for (i = 0; i < sizeof(piece) / sizeof(piece[0]); i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			fd_close(&pair[0]);
			check_output(500001);
		}
		put_output(500001, piece[i]);
		stream_close(&s, 0);
		assert_int_equal(s.octets_out, 500001);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close_stream(state);
		open_stream(state);
	}
}

/* RFC 2449 section 6.6: neither waits for the other for ever. */
static void
takes_input_while_it_writes(void **state)
{
	static const char command[] = "RETR 12345\r\n";
	int small = 4096, status, i;
	size_t len = sizeof(command) - 1;
	pid_t pid;

	(void)state;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fd_close(&pair[0]);
		for (i = 0; i < 1200; i++)
			if (fd_write_all(pair[1], command, len) == -1)
				_exit(3);
		check_output(1000000);
	}
	fd_close(&pair[1]);
	assert_line(255, "RETR 12345");
	put_output(1000000, 65536);
	for (i = 1; i < 1200; i++)
		assert_line(255, "RETR 12345");
	stream_close(&s, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What was read while we wrote must not overwrite the line in hand. */
static void
line_lives_while_it_writes(void **state)
{
	static char x[400000];
	struct popper_slice line;

	(void)state;
	stream_start(&s, pair[0], 1);
	say(S("first\r\n"));
	assert_int_equal(read_line(255, &line), STREAM_LINE);
	say(S("SECOND\r\n"));
	assert_int_equal(stream_put(&s, popper_slice(x, sizeof(x))), -1);
	assert_slice(line, "first");
	assert_slice(stream_ahead(&s), "SECOND\r\n");
}

static void
loses_patience(void **state)
{
	static char x[400000];
	struct popper_slice line;

	(void)state;
	stream_start(&s, pair[0], 1);
	assert_int_equal(stream_put(&s, popper_slice(x, sizeof(x))), -1);
	assert_true(s.broken);
	assert_int_equal(stream_put(&s, S("x")), -1);
	assert_int_equal(stream_flush(&s), -1);
	say(S("QUIT\r\n"));
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
}

static void
survives_a_peer_that_left(void **state)
{
	struct popper_slice line;

	(void)state;
	signal(SIGPIPE, SIG_DFL); /* that would end us */
	fd_close(&pair[1]);
	assert_int_equal(stream_put(&s, S("x")), 0);
	assert_int_equal(stream_flush(&s), -1);
	assert_true(s.broken);
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	stream_close(&s, SOON);
}

static void
close_waits_for_the_last_word(void **state)
{
	char buf[16];
	pid_t pid;
	int status;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		fd_close(&pair[0]);
		if (fd_write_all(pair[1], "more\r\n", 6) == -1 ||
		    recv(pair[1], buf, sizeof(buf), MSG_WAITALL) != 9)
			_exit(1);
		_exit(0);
	}
	fd_close(&pair[1]);
	stream_put(&s, S("+OK bye\r\n"));
	stream_close(&s, SOON);
	assert_true(s.ended);
	assert_int_equal(s.octets_in, 6);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
close_has_a_deadline(void **state)
{
	(void)state;
	stream_close(&s, 1);
	assert_false(s.ended);
}

static void
works_without_a_descriptor(void **state)
{
	static char x[100000];
	struct popper_slice line;

	(void)state;
	stream_start(&s, -1, 0);
	assert_true(stream_preload(&s, S("STAT\r\n")));
	assert_int_equal(read_line(255, &line), STREAM_LINE);
	assert_int_equal(stream_put(&s, S("abc")), 0);
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	assert_slice(popper_slice(s.out, s.out_len), "abc");
	assert_int_equal(stream_put(&s, popper_slice(x, sizeof(x))), 0);
	assert_int_equal(stream_flush(&s), 0);
	stream_close(&s, SOON);
}

static void
writes_to_a_pipe(void **state)
{
	char buf[16];
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	stream_start(&s, pipes[1], SOON);
	assert_int_equal(stream_put(&s, S("abc")), 0);
	stream_close(&s, SOON);
	assert_int_equal(read(pipes[0], buf, sizeof(buf)), 3);
	close(pipes[0]);
	close(pipes[1]);
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

#define WITH_STREAM(f) \
	cmocka_unit_test_setup_teardown(f, open_stream, close_stream)

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
		WITH_STREAM(flushes_only_before_a_wait),
		WITH_STREAM(answers_who_closed_his_half),
		WITH_STREAM(sends_all_in_pieces_of_any_size),
		WITH_STREAM(takes_input_while_it_writes),
		WITH_STREAM(line_lives_while_it_writes),
		WITH_STREAM(loses_patience),
		WITH_STREAM(survives_a_peer_that_left),
		WITH_STREAM(close_waits_for_the_last_word),
		WITH_STREAM(close_has_a_deadline),
		WITH_STREAM(works_without_a_descriptor),
		WITH_STREAM(writes_to_a_pipe),
		WITH_STREAM(bad_descriptor_is_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
