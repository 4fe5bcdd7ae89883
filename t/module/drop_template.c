/*
 * drop_template.c - the template of drop modules.
 *
 * Runs in: tests.
 */
#include "bed.h"

#include <string.h>

extern const struct popper_module drop_template_LTX_popper_module;

/* What the option table would fill. */
struct conf {
	const char *user, *subject, *text;
};

static struct bed bed;
static struct popper_error error;
static const struct conf everybody = { "", "Hello", "some text" };
static const char content[] = "Subject: Hello\n\nsome text\n";

static const struct popper_drop *
drop(void)
{
	return drop_template_LTX_popper_module.drop;
}

static int
set_up(void **state)
{
	(void)state;
	bed_open(&bed);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bed_close(&bed);
	return 0;
}

static void *
opened(void)
{
	void *self = NULL;

	assert_int_equal(
	    drop()->open(&bed_host, &everybody, &bed.place, &self, &error), 0);
	return self;
}

static void
options_fit_the_struct(void **state)
{
	const struct popper_module *m = &drop_template_LTX_popper_module;

	(void)state;
	assert_string_equal(m->name, "drop_template");
	assert_int_equal(m->conf_size, sizeof(struct conf));
	assert_int_equal(m->options[0].offset, offsetof(struct conf, user));
	assert_int_equal(m->options[1].offset, offsetof(struct conf, subject));
	assert_int_equal(m->options[2].offset, offsetof(struct conf, text));
	assert_null(m->options[3].name);
}

static void
shows_one_message(void **state)
{
	struct popper_message message;
	struct collect c;
	void *self = opened();

	(void)state;
	assert_int_equal(drop()->count(self), 1);
	assert_int_equal(
	    drop()->describe(self, 0,
		POPPER_WANT_OCTETS | POPPER_WANT_UID | POPPER_WANT_FLAGS,
		&message, &error),
	    0);
	assert_int_equal(message.octets, slow_octets(content, strlen(content)));
	assert_string_equal(message.uid, "template-1");
	assert_int_equal(message.flags, 0);
	collect_start(&c);
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), 0);
	assert_int_equal(c.len, strlen(content));
	assert_memory_equal(c.ptr, content, c.len);
	assert_int_equal(drop()->read(self, 0, 21, &c.sink, &error), 0);
	assert_int_equal(c.len, 2 * strlen(content) - 21);
	assert_int_equal(drop()->read(self, 0, 1000, &c.sink, &error), 0);
	c.fail = true;
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), -1);
	collect_end(&c);
	drop()->close(self);
	drop()->close(NULL);
}

static void
other_users_have_no_maildrop(void **state)
{
	static const struct conf bob = { "bob", "Hello", "text" };
	static const struct conf alice = { "alice", "Hello", "text" };
	void *self = NULL;

	(void)state;
	assert_int_equal(
	    drop()->open(&bed_host, &bob, &bed.place, &self, &error), -1);
	assert_int_equal(error.status, POPPER_ABSENT);
	assert_int_equal(
	    drop()->open(&bed_host, &alice, &bed.place, &self, &error), 0);
	drop()->close(self);
}

static void
nothing_can_be_removed(void **state)
{
	unsigned char mark = 0;
	const struct popper_changes changes = { sizeof(changes), 1, &mark };
	void *self = opened();

	(void)state;
	assert_int_equal(drop()->commit(self, &changes, &error), POPPER_DONE);
	drop()->close(self);
	self = opened();
	mark = POPPER_MARK_DELETED;
	assert_int_equal(
	    drop()->commit(self, &changes, &error), POPPER_NOT_DONE);
	assert_int_equal(error.status, POPPER_PERMANENT);
	drop()->close(self);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(options_fit_the_struct),
		TEST(shows_one_message),
		TEST(other_users_have_no_maildrop),
		TEST(nothing_can_be_removed),
	};

	return cmocka_run_group_tests_name("drop_template", tests, NULL, NULL);
}
