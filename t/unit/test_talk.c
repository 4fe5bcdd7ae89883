/* test_talk.c - src/session/talk.c; what a command may say. */
#include "unit.h"

#include <errno.h>
#include <signal.h>

#include "child.h"
#include "priv/messages.h"
#include "base/fd.h"
#include "talk.h"

static int
say_lines(void *self, const struct popper_call *c, struct popper_error *e)
{
	struct popper_sink *body;

	(void)self;
	(void)e;
	(c->talk->open)(c->talk, "lines");
	c->talk->line(c->talk, S(".dot"));
	c->talk->line(c->talk, S(""));
	body = c->talk->body(c->talk);
	body->put(body, S("a\n.b"));
	return c->talk->end(c->talk);
}

/* Number, size and unique-id of the message that the client means. */
static int
say_message(void *self, const struct popper_call *c, struct popper_error *e)
{
	struct popper_message m;
	size_t i;

	(void)self;
	if (c->view->pick(c->view, c->args[0], &i, e) == -1 ||
	    c->view->describe(
		c->view, i, POPPER_WANT_OCTETS | POPPER_WANT_UID, &m, e) == -1)
		return -1;
	return (c->talk->ok)(c->talk, "%zu of %zu: %u %s %d", i,
	    c->view->count(c->view), (unsigned)m.octets, m.uid,
	    c->view->deleted(c->view, 1));
}

static int
read_lines(void *self, const struct popper_call *c, struct popper_error *e)
{
	char buf[8];
	long n;
	unsigned lines = 0;

	(void)self;
	(void)e;
	while ((n = c->talk->read_line(c->talk, buf, sizeof(buf))) >= 0) {
		if (n == 1 && buf[0] == '.')
			return (c->talk->ok)(c->talk, "%u lines", lines);
		lines++;
	}
	return (c->talk->ok)(c->talk, "%u lines and no more", lines);
}

static int
fail_first(void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	(void)c;
	return error_set(e, POPPER_TOO_SOON, "not yet");
}

static int
fail_late(void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	(c->talk->open)(c->talk, "begin");
	return error_set(e, POPPER_TEMPORARY, "bad disk");
}

static int
say_nothing(void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	(void)c;
	(void)e;
	return 0;
}

static int
leave_open(void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	(void)e;
	return (c->talk->open)(c->talk, "begin");
}

static int
answer_twice(void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	(void)e;
	(c->talk->ok)(c->talk, "one");
	return (c->talk->ok)(c->talk, "two");
}

static int
say_a_line_first(
    void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	(void)e;
	return c->talk->line(c->talk, S("x"));
}

/* Have something done, and say how it went. */
static int
send_errand(void *self, const struct popper_call *c, struct popper_error *e)
{
	(void)self;
	if (c->attend(c, S("do\0it"), STDIN_FILENO, e) == -1)
		return -1;
	return (c->talk->ok)(c->talk, "it is done");
}

static int
send_long_errand(
    void *self, const struct popper_call *c, struct popper_error *e)
{
	static char request[POPPER_REQUEST_MAX + 1];

	(void)self;
	return c->attend(c, popper_slice(request, sizeof(request)), -1, e);
}

static void
talks(void **state)
{
	(void)state;
	assert_int_equal(run(say_lines, ""), OUTCOME_DONE);
	assert_sent("+OK lines\r\n..dot\r\n\r\na\r\n..b\r\n.\r\n");
	assert_int_equal(run(say_message, "1"), OUTCOME_DONE);
	assert_sent("+OK 0 of 2: 4 uid-1 0\r\n");
	messages_delete(&messages, 1);
	assert_int_equal(run(say_message, "1"), OUTCOME_DONE);
	assert_sent("+OK 0 of 2: 4 uid-1 1\r\n");
	assert_int_equal(run(say_message, "2"), OUTCOME_REFUSED);
	assert_sent("-ERR this message is deleted\r\n");
	assert_int_equal(run(say_message, "3"), OUTCOME_REFUSED);
	assert_sent("-ERR no such message\r\n");
}

static void
reads_what_the_client_sends(void **state)
{
	(void)state;
	assert_true(stream_preload(
	    &stream, S("a\r\n12345678\r\n12345678\n\r\n.\r\nNOOP\r\n")));
	assert_int_equal(run(read_lines, ""), OUTCOME_DONE);
	assert_sent("+OK 4 lines\r\n");
	assert_slice(stream_ahead(&stream), "NOOP\r\n");
	/* Too long by one, with either line end. */
	stream_forget(&stream);
	assert_true(stream_preload(&stream, S("123456789\r\n.\r\n")));
	assert_int_equal(run(read_lines, ""), OUTCOME_DONE);
	assert_sent("+OK 0 lines and no more\r\n");
	stream_forget(&stream);
	assert_true(stream_preload(&stream, S("1\n123456789\n.\r\n")));
	assert_int_equal(run(read_lines, ""), OUTCOME_DONE);
	assert_sent("+OK 1 lines and no more\r\n");
}

/* The attendant's end: one answer to what ${send_errand} asks. */
static void
attend_to(int channel, const struct popper_error *result)
{
	static struct wire w;
	struct errand x;
	size_t count;
	int fd;

	must(wire_receive(&w, channel, &fd, 1, &count) == 1 && count == 1);
	must(errand_get(&w, &x) && strcmp(x.module, "test") == 0);
	must(x.request.len == 5 && memcmp(x.request.ptr, "do\0it", 5) == 0);
	if (result != NULL) {
		result_put(&w, result);
		must(wire_send(&w, channel, NULL, 0) == 0);
	}
	_exit(0);
}

/* Run it with an attendant that answers ${result}, or dies. */
static enum outcome
run_attended(const struct popper_error *result)
{
	enum outcome outcome;
	int pair[2], status;
	pid_t pid;

	assert_int_equal(fd_pair(pair), 0);
	if ((pid = fork()) == 0) {
		close(pair[0]);
		attend_to(pair[1], result);
	}
	close(pair[1]);
	attendant = pair[0];
	outcome = run(send_errand, "");
	if (result == NULL) /* and it stays so */
		assert_int_equal(run(send_errand, ""), OUTCOME_REFUSED);
	close(pair[0]);
	attendant = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return outcome;
}

static void
sends_errands(void **state)
{
	struct popper_error result = { .status = POPPER_OK };

	(void)state;
	assert_int_equal(run_attended(&result), OUTCOME_DONE);
	assert_sent("+OK it is done\r\n");
	result = (struct popper_error){ .status = POPPER_PERMANENT,
		.reply = "no such thing",
		.text = "none" };
	assert_int_equal(run_attended(&result), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/PERM] no such thing\r\n");
	assert_int_equal(run_attended(NULL), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/TEMP] trouble here, try again later\r\n");
}

static void
has_no_attendant(void **state)
{
	(void)state;
	assert_int_equal(run(send_errand, ""), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/TEMP] trouble here, try again later\r\n");
	attendant = 0; /* never written to */
	assert_int_equal(run(send_long_errand, ""), OUTCOME_REFUSED);
	attendant = -1;
}

static void
says_why_not(void **state)
{
	(void)state;
	assert_int_equal(run(fail_first, ""), OUTCOME_REFUSED);
	assert_sent("-ERR [LOGIN-DELAY] wait before you log in again\r\n");
	assert_int_equal(run(say_nothing, ""), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/PERM] trouble here, tell the administrator\r\n");
}

/* The client could not know where it stands. */
static void
closes_after_half_an_answer(void **state)
{
	(void)state;
	assert_int_equal(run(fail_late, ""), OUTCOME_CLOSE);
	assert_sent("+OK begin\r\n");
	assert_int_equal(run(leave_open, ""), OUTCOME_CLOSE);
	assert_sent("+OK begin\r\n");
}

static void
in_answer_twice(void)
{
	close(STDERR_FILENO);
	run(answer_twice, "");
}

static void
in_line_first(void)
{
	close(STDERR_FILENO);
	run(say_a_line_first, "");
}

static void
dies_of_a_wrong_answer(void **state)
{
	int status = child_status(in_answer_twice);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	status = child_status(in_line_first);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(talks, start, stop),
		cmocka_unit_test_setup_teardown(
		    reads_what_the_client_sends, start, stop),
		cmocka_unit_test_setup_teardown(sends_errands, start, stop),
		cmocka_unit_test_setup_teardown(has_no_attendant, start, stop),
		cmocka_unit_test_setup_teardown(says_why_not, start, stop),
		cmocka_unit_test_setup_teardown(
		    closes_after_half_an_answer, start, stop),
		cmocka_unit_test_setup_teardown(
		    dies_of_a_wrong_answer, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
