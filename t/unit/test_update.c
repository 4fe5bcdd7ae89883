/* test_update.c - src/session/update.c */
#include "unit.h"

#include "base/log.h"
#include "drop.h"
#include "session/update.h"

static const struct drop_message mail[] = {
	{ "12345", DROP_WHOLE, NULL, false },
	{ "1234567890", DROP_WHOLE, NULL, false },
};

static struct drop drop;
static struct popper_drop driver;
static struct session s;
static struct opening opening;
static struct tally t;
static struct popper_error e;
static enum popper_outcome outcome; /* of the driver's commit */
static int hook; /* what the extension says before */
static unsigned commits;

static enum popper_outcome
commit(void *self, const struct popper_changes *c, struct popper_error *error)
{
	(void)self;
	(void)c;
	commits++;
	if (outcome != POPPER_DONE)
		error_set(error, POPPER_TEMPORARY, "disk full");
	return outcome;
}

static unsigned tidied;

static int
tidy(void *self, struct popper_error *error)
{
	(void)self;
	tidied++;
	return error_set(error, POPPER_TEMPORARY, "disk full");
}

static int
before(void *self, const struct popper_changes *c, struct popper_error *error)
{
	(void)self;
	(void)c;
	if (hook == -1)
		error_set(error, POPPER_TEMPORARY, "not now");
	return hook;
}

static const struct popper_ext ext = { .size = sizeof(ext),
	.before_update = before };
static const struct popper_module module = { .name = "x", .ext = &ext };
static const struct used_modules used = { .count = 1,
	.used = { { &module, NULL } } };

static void
hear(enum popper_level level, pid_t pid, const char *text)
{
	(void)level;
	(void)pid;
	(void)text;
}

static int
start(void **state)
{
	(void)state;
	log_to(hear);
	s = (struct session){ .opening = &opening };
	drop_open(&s.maildrop, &drop, mail, 2);
	driver = drop_driver;
	driver.commit = commit;
	driver.tidy = tidy;
	s.maildrop.driver = &driver;
	s.extensions.modules = &used;
	s.extensions.started = 1;
	outcome = POPPER_DONE;
	hook = 0;
	commits = tidied = 0;
	return messages_start(&s.messages, &s.maildrop, &e);
}

static int
stop(void **state)
{
	(void)state;
	messages_free(&s.messages);
	log_start(-1, false);
	return 0;
}

static void
removes_what_is_marked(void **state)
{
	(void)state;
	assert_int_equal(update_run(&s, &t, &e), 0);
	assert_int_equal(commits, 0);
	assert_int_equal(tidied, 1); /* that it fails hurts nobody */
	messages_delete(&s.messages, 1);
	assert_int_equal(update_run(&s, &t, &e), 0);
	assert_int_equal(commits, 1);
	assert_int_equal(tidied, 1);
	assert_int_equal(t.deleted, 1);
	assert_int_equal(t.deleted_octets, 10);
	assert_int_equal(t.left_octets, 5);
}

static void
fails_what_was_asked_for(void **state)
{
	(void)state;
	outcome = POPPER_NOT_DONE;
	messages_delete(&s.messages, 0);
	assert_int_equal(update_run(&s, &t, &e), -1);
	assert_int_equal(t.deleted, 0);
	assert_int_equal(t.left, 2);
	/* One more that is only old changes nothing. */
	messages_delete(&s.messages, 1);
	s.expired = 1;
	assert_int_equal(update_run(&s, &t, &e), -1);
	assert_int_equal(s.expired, 0);
}

static void
forgives_what_nobody_asked_for(void **state)
{
	(void)state;
	outcome = POPPER_NOT_DONE;
	messages_delete(&s.messages, 0);
	s.expired = 1;
	assert_int_equal(update_run(&s, &t, &e), 0);
	assert_int_equal(t.deleted, 0);
	assert_int_equal(t.left, 2);
	assert_int_equal(s.expired, 0);
}

static void
heeds_the_extensions(void **state)
{
	(void)state;
	hook = -1;
	assert_int_equal(update_run(&s, &t, &e), -1);
	messages_delete(&s.messages, 0);
	s.expired = 1;
	assert_int_equal(update_run(&s, &t, &e), -1);
	assert_int_equal(commits, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    removes_what_is_marked, start, stop),
		cmocka_unit_test_setup_teardown(
		    fails_what_was_asked_for, start, stop),
		cmocka_unit_test_setup_teardown(
		    forgives_what_nobody_asked_for, start, stop),
		cmocka_unit_test_setup_teardown(
		    heeds_the_extensions, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
