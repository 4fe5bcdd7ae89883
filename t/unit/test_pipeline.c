/* test_pipeline.c - src/session/pipeline.c, with filters made here */
#include "unit.h"

#include <stdlib.h>

#include "drop.h"
#include "session/pipeline.h"

static const struct drop_message mail[] = {
	{ "A: b\n\n.one\ntwo\nthree\n", DROP_WHOLE, NULL, false },
	{ "A: b\n\nlost", 0, NULL, false },
	{ "A: b\n\nbroken", 9, NULL, false },
	{ "", DROP_WHOLE, NULL, false },
	{ "no end", DROP_WHOLE, NULL, false },
	{ "A: b\n\nx", DROP_WHOLE, NULL, true },
};

/* --- Filters: put "<" in front and ">" behind, change letters. --- */

struct filter {
	struct popper_sink sink;
	struct popper_sink *next;
	const char *letter;
	bool begun;
};

static unsigned alive; /* filters that were not finished */

static int
filter_put(struct popper_sink *sink, struct popper_slice s)
{
	struct filter *f = (struct filter *)sink;
	int result;

	if (!f->begun) {
		f->begun = true;
		result = f->next->put(f->next, popper_slice_text(f->letter));
		if (result != 0)
			return result;
	}
	return f->next->put(f->next, s);
}

static struct popper_sink *
filter_make(void *self, const struct popper_request *r,
    struct popper_sink *next, struct popper_error *e)
{
	const char *letter = self;
	struct filter *f;

	if (letter[0] == '!') {
		error_set(e, POPPER_PERMANENT, "no filter");
		return NULL;
	}
	/* Only where it is wanted. */
	if (r->argument.len == 0)
		return next;
	if ((f = malloc(sizeof(*f))) == NULL)
		return NULL;
	alive++;
	*f = (struct filter){
		.sink = { .put = filter_put }, .next = next, .letter = letter
	};
	return &f->sink;
}

static int
filter_finish(struct popper_sink *sink, struct popper_error *e)
{
	struct filter *f = (struct filter *)sink;
	const char *letter = f->letter;

	f->next->put(f->next, popper_slice_text(letter));
	free(f);
	alive--;
	if (letter[0] == '?')
		return error_set(e, POPPER_TEMPORARY, "cannot finish");
	return 0;
}

static const struct popper_ext filter_ext = { .filter = filter_make,
	.finish = filter_finish };
static const struct popper_ext plain_ext = { .size = sizeof(plain_ext) };
static const struct popper_module filter_module = { .name = "filter",
	.ext = &filter_ext };
static const struct popper_module plain_module = { .name = "plain",
	.ext = &plain_ext };

/* --- A session that talks to nobody. --- */

static struct stream stream;
static struct reply reply;
static struct drop drop;
static struct session s;
static struct used_modules modules;
static struct popper_error e;

static int
start(void **state)
{
	(void)state;
	stream_start(&stream, -1, 0);
	reply_start(&reply, &stream);
	s = (struct session){ .stream = &stream };
	drop_open(&s.maildrop, &drop, mail, 6);
	s.extensions.modules = &modules;
	s.extensions.started = 0;
	return messages_start(&s.messages, &s.maildrop, &e);
}

static int
stop(void **state)
{
	(void)state;
	messages_free(&s.messages);
	return alive == 0 ? 0 : -1;
}

static void
use_filter(const char *letter)
{
	size_t i = s.extensions.started++;

	modules.used[i].module =
	    letter == NULL ? &plain_module : &filter_module;
	/* An instance is its letter; nobody changes it. */
	s.extensions.self[i] = (void *)(uintptr_t)letter;
}

/* Answer a RETR or TOP of message ${i}, counted from 0. */
static enum outcome
send_message(size_t i, const char *argument, uint64_t lines)
{
	struct popper_request r = { .size = sizeof(r),
		.command = lines == PIPELINE_ALL ? "RETR" : "TOP",
		.i = i,
		.argument = popper_slice_text(argument),
		.lines = lines };

	stream.out_len = 0;
	reply_begin(&reply);
	return pipeline_send(&s, &r, &reply);
}

#define assert_sent(literal) \
	assert_slice(popper_slice(stream.out, stream.out_len), literal)

static void
sends_whole_messages(void **state)
{
	(void)state;
	assert_int_equal(send_message(0, "", PIPELINE_ALL), OUTCOME_DONE);
	assert_sent("+OK 21 octets\r\nA: b\r\n\r\n..one\r\ntwo\r\nthree\r\n"
		    ".\r\n");
	assert_int_equal(send_message(3, "", PIPELINE_ALL), OUTCOME_DONE);
	assert_sent("+OK 0 octets\r\n.\r\n");
	assert_int_equal(send_message(4, "", PIPELINE_ALL), OUTCOME_DONE);
	assert_sent("+OK 6 octets\r\nno end\r\n.\r\n");
	/* Without a size the reply says nothing about it. */
	assert_int_equal(send_message(5, "", PIPELINE_ALL), OUTCOME_DONE);
	assert_sent("+OK message follows\r\nA: b\r\n\r\nx\r\n.\r\n");
}

static void
sends_tops(void **state)
{
	(void)state;
	assert_int_equal(send_message(0, "", 0), OUTCOME_DONE);
	assert_sent("+OK message follows\r\nA: b\r\n\r\n.\r\n");
	assert_int_equal(send_message(0, "", 1), OUTCOME_DONE);
	assert_sent("+OK message follows\r\nA: b\r\n\r\n..one\r\n.\r\n");
	assert_int_equal(send_message(0, "", 99), OUTCOME_DONE);
	assert_sent("+OK message follows\r\nA: b\r\n\r\n..one\r\ntwo\r\n"
		    "three\r\n.\r\n");
	/* What lies behind the last line wanted is not even read. */
	assert_int_equal(send_message(2, "", 0), OUTCOME_DONE);
}

static void
refuses_what_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(send_message(1, "", PIPELINE_ALL), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/TEMP] trouble here, try again later\r\n");
	assert_int_equal(send_message(1, "", 5), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/TEMP] trouble here, try again later\r\n");
}

/* A message that breaks off has no last line, and nothing comes after it. */
static void
closes_when_a_message_breaks_off(void **state)
{
	(void)state;
	assert_int_equal(send_message(2, "", PIPELINE_ALL), OUTCOME_CLOSE);
	assert_sent("+OK 12 octets\r\nA: b\r\n\r\nbro");
	assert_int_equal(send_message(2, "", 7), OUTCOME_CLOSE);
	assert_sent("+OK message follows\r\nA: b\r\n\r\nbro");
}

static void
filters_in_order(void **state)
{
	(void)state;
	use_filter("1");
	use_filter(NULL);
	use_filter("2");
	assert_int_equal(send_message(4, "mangle", PIPELINE_ALL), OUTCOME_DONE);
	/* The first in modules.conf stands nearest to the message. */
	assert_sent("+OK message follows\r\n21no end12\r\n.\r\n");
	assert_int_equal(send_message(4, "", PIPELINE_ALL), OUTCOME_DONE);
	assert_sent("+OK 6 octets\r\nno end\r\n.\r\n");
}

static void
limits_what_comes_out_of_filters(void **state)
{
	(void)state;
	use_filter("X: y\n");
	assert_int_equal(send_message(0, "mangle", 1), OUTCOME_DONE);
	assert_sent("+OK message follows\r\nX: y\r\nA: b\r\n\r\n..one\r\n"
		    ".\r\n");
}

static void
ends_filters_whatever_happens(void **state)
{
	(void)state;
	use_filter("1");
	use_filter("2");
	/* Filters had something to say by then: the reply has begun. */
	assert_int_equal(
	    send_message(2, "mangle", PIPELINE_ALL), OUTCOME_CLOSE);
	assert_int_equal(alive, 0);
	assert_int_equal(
	    send_message(1, "mangle", PIPELINE_ALL), OUTCOME_CLOSE);
	assert_int_equal(alive, 0);
}

static void
refuses_without_a_filter(void **state)
{
	(void)state;
	use_filter("!");
	assert_int_equal(
	    send_message(0, "mangle", PIPELINE_ALL), OUTCOME_REFUSED);
	assert_sent("-ERR [SYS/PERM] trouble here, tell the administrator\r\n");
}

static void
closes_when_a_filter_cannot_finish(void **state)
{
	(void)state;
	use_filter("?");
	assert_int_equal(
	    send_message(4, "mangle", PIPELINE_ALL), OUTCOME_CLOSE);
	assert_sent("+OK message follows\r\n?no end?");
}

static void
stops_at_a_broken_line(void **state)
{
	(void)state;
	stream.broken = true;
	assert_int_equal(send_message(0, "", PIPELINE_ALL), OUTCOME_CLOSE);
	stream.broken = false;
}

static void
measures(void **state)
{
	struct popper_request r = { .size = sizeof(r), .command = "LIST" };
	uint64_t octets;

	(void)state;
	assert_int_equal(pipeline_measure(&s, &r, &octets, &e), 0);
	assert_int_equal(octets, 26); /* five lines, LF became CRLF */
	use_filter("XY");
	r.argument = S("mangle");
	assert_int_equal(pipeline_measure(&s, &r, &octets, &e), 0);
	assert_int_equal(octets, 26 + 2 + 2 + 2); /* the last line is open */
	r.i = 2;
	assert_int_equal(pipeline_measure(&s, &r, &octets, &e), -1);
	assert_string_equal(e.text, "bad disk");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    sends_whole_messages, start, stop),
		cmocka_unit_test_setup_teardown(sends_tops, start, stop),
		cmocka_unit_test_setup_teardown(
		    refuses_what_cannot_be_read, start, stop),
		cmocka_unit_test_setup_teardown(
		    closes_when_a_message_breaks_off, start, stop),
		cmocka_unit_test_setup_teardown(filters_in_order, start, stop),
		cmocka_unit_test_setup_teardown(
		    limits_what_comes_out_of_filters, start, stop),
		cmocka_unit_test_setup_teardown(
		    ends_filters_whatever_happens, start, stop),
		cmocka_unit_test_setup_teardown(
		    refuses_without_a_filter, start, stop),
		cmocka_unit_test_setup_teardown(
		    closes_when_a_filter_cannot_finish, start, stop),
		cmocka_unit_test_setup_teardown(
		    stops_at_a_broken_line, start, stop),
		cmocka_unit_test_setup_teardown(measures, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
