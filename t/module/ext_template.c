/*
 * ext_template.c - the template of ext modules, with a talk, a view and a drop
 * made for it.
 *
 * Runs in: tests.
 */
#include "bulk.h"
#include "ext_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct popper_module ext_template_LTX_popper_module;

/* What the option table would fill. */
struct conf {
	const char *greeting;
	bool upper, extra;
};

static struct popper_error error;
static struct conf conf;
static void *self;

static const struct popper_ext *
ext(void)
{
	return ext_template_LTX_popper_module.ext;
}

static int
set_up(void **state)
{
	const struct popper_place place = { .size = sizeof(place),
		.state = -1,
		.server_name = "pop.example.org",
		.suffix = "" };

	(void)state;
	conf = (struct conf){ .greeting = "good %s day" };
	return ext()->start(&bed_host, &conf, &place, &self, &error);
}

static int
tear_down(void **state)
{
	(void)state;
	ext()->stop(self);
	return 0;
}

static int
run(const char *keyword, const char *argument)
{
	const struct popper_command *c = ext()->commands;
	const struct popper_slice arg =
	    popper_slice_text(argument == NULL ? "" : argument);
	const struct popper_call call = { .size = sizeof(call),
		.count = argument != NULL,
		.args = &arg,
		.talk = &bed_talk,
		.view = &bed_view };

	bed_said[0] = '\0';
	while (strcmp(c->keyword, keyword) != 0)
		assert_non_null((++c)->keyword);
	assert_in_range(call.count, c->least, c->most);
	return c->run(self, &call, &error);
}

/* --- Commands. --- */

static void
options_fit_the_struct(void **state)
{
	const struct popper_module *m = &ext_template_LTX_popper_module;

	(void)state;
	assert_string_equal(m->name, "ext_template");
	assert_int_equal(m->conf_size, sizeof(struct conf));
	assert_int_equal(m->options[0].offset, offsetof(struct conf, greeting));
	assert_int_equal(m->options[1].offset, offsetof(struct conf, upper));
	assert_int_equal(m->options[2].offset, offsetof(struct conf, extra));
	assert_string_equal(ext()->capabilities[0], "X-TEMPLATE");
	assert_null(ext()->capabilities[1]);
}

static void
hello_answers_one_line(void **state)
{
	(void)state;
	assert_int_equal(run("XTND HELLO", "%n%s"), 0);
	assert_string_equal(bed_said, "+OK good %s day, %n%s\n");
}

static void
hello_refuses_a_long_name(void **state)
{
	char name[66];

	(void)state;
	memset(name, 'x', 65);
	name[65] = '\0';
	assert_int_equal(run("XTND HELLO", name), -1);
	assert_int_equal(error.status, POPPER_INVALID);
	assert_string_equal(bed_said, "");
	assert_int_equal(run("XTND HELLO", name + 1), 0);
}

static void
marked_lists_what_is_deleted(void **state)
{
	(void)state;
	assert_int_equal(run("XTND MARKED", NULL), 0);
	assert_string_equal(
	    bed_said, "+OK messages marked deleted\n2 4\n3 5\n.\n");
}

/* --- The filter. --- */

static struct popper_sink *
filter(const char *argument, struct popper_sink *next)
{
	const struct popper_request request = { .size = sizeof(request),
		.command = "RETR",
		.argument = popper_slice_text(argument) };

	return ext()->filter(self, &request, next, &error);
}

/* Pour ${text} through in pieces of ${piece} octets. */
static void
expect_upper(const char *text, size_t piece, const char *expected)
{
	struct collect c;
	struct popper_sink *sink;
	size_t len = strlen(text), at, n;

	collect_start(&c);
	sink = filter("X-UPPER", &c.sink);
	assert_ptr_not_equal(sink, &c.sink);
	for (at = 0; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		assert_int_equal(
		    sink->put(sink, popper_slice(text + at, n)), 0);
	}
	assert_int_equal(ext()->finish(sink, &error), 0);
	assert_int_equal(c.len, len);
	assert_memory_equal(c.ptr, expected, len);
	collect_end(&c);
}

static void
filter_changes_the_body_only(void **state)
{
	size_t piece;

	(void)state;
	conf.upper = true;
	for (piece = 1; piece < 40; piece++) {
		expect_upper("Subject: a\nx: \xe4y\n\nBody \xe4z{\n\nend",
		    piece, "Subject: a\nx: \xe4y\n\nBODY \xe4Z{\n\nEND");
		expect_upper("Subject: a\r\n\r\nbody\r\n", piece,
		    "Subject: a\r\n\r\nBODY\r\n");
		expect_upper("\nbody\n", piece, "\nBODY\n");
		expect_upper("only: header", piece, "only: header");
	}
}

static void
filter_takes_long_pieces(void **state)
{
	char text[5000], expected[5000];

	(void)state;
	conf.upper = true;
	memset(text, 'x', sizeof(text));
	memset(expected, 'X', sizeof(expected));
	text[0] = expected[0] = '\n';
	text[sizeof(text) - 1] = expected[sizeof(text) - 1] = '\0';
	expect_upper(text, sizeof(text), expected);
}

static void
filter_passes_on_what_the_next_says(void **state)
{
	struct collect c;
	struct popper_sink *sink;

	(void)state;
	conf.upper = true;
	collect_start(&c);
	sink = filter("x-upper", &c.sink);
	c.enough = 1;
	assert_int_equal(sink->put(sink, popper_slice_text("abc")), 1);
	c.fail = true;
	assert_int_equal(sink->put(sink, popper_slice_text("abc")), -1);
	assert_int_equal(ext()->finish(sink, &error), 0);
	collect_end(&c);
}

static void
filter_stays_out_unless_asked(void **state)
{
	struct popper_sink next = { NULL };

	(void)state;
	assert_false(ext()->accepts(self, popper_slice_text("X-UPPER")));
	assert_ptr_equal(filter("X-UPPER", &next), &next);
	conf.upper = true;
	assert_true(ext()->accepts(self, popper_slice_text("x-upper")));
	assert_false(ext()->accepts(self, popper_slice_text("X-UPPERS")));
	assert_false(ext()->accepts(self, popper_slice_text("")));
	assert_ptr_equal(filter("", &next), &next);
	assert_ptr_equal(filter("other", &next), &next);
}

/* --- The wrapper. --- */

static void
wrapper_stays_out_unless_asked(void **state)
{
	void *outer = NULL;

	(void)state;
	assert_ptr_equal(
	    ext()->wrap(self, &bed_drop, &bed_drop_self, &outer, &error),
	    &bed_drop);
	assert_ptr_equal(outer, &bed_drop_self);
}

static const struct popper_drop *
wrapped(void **outer)
{
	const struct popper_drop *d;

	conf.extra = true;
	d = ext()->wrap(self, &bed_drop, &bed_drop_self, outer, &error);
	assert_non_null(d);
	assert_ptr_not_equal(d, &bed_drop);
	assert_int_equal(d->count(*outer), 4);
	return d;
}

static void
wrapper_shows_one_message_more(void **state)
{
	struct popper_message message;
	const struct popper_drop *d;
	struct collect c;
	void *outer;

	(void)state;
	d = wrapped(&outer);
	collect_start(&c);
	assert_int_equal(d->describe(outer, 1, 3, &message, &error), 0);
	assert_int_equal(message.octets, 4);
	assert_string_equal(message.uid, "u1");
	assert_int_equal(d->read(outer, 2, 1, &c.sink, &error), 0);
	assert_memory_equal(c.ptr, "cc\n", 3);
	c.len = 0;
	assert_int_equal(d->describe(outer, 3, 7, &message, &error), 0);
	assert_string_equal(message.uid, "template-extra");
	assert_int_equal(message.flags, 0);
	assert_int_equal(d->read(outer, 3, 0, &c.sink, &error), 0);
	assert_int_equal(message.octets, slow_octets(c.ptr, c.len));
	assert_int_equal(d->read(outer, 3, c.len, &c.sink, &error), 0);
	assert_int_equal(d->lease(outer, &error), 0);
	c.fail = true;
	assert_int_equal(d->read(outer, 3, 0, &c.sink, &error), -1);
	collect_end(&c);
	d->close(outer);
}

static void
wrapper_answers_in_bulk(void **state)
{
	static const struct popper_drop *const inner[] = { &bulk_drop,
		&bulk_old_drop };
	const struct popper_drop *d;
	void *outer;

	(void)state;
	conf.extra = true;
	bulk = (struct bulk){ .count = 9 };
	for (size_t i = 0; i < 2; i++) {
		d = ext()->wrap(self, inner[i], &bulk, &outer, &error);
		assert_int_equal(d->count(outer), 10);
		assert_int_equal(d->is_measured(outer), i == 1);
		bulk_agrees(d, outer);
		bulk.readable = i == 1;
		assert_true(bulk_top(d, outer, 8));
		assert_false(bulk_top(d, outer, 9));
		assert_int_equal(bulk.tops, 1);
		d->close(outer);
	}
	assert_int_equal(bulk.totals, 1);
}

static void
wrapper_passes_on_the_marks(void **state)
{
	static const unsigned char marks[] = { 0, 1, 2, 1 };
	const struct popper_changes changes = { sizeof(changes), 4, marks };
	const struct popper_drop *d;
	void *outer;

	(void)state;
	d = wrapped(&outer);
	bed_closed = 0;
	assert_int_equal(d->commit(outer, &changes, &error), POPPER_DONE);
	assert_int_equal(bed_committed_count, 3);
	assert_memory_equal(bed_committed, marks, 3);
	d->close(outer);
	assert_int_equal(bed_closed, 1);
	d->close(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(options_fit_the_struct),
		TEST(hello_answers_one_line),
		TEST(hello_refuses_a_long_name),
		TEST(marked_lists_what_is_deleted),
		TEST(filter_changes_the_body_only),
		TEST(filter_takes_long_pieces),
		TEST(filter_passes_on_what_the_next_says),
		TEST(filter_stays_out_unless_asked),
		TEST(wrapper_stays_out_unless_asked),
		TEST(wrapper_shows_one_message_more),
		TEST(wrapper_answers_in_bulk),
		TEST(wrapper_passes_on_the_marks),
	};

	return cmocka_run_group_tests_name("ext_template", tests, NULL, NULL);
}
