/* test_stream_out.c - src/base/stream.c: what goes out. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "stream_pair.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
