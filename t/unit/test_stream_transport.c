/* test_stream_transport.c - src/base/stream.c over something that is no
 * descriptor: the octets of a fake library. */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "stream_pair.h"

/*
 * Each octet on the descriptor stands for a record that the library then holds;
 * it gives four octets of it at a time.  What is written is kept.
 */
static struct fake {
	struct stream_transport transport;
	const char *records[8];
	size_t next; /* record to come */
	const char *held; /* of the record that is here */
	bool hungry; /* one EAGAIN although the descriptor is ready */
	bool done; /* it is, instead of broken, where no record is left */
	char sent[256];
	size_t sent_len;
	unsigned busy; /* writes that are to be repeated */
	unsigned closed;
} f;

static ssize_t
fake_read(void *self, void *buf, size_t size)
{
	struct fake *x = self;
	size_t n;
	char octet;

	if (x->hungry ||
	    (x->held == NULL && recv(pair[0], &octet, 1, 0) != 1)) {
		x->hungry = false;
		errno = EAGAIN;
		return -1;
	}
	if (x->held == NULL)
		x->held = x->records[x->next++];
	if (x->held == NULL) {
		errno = ECONNRESET;
		return x->done ? 0 : -1;
	}
	n = strlen(x->held) < size ? strlen(x->held) : size;
	n = n > 4 ? 4 : n;
	memcpy(buf, x->held, n);
	x->held = x->held[n] == '\0' ? NULL : x->held + n;
	return (ssize_t)n;
}

static ssize_t
fake_write(void *self, const void *buf, size_t len)
{
	struct fake *x = self;

	if (x->busy > 0) {
		x->busy--;
		errno = EAGAIN;
		return -1;
	}
	assert_true(len <= sizeof(x->sent) - x->sent_len);
	memcpy(x->sent + x->sent_len, buf, len);
	x->sent_len += len;
	return (ssize_t)len;
}

static bool
fake_pending(void *self)
{
	return ((struct fake *)self)->held != NULL;
}

static void
fake_close(void *self)
{
	((struct fake *)self)->closed++;
}

static int
open_fake(void **state)
{
	if (open_stream(state) == -1)
		return -1;
	f = (struct fake){ .transport = { .self = &f,
			       .read = fake_read,
			       .write = fake_write,
			       .pending = fake_pending,
			       .close = fake_close,
			       .read_wants = POLLIN,
			       .write_wants = POLLOUT } };
	stream_wrap(&s, &f.transport);
	return 0;
}

static void
reads_what_the_library_holds(void **state)
{
	(void)state;
	f.records[0] = "CAPA\r\nUSER bob\r\n";
	f.records[1] = "PASS x\r\n";
	say(S("12"));
	assert_line(255, "CAPA");
	/* The descriptor is silent now, as far as this record goes. */
	assert_line(255, "USER bob");
	assert_line(255, "PASS x");
	assert_int_equal(s.octets_in, 24);
}

/* Half a record wakes us for nothing. */
static void
waits_on_after_a_false_alarm(void **state)
{
	(void)state;
	f.hungry = true;
	f.records[0] = "NOOP\r\n";
	say(S("1"));
	assert_line(255, "NOOP");
	assert_false(s.broken);
}

static void
keeps_its_deadline_after_false_alarms(void **state)
{
	struct popper_slice line;

	(void)state;
	f.hungry = true;
	say(S("1"));
	assert_int_equal(
	    stream_read_line(&s, 255, &line, deadline_in(0)), STREAM_EXPIRED);
	assert_false(s.broken);
}

static void
tells_an_end_from_a_break(void **state)
{
	struct popper_slice line;

	(void)state;
	f.done = true;
	say(S("1"));
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	assert_true(s.ended);
	assert_false(s.broken);
	close_stream(state);
	open_fake(state);
	say(S("1"));
	assert_int_equal(read_line(255, &line), STREAM_CLOSED);
	assert_true(s.broken);
	assert_int_equal(stream_put(&s, S("x")), -1);
}

static void
repeats_a_write(void **state)
{
	(void)state;
	f.busy = 3;
	assert_int_equal(stream_put(&s, S("+OK\r\n")), 0);
	assert_int_equal(stream_flush(&s), 0);
	assert_int_equal(f.busy, 0);
	assert_memory_equal(f.sent, "+OK\r\n", 5);
	assert_int_equal(f.sent_len, 5);
	assert_int_equal(s.octets_out, 5);
}

/* A write that first needs input, as a handshake does. */
static void
waits_for_what_a_write_wants(void **state)
{
	(void)state;
	f.busy = 1;
	f.transport.write_wants = POLLIN;
	f.records[0] = "STAT\r\n";
	say(S("1"));
	assert_int_equal(stream_put(&s, S("+OK\r\n")), 0);
	assert_int_equal(stream_flush(&s), 0);
	assert_int_equal(f.sent_len, 5);
	assert_line(255, "STAT");
}

static void
loses_patience_with_a_transport(void **state)
{
	(void)state;
	f.busy = 1000;
	f.transport.write_wants = POLLPRI; /* which never comes */
	s.patience = 1;
	assert_int_equal(stream_put(&s, S("+OK\r\n")), 0);
	assert_int_equal(stream_flush(&s), -1);
	assert_true(s.broken);
}

static void
takes_input_while_a_transport_is_busy(void **state)
{
	(void)state;
	f.busy = 2;
	f.records[0] = "STAT\r\n";
	say(S("1"));
	assert_int_equal(stream_put(&s, S("+OK\r\n")), 0);
	assert_int_equal(stream_flush(&s), 0);
	assert_line(255, "STAT");
}

static void
says_that_it_is_done(void **state)
{
	char octet;

	(void)state;
	f.done = true;
	say(S("1"));
	stream_put(&s, S("+OK\r\n"));
	stream_close(&s, SOON);
	assert_int_equal(f.closed, 1);
	assert_int_equal(f.sent_len, 5);
	assert_true(s.ended);
	assert_int_equal(recv(pair[1], &octet, 1, 0), 0);
}

static void
is_quiet_only_if_the_library_is(void **state)
{
	(void)state;
	f.records[0] = "CAPA\r\nUSER\r\n";
	assert_true(stream_is_quiet(&s));
	say(S("1"));
	assert_false(stream_is_quiet(&s));
	assert_line(255, "CAPA");
	assert_false(stream_is_quiet(&s));
	assert_line(255, "USER");
	assert_true(stream_is_quiet(&s));
}

static void
forgets_what_came_before(void **state)
{
	struct popper_slice line;

	(void)state;
	stream_wrap(&s, NULL);
	say(S("STLS\r\nCAPA\r\n"));
	assert_line(255, "STLS");
	stream_forget(&s);
	stream_wrap(&s, &f.transport);
	f.records[0] = "NOOP\r\n";
	say(S("1"));
	assert_int_equal(read_line(255, &line), STREAM_LINE);
	assert_slice(line, "NOOP");
}

#define WITH_FAKE(t) cmocka_unit_test_setup_teardown(t, open_fake, close_stream)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FAKE(reads_what_the_library_holds),
		WITH_FAKE(waits_on_after_a_false_alarm),
		WITH_FAKE(keeps_its_deadline_after_false_alarms),
		WITH_FAKE(tells_an_end_from_a_break),
		WITH_FAKE(repeats_a_write),
		WITH_FAKE(waits_for_what_a_write_wants),
		WITH_FAKE(loses_patience_with_a_transport),
		WITH_FAKE(takes_input_while_a_transport_is_busy),
		WITH_FAKE(says_that_it_is_done),
		WITH_FAKE(is_quiet_only_if_the_library_is),
		WITH_FAKE(forgets_what_came_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
