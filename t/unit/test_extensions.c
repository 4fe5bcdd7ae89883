/* test_extensions.c - src/session/extensions.c */
#include "unit.h"

#include "drop.h"
#include "session/extensions.h"

static const struct drop_message mail[] = {
	{ "one\n", DROP_WHOLE, NULL, false },
	{ "two two\n", DROP_WHOLE, NULL, false },
};

/* --- Commands. --- */

static int
say_arguments(void *self, const struct popper_call *c, struct popper_error *e)
{
	char text[200] = "";

	(void)e;
	for (size_t i = 0; i < c->count; i++) {
		strncat(text, "/", 2);
		strncat(text, c->args[i].ptr, c->args[i].len);
	}
	return (c->talk->ok)(c->talk, "%s%s", (const char *)self, text);
}

static const struct popper_command one_commands[] = {
	{ "XONE", 0, 2, say_arguments },
	{ "XTND XONE", 1, 1, say_arguments },
	{ "XBARE", 0, 0, say_arguments },
	{ NULL, 0, 0, NULL },
};
static const struct popper_command two_commands[] = {
	{ "XTND XTWO", 0, 0, say_arguments },
	{ "XONE", 0, 2, say_arguments }, /* "one" was first */
	{ NULL, 0, 0, NULL },
};

/* --- Two modules, and what is called of them. --- */

static char calls[256];

static void
note(const char *what, const void *self)
{
	strncat(calls, what, 20);
	strncat(calls, self, 20);
	strncat(calls, " ", 2);
}

static const char *failing; /* this one's start fails */

static int
start_ext(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *e)
{
	(void)host;
	(void)place;
	*self = (void *)(uintptr_t)conf;
	if (failing != NULL && strcmp(conf, failing) == 0)
		return error_set(e, POPPER_TEMPORARY, "no start");
	note("+", conf);
	return 0;
}

static void
stop_ext(void *self)
{
	note("-", self);
}

static bool
accept_one(const void *self, struct popper_slice argument)
{
	(void)self;
	return argument.len == 3 && memcmp(argument.ptr, "one", 3) == 0;
}

static int
before(void *self, const struct popper_changes *c, struct popper_error *e)
{
	note("b", self);
	if (c->count == 99)
		return error_set(e, POPPER_TEMPORARY, "keep it all");
	return 0;
}

static void
after(void *self, enum popper_outcome o)
{
	note(o == POPPER_DONE ? "a" : "A", self);
}

static struct drop fewer;

static const struct popper_drop *
wrap(void *self, const struct popper_drop *inner, void *inner_self,
    void **outer, struct popper_error *e)
{
	note("w", self);
	if (failing != NULL && strcmp(failing, "wrap") == 0) {
		error_set(e, POPPER_TEMPORARY, "no wrap");
		return NULL;
	}
	fewer = *(struct drop *)inner_self;
	fewer.count--;
	*outer = &fewer;
	return inner;
}

static const char *const lines[] = { "X-A", "X-B c", NULL };

static const struct popper_ext one_ext = { .start = start_ext,
	.stop = stop_ext,
	.commands = one_commands,
	.capabilities = lines,
	.accepts = accept_one,
	.before_update = before,
	.after_update = after };
static const struct popper_ext two_ext = { .start = start_ext,
	.stop = stop_ext,
	.commands = two_commands,
	.wrap = wrap,
	.before_update = before,
	.after_update = after };
static const struct popper_ext bare_ext = { .size = sizeof(bare_ext) };

static const struct popper_module modules[] = {
	{ .name = "one", .ext = &one_ext },
	{ .name = "bare", .ext = &bare_ext },
	{ .name = "two", .ext = &two_ext },
};
static char one_conf[] = "one", bare_conf[] = "", two_conf[] = "two";
static struct used_modules used = { .count = 3,
	.used = { { &modules[0], one_conf }, { &modules[1], bare_conf },
	    { &modules[2], two_conf } } };

/* --- A session that talks to nobody. --- */

static struct stream stream;
static struct reply reply;
static struct drop drop;
static struct maildrop maildrop;
static struct messages messages;
static struct extensions x;
static struct popper_error e;

static int
start(void **state)
{
	(void)state;
	failing = NULL;
	calls[0] = '\0';
	stream_start(&stream, -1, 0);
	reply_start(&reply, &stream);
	drop_open(&maildrop, &drop, mail, 2);
	if (messages_start(&messages, &maildrop, &e) == -1)
		return -1;
	return extensions_start(&x, &used, NULL, &maildrop, &e);
}

static int
stop(void **state)
{
	(void)state;
	extensions_stop(&x);
	messages_free(&messages);
	return 0;
}

/* -1: not a command of an extension. */
static int
run(const char *line)
{
	enum outcome o = OUTCOME_HANDED_OVER;

	stream.out_len = 0;
	reply_begin(&reply);
	if (!extensions_command(
		&x, &messages, popper_slice_text(line), &reply, &o))
		return -1;
	return (int)o;
}

#define assert_sent(literal) \
	assert_slice(popper_slice(stream.out, stream.out_len), literal)

static void
start_in_order_and_stop_in_reverse(void **state)
{
	(void)state;
	assert_string_equal(calls, "+one +two wtwo ");
	assert_int_equal(maildrop.count, 1);
	assert_ptr_equal(maildrop.self, &fewer);
	calls[0] = '\0';
	extensions_stop(&x);
	extensions_stop(&x);
	assert_string_equal(calls, "-two -one ");
}

static void
stop_only_what_was_started(void **state)
{
	(void)state;
	extensions_stop(&x);
	drop_open(&maildrop, &drop, mail, 2);
	failing = "two";
	calls[0] = '\0';
	assert_int_equal(extensions_start(&x, &used, NULL, &maildrop, &e), -1);
	extensions_stop(&x);
	assert_string_equal(calls, "+one -one ");
	assert_int_equal(maildrop.count, 2);
	failing = "wrap";
	calls[0] = '\0';
	assert_int_equal(extensions_start(&x, &used, NULL, &maildrop, &e), -1);
	assert_string_equal(e.text, "no wrap");
	extensions_stop(&x);
	assert_string_equal(calls, "+one +two wtwo -two -one ");
	/* The maildrop is still the inner one, and can be closed. */
	assert_ptr_equal(maildrop.self, &drop);
}

static void
find_their_commands(void **state)
{
	(void)state;
	assert_int_equal(run("XONE"), OUTCOME_DONE);
	assert_sent("+OK one\r\n");
	assert_int_equal(run("xone a b"), OUTCOME_DONE);
	assert_sent("+OK one/a/b\r\n");
	assert_int_equal(run("xtnd Xone a"), OUTCOME_DONE);
	assert_sent("+OK one/a\r\n");
	assert_int_equal(run("XTND XTWO"), OUTCOME_DONE);
	assert_sent("+OK two\r\n");
	assert_int_equal(run("XONES"), -1);
	assert_int_equal(run("XON"), -1);
	assert_int_equal(run("XTND"), -1);
	assert_int_equal(run("XTND XTHREE"), -1);
	assert_int_equal(run("XTNDXTWO"), -1);
	assert_int_equal(run(""), -1);
	assert_int_equal(run(" XONE"), -1);
}

static void
count_arguments(void **state)
{
	static const char *const wrong[] = { "XONE a b c", "XTND XONE",
		"XTND XONE a b", "XTND XTWO a", "XBARE x" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(run(wrong[i]), OUTCOME_REFUSED);
		assert_sent("-ERR wrong number of arguments\r\n");
	}
	assert_int_equal(run("XONE  a"), OUTCOME_REFUSED);
	assert_sent("-ERR malformed command\r\n");
	assert_int_equal(run("XONE a\x01"), OUTCOME_REFUSED);
	assert_int_equal(run("XONE 1 2 3 4 5 6 7"), OUTCOME_REFUSED);
}

static void
announce_and_accept(void **state)
{
	char out[32];

	(void)state;
	assert_true(extensions_capabilities(&used, out, sizeof(out)));
	assert_string_equal(out, "X-A\nX-B c\n");
	assert_true(extensions_capabilities(&used, out, 11));
	assert_false(extensions_capabilities(&used, out, 10));
	assert_true(extensions_accept(&x, S("one")));
	assert_false(extensions_accept(&x, S("two")));
	assert_false(extensions_accept(&x, S("")));
}

static void
stand_around_update(void **state)
{
	struct popper_changes c = { .size = sizeof(c), .count = 1 };

	(void)state;
	calls[0] = '\0';
	assert_int_equal(extensions_before_update(&x, &c, &e), 0);
	extensions_after_update(&x, POPPER_DONE);
	extensions_after_update(&x, POPPER_NOT_DONE);
	assert_string_equal(calls, "bone btwo aone atwo Aone Atwo ");
	calls[0] = '\0';
	c.count = 99;
	assert_int_equal(extensions_before_update(&x, &c, &e), -1);
	assert_string_equal(calls, "bone ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    start_in_order_and_stop_in_reverse, start, stop),
		cmocka_unit_test_setup_teardown(
		    stop_only_what_was_started, start, stop),
		cmocka_unit_test_setup_teardown(
		    find_their_commands, start, stop),
		cmocka_unit_test_setup_teardown(count_arguments, start, stop),
		cmocka_unit_test_setup_teardown(
		    announce_and_accept, start, stop),
		cmocka_unit_test_setup_teardown(
		    stand_around_update, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
