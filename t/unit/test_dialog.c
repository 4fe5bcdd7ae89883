/* test_dialog.c - src/proto/dialog.c; linked with --wrap=stream_read_line. */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/dialog.h"

enum stream_line __real_stream_read_line(
    struct stream *, size_t, struct popper_slice *, deadline_t);
enum stream_line __wrap_stream_read_line(
    struct stream *, size_t, struct popper_slice *, deadline_t);

static struct stream s;
static struct dialog d;

static unsigned minutes_of_silence; /* still to be played */
static unsigned minutes_told, lines_seen;
static const struct command *last_before;

/* Silence of a minute, without the wait. */
enum stream_line
__wrap_stream_read_line(struct stream *stream, size_t most,
    struct popper_slice *line, deadline_t deadline)
{
	assert_int_equal(most, COMMAND_LINE_MAX);
	if (minutes_of_silence == 0)
		return __real_stream_read_line(stream, most, line, deadline);
	minutes_of_silence--;
	d.beat = deadline_in(0);
	assert_true(deadline_left(deadline) <= 60000);
	return STREAM_EXPIRED;
}

static enum outcome
noop(void *context, const struct arguments *a, struct reply *r)
{
	assert_ptr_equal(context, &d);
	assert_int_equal(a->count, 0);
	return reply_ok(r, "done");
}

static enum outcome
dele(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	assert_int_equal(a->count, 1);
	return reply_refuse(r, POPPER_INVALID, "no such message");
}

static enum outcome
quit(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	(void)a;
	(void)r;
	return OUTCOME_QUIT;
}

static enum outcome
hang(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	(void)a;
	(void)r;
	return OUTCOME_CLOSE;
}

static enum outcome
hand(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	(void)a;
	(void)r;
	return OUTCOME_HANDED_OVER;
}

static enum outcome
mute(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	(void)a;
	(void)r;
	return OUTCOME_DONE;
}

static enum outcome
rest(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	return reply_ok(r, "%zu", a->word[0].len);
}

static const struct command commands[] = {
	{ "NOOP", 0, 0, false, noop },
	{ "DELE", 1, 1, false, dele },
	{ "QUIT", 0, 0, false, quit },
	{ "HANG", 0, 0, false, hang },
	{ "HAND", 0, 0, false, hand },
	{ "MUTE", 0, 0, false, mute },
	{ "PASS", 1, 1, true, rest },
	{ NULL, 0, 0, false, NULL },
};

static const struct command elsewhere[] = {
	{ "STAT", 0, 0, false, noop },
	{ NULL, 0, 0, false, NULL },
};

static bool
extra(void *context, struct popper_slice line, struct reply *r,
    enum outcome *outcome)
{
	assert_ptr_equal(context, &d);
	if (line.len < 4 || memcmp(line.ptr, "XTND", 4) != 0)
		return false;
	*outcome = reply_ok(r, "extended");
	return true;
}

static void
before(void *context, const struct command *c)
{
	assert_ptr_equal(context, &d);
	lines_seen++;
	last_before = c;
}

static int
minute(void *context)
{
	assert_ptr_equal(context, &d);
	return ++minutes_told == 3 ? -1 : 0;
}

static int
start(void **state)
{
	(void)state;
	stream_start(&s, -1, 0);
	d = (struct dialog){ .stream = &s,
		.context = &d,
		.commands = commands,
		.elsewhere = elsewhere,
		.idle = 600000,
		.limit = DEADLINE_NEVER,
		.extra = extra,
		.before = before };
	minutes_of_silence = minutes_told = lines_seen = 0;
	return 0;
}

/* The end of a dialogue in which the client says ${octets}. */
static enum dialog_end
talk(struct popper_slice octets)
{
	assert_true(stream_preload(&s, octets));
	return dialog_run(&d);
}

#define assert_sent(literal) \
	assert_slice(popper_slice(s.out, s.out_len), literal)

static void
answers_each_command_in_turn(void **state)
{
	(void)state;
	assert_int_equal(
	    talk(S("NOOP\r\nDELE 1\r\nnoop\r\nPASS a b\r\n")), DIALOG_GONE);
	assert_sent("+OK done\r\n-ERR no such message\r\n+OK done\r\n"
		    "+OK 3\r\n");
	assert_int_equal(lines_seen, 4);
	assert_ptr_equal(last_before, &commands[6]);
}

static void
ends_as_the_handler_says(void **state)
{
	assert_int_equal(talk(S("QUIT\r\nNOOP\r\n")), DIALOG_QUIT);
	assert_sent("");
	start(state);
	assert_int_equal(talk(S("HANG\r\nNOOP\r\n")), DIALOG_CLOSE);
	start(state);
	assert_int_equal(talk(S("HAND\r\nNOOP\r\n")), DIALOG_HANDED_OVER);
	assert_slice(stream_ahead(&s), "NOOP\r\n");
	start(state);
	assert_int_equal(talk(S("QUIT")), DIALOG_GONE);
}

static void
refuses_what_is_no_command(void **state)
{
	(void)state;
	talk(S("FOO\r\nSTAT\r\nNOOP 1\r\nDELE  1\r\n\r\nPASS x\0\r\n"));
	assert_sent("-ERR unknown command\r\n"
		    "-ERR command not valid in this state\r\n"
		    "-ERR wrong number of arguments\r\n"
		    "-ERR malformed command\r\n"
		    "-ERR malformed command\r\n"
		    "-ERR malformed command\r\n");
	assert_int_equal(lines_seen, 6);
}

static void
never_echoes(void **state)
{
	(void)state;
	talk(S("EVIL\x1b[2J\r\nEVIL %s%n\r\nNOOP EVIL\r\n"));
	assert_int_equal(s.out[0], '-');
	s.out[s.out_len] = '\0';
	assert_null(strstr(s.out, "EVIL"));
}

static void
extensions_come_last(void **state)
{
	(void)state;
	talk(S("XTND a b\r\nXYZ\r\nNOOP\r\n"));
	assert_sent("+OK extended\r\n-ERR unknown command\r\n+OK done\r\n");
}

static void
works_without_the_optional_parts(void **state)
{
	(void)state;
	d.extra = NULL;
	d.elsewhere = NULL;
	d.before = NULL;
	talk(S("STAT\r\nNOOP\r\n"));
	assert_sent("-ERR unknown command\r\n+OK done\r\n");
}

static void
long_lines_are_no_commands(void **state)
{
	char x[300];

	(void)state;
	memset(x, 'x', sizeof(x));
	last_before = commands;
	assert_true(stream_preload(&s, popper_slice(x, sizeof(x))));
	talk(S("\r\nNOOP\r\n"));
	assert_sent("-ERR line too long\r\n+OK done\r\n");
	assert_int_equal(lines_seen, 2);
	assert_ptr_equal(last_before, &commands[0]);
}

static void
a_flood_is_the_end(void **state)
{
	char x[300];

	(void)state;
	memset(x, 'x', sizeof(x));
	s.skipping = true;
	s.skipped = STREAM_FLOOD;
	assert_int_equal(talk(popper_slice(x, sizeof(x))), DIALOG_CLOSE);
	assert_sent("-ERR line too long\r\n");
}

static void
sends_away_who_only_errs(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < DIALOG_FAULTS_MAX - 1; i++)
		stream_preload(&s, S("DELE 1\r\n"));
	stream_preload(&s, S("NOOP\r\n")); /* that starts the count anew */
	for (i = 0; i < DIALOG_FAULTS_MAX; i++)
		stream_preload(&s, S("XYZ\r\n"));
	assert_int_equal(talk(S("QUIT\r\n")), DIALOG_CLOSE);
	assert_int_equal(lines_seen, 2 * DIALOG_FAULTS_MAX);
	assert_slice(stream_ahead(&s), "QUIT\r\n");
}

static void
tells_each_minute(void **state)
{
	(void)state;
	d.minute = minute;
	minutes_of_silence = 2;
	assert_int_equal(talk(S("NOOP\r\nQUIT\r\n")), DIALOG_QUIT);
	assert_int_equal(minutes_told, 2);
	assert_sent("+OK done\r\n");
	minutes_of_silence = 9;
	assert_int_equal(talk(S("QUIT\r\n")), DIALOG_CLOSE);
	assert_int_equal(minutes_told, 3);
}

static enum outcome
slow(void *context, const struct arguments *a, struct reply *r)
{
	(void)context;
	(void)a;
	d.beat = deadline_in(0);
	return reply_ok(r, "done");
}

static void
tells_each_minute_of_talk(void **state)
{
	static const struct command slow_commands[] = {
		{ "NOOP", 0, 0, false, slow },
		{ NULL, 0, 0, false, NULL },
	};

	(void)state;
	d.commands = slow_commands;
	d.minute = minute;
	assert_int_equal(talk(S("NOOP\r\nNOOP\r\n")), DIALOG_GONE);
	assert_int_equal(minutes_told, 2);
}

static void
silence_ends_without_a_word(void **state)
{
	d.idle = 0;
	minutes_of_silence = 9;
	d.minute = minute;
	assert_int_equal(talk(S("")), DIALOG_EXPIRED);
	assert_int_equal(minutes_told, 0);
	assert_sent("");
	start(state);
	d.limit = deadline_in(0);
	minutes_of_silence = 9;
	assert_int_equal(talk(S("")), DIALOG_EXPIRED);
	assert_sent("");
}

static void
a_broken_stream_is_the_end(void **state)
{
	(void)state;
	s.broken = true;
	assert_int_equal(talk(S("QUIT\r\n")), DIALOG_GONE);
}

/* Two answers or none would make the client take one for another. */
static void
a_mute_handler_is_our_mistake(void **state)
{
	const struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		talk(S("MUTE\r\n"));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answers_each_command_in_turn, start),
		cmocka_unit_test_setup(ends_as_the_handler_says, start),
		cmocka_unit_test_setup(refuses_what_is_no_command, start),
		cmocka_unit_test_setup(never_echoes, start),
		cmocka_unit_test_setup(extensions_come_last, start),
		cmocka_unit_test_setup(works_without_the_optional_parts, start),
		cmocka_unit_test_setup(long_lines_are_no_commands, start),
		cmocka_unit_test_setup(a_flood_is_the_end, start),
		cmocka_unit_test_setup(sends_away_who_only_errs, start),
		cmocka_unit_test_setup(tells_each_minute, start),
		cmocka_unit_test_setup(tells_each_minute_of_talk, start),
		cmocka_unit_test_setup(silence_ends_without_a_word, start),
		cmocka_unit_test_setup(a_broken_stream_is_the_end, start),
		cmocka_unit_test_setup(a_mute_handler_is_our_mistake, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
