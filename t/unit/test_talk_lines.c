/* test_talk_lines.c - src/session/talk.c: a command that takes lines; linked
 * with --wrap of the clock. */
#include "unit.h"

#include "talk.h"

/* Lines after "+OK", to the dot; what each was. */
static int
take_lines(void *self, const struct popper_call *c, struct popper_error *e)
{
	char buf[8], kinds[20] = "";
	long n;

	(void)self;
	(c->talk->go_ahead)(c->talk, "go on");
	while (strlen(kinds) < 10) {
		n = c->talk->read_line(c->talk, buf, sizeof(buf));
		if (n == POPPER_READ_GONE)
			return error_set(e, POPPER_TEMPORARY, "gone");
		if (n == 1 && buf[0] == '.')
			break;
		strcat(kinds,
		    n == POPPER_READ_LONG             ? "l"
			: c->talk->read_crlf(c->talk) ? "c"
						      : "n");
	}
	return (c->talk->ok)(c->talk, "%s", kinds);
}

/* --- A client that is silent for some minutes: they are played. --- */

static unsigned silence; /* minutes */
static int64_t skew;

int __wrap_deadline_left(deadline_t);
int __real_deadline_left(deadline_t);
deadline_t __wrap_deadline_in(int64_t);
deadline_t __real_deadline_in(int64_t);
enum stream_line __wrap_stream_read_line(
    struct stream *, size_t, struct popper_slice *, deadline_t);
enum stream_line __real_stream_read_line(
    struct stream *, size_t, struct popper_slice *, deadline_t);

int
__wrap_deadline_left(deadline_t d)
{
	return __real_deadline_left(d - skew);
}

deadline_t
__wrap_deadline_in(int64_t ms)
{
	return __real_deadline_in(ms) + skew;
}

enum stream_line
__wrap_stream_read_line(struct stream *s, size_t most,
    struct popper_slice *line, deadline_t deadline)
{
	if (silence == 0)
		return __real_stream_read_line(s, most, line, deadline);
	silence--;
	skew += 60000;
	return STREAM_EXPIRED;
}

static void
asks_for_lines_first(void **state)
{
	(void)state;
	assert_true(stream_preload(&stream,
	    S("a\r\nb\n123456789abc\r\n\r\n\n12345678\r\n.\r\nNOOP\r\n")));
	assert_int_equal(run(take_lines, ""), OUTCOME_DONE);
	assert_sent("+OK go on\r\n+OK cnlcnc\r\n");
	assert_slice(stream_ahead(&stream), "NOOP\r\n");
	/* The client stops in the middle: no answer, no other command. */
	stream_forget(&stream);
	assert_true(stream_preload(&stream, S("a\r\nb")));
	assert_int_equal(run(take_lines, ""), OUTCOME_CLOSE);
	assert_sent("+OK go on\r\n");
}

static unsigned leases;
static bool lease_lost;

static int
take_lease(void *self, struct popper_error *error)
{
	(void)self;
	leases++;
	return lease_lost ? error_set(error, POPPER_IN_USE, "lost") : 0;
}

/* Whether the client is slow or gone, the lock is looked after. */
static void
looks_after_the_lock(void **state)
{
	static struct popper_drop leased;

	(void)state;
	leased = *maildrop.driver;
	leased.lease = take_lease;
	maildrop.driver = &leased;
	leases = 0;
	silence = 5;
	assert_true(stream_preload(&stream, S("a\r\n.\r\n")));
	assert_int_equal(run(take_lines, ""), OUTCOME_DONE);
	assert_in_range(leases, 5, 6);
	assert_int_equal(silence, 0);
	silence = 20; /* longer than a client may take */
	assert_true(stream_preload(&stream, S("a\r\n.\r\n")));
	assert_int_equal(run(take_lines, ""), OUTCOME_CLOSE);
	assert_in_range(silence, 9, 10);
	silence = 5;
	leases = 0;
	lease_lost = true;
	assert_int_equal(run(take_lines, ""), OUTCOME_CLOSE);
	assert_int_equal(leases, 1);
	silence = 0;
	lease_lost = false;
	stream_forget(&stream);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    asks_for_lines_first, start, stop),
		cmocka_unit_test_setup_teardown(
		    looks_after_the_lock, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
