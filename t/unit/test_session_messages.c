/* test_session_messages.c - src/session/messages.c */
#include "unit.h"

#include "drop.h"

static const struct drop_message mail[] = {
	{ "12345", DROP_WHOLE, NULL, false },
	{ "1234567890", DROP_WHOLE, "!~", false },
	{ "", DROP_WHOLE, NULL, false },
};

static struct drop drop;
static struct maildrop maildrop;
static struct messages m;
static struct popper_error e;

static int
start(void **state)
{
	(void)state;
	drop_open(&maildrop, &drop, mail, 3);
	return messages_start(&m, &maildrop, &e);
}

static int
stop(void **state)
{
	(void)state;
	messages_free(&m);
	return 0;
}

/* Index of the message that a client means, or -1. */
static int
pick(const char *word)
{
	size_t i = 99;

	memset(&e, 0, sizeof(e));
	return messages_pick(&m, popper_slice_text(word), &i, &e) == -1
	    ? -1
	    : (int)i;
}

static void
total_is(bool deleted, size_t count, uint64_t octets)
{
	size_t n;
	uint64_t o;

	assert_int_equal(messages_total(&m, deleted, &n, &o, &e), 0);
	assert_int_equal(n, count);
	assert_int_equal(o, octets);
}

static void
picks_by_number(void **state)
{
	static const char *const none[] = { "0", "4", "00", "-1", "+1", "1x",
		" 1", "1 ", "", "x", "0x1", "18446744073709551617",
		"4294967297", "1.0" };

	(void)state;
	assert_int_equal(pick("1"), 0);
	assert_int_equal(pick("3"), 2);
	assert_int_equal(pick("0003"), 2);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_int_equal(pick(none[i]), -1);
		assert_int_equal(e.status, POPPER_INVALID);
		assert_string_equal(e.reply, "no such message");
	}
}

static void
marks_and_unmarks(void **state)
{
	(void)state;
	total_is(false, 3, 15);
	total_is(true, 0, 0);
	messages_delete(&m, 1);
	messages_delete(&m, 1);
	assert_int_equal(m.deleted, 1);
	assert_true(messages_is_deleted(&m, 1));
	total_is(false, 2, 5);
	total_is(true, 1, 10);
	assert_int_equal(pick("2"), -1);
	assert_int_equal(e.status, POPPER_INVALID);
	assert_string_equal(e.reply, "this message is deleted");
	assert_int_equal(pick("1"), 0);
	messages_delete(&m, 0);
	total_is(false, 1, 0);
	total_is(true, 2, 15);
	messages_reset(&m);
	assert_int_equal(m.deleted, 0);
	assert_int_equal(pick("2"), 1);
	total_is(true, 0, 0);
	total_is(false, 3, 15);
}

static void
remembers_what_was_seen(void **state)
{
	(void)state;
	assert_int_equal(m.highest, 0);
	messages_touch(&m, 1);
	assert_int_equal(m.highest, 2);
	messages_touch(&m, 0);
	assert_int_equal(m.highest, 2);
	messages_delete(&m, 2);
	assert_int_equal(m.highest, 3);
	assert_int_equal(m.marks[1], POPPER_MARK_SEEN);
	messages_reset(&m);
	assert_int_equal(m.highest, 0);
	/* RSET unmarks deletions; what was read stays read. */
	assert_int_equal(m.marks[1], POPPER_MARK_SEEN);
	assert_int_equal(m.marks[2], 0);
}

static void
deletes_what_was_fetched(void **state)
{
	(void)state;
	messages_fetched(&m, 0, 10); /* nobody watches */
	assert_int_equal(messages_delete_fetched(&m, 99), 0);
	assert_int_equal(messages_watch(&m, &e), 0);
	messages_fetched(&m, 0, 0);
	messages_fetched(&m, 1, 10);
	messages_fetched(&m, 2, 10);
	messages_reset(&m);
	messages_fetched(&m, 0, 0);
	messages_fetched(&m, 1, 10);
	/* The client has said nothing since message 2 was sent. */
	messages_delete(&m, 2);
	assert_int_equal(messages_delete_fetched(&m, 10), 1);
	assert_true(messages_is_deleted(&m, 0));
	assert_false(messages_is_deleted(&m, 1));
	assert_int_equal(messages_delete_fetched(&m, 11), 1);
	total_is(true, 3, 15);
}

static void
describes(void **state)
{
	char uid[POPPER_UID_MAX + 1];
	uint64_t octets;

	(void)state;
	assert_int_equal(messages_octets(&m, 1, &octets, &e), 0);
	assert_int_equal(octets, 10);
	assert_int_equal(messages_uid(&m, 0, uid, &e), 0);
	assert_string_equal(uid, "uid-1");
	assert_int_equal(messages_uid(&m, 1, uid, &e), 0);
	assert_string_equal(uid, "!~");
}

static void
takes_no_improper_uid(void **state)
{
	static char longest[POPPER_UID_MAX + 1];
	static const struct drop_message odd[] = {
		{ "", DROP_WHOLE, "", false },
		{ "", DROP_WHOLE, "a b", false },
		{ "", DROP_WHOLE, "a\r\n.", false },
		{ "", DROP_WHOLE, "\xe4", false },
		{ "", DROP_WHOLE, "\x7f", false },
		{ "", DROP_WHOLE, longest, false },
	};
	char uid[POPPER_UID_MAX + 1];

	(void)state;
	memset(longest, '~', POPPER_UID_MAX);
	drop_open(&maildrop, &drop, odd, 6);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(messages_uid(&m, i, uid, &e), -1);
		assert_int_equal(e.status, POPPER_PERMANENT);
	}
	assert_int_equal(messages_uid(&m, 5, uid, &e), 0);
	assert_int_equal(strlen(uid), POPPER_UID_MAX);
}

static void
passes_failures_on(void **state)
{
	static const struct drop_message dumb[] = {
		{ "1", DROP_WHOLE, NULL, false },
		{ "2", DROP_WHOLE, NULL, true },
	};
	char uid[POPPER_UID_MAX + 1];
	uint64_t octets;
	size_t count;

	(void)state;
	drop_open(&maildrop, &drop, dumb, 2);
	assert_int_equal(messages_octets(&m, 1, &octets, &e), -1);
	assert_int_equal(messages_uid(&m, 1, uid, &e), -1);
	assert_int_equal(messages_total(&m, false, &count, &octets, &e), -1);
	assert_string_equal(e.text, "mute 1");
	/* What is deleted need not be known. */
	messages_delete(&m, 1);
	assert_int_equal(messages_total(&m, false, &count, &octets, &e), 0);
}

/* Takes down what is listed: "0:5 1:10 ". */
struct taker {
	struct popper_lister lister;
	size_t most;
	char text[256];
};

static int
take(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct taker *t = (struct taker *)lister;
	size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%zu:%lu%.*s ", i,
	    (unsigned long)octets, (int)uid.len, uid.ptr);
	return i + 1 >= t->most;
}

static void
lists(unsigned want, size_t most, const char *expected)
{
	struct taker t = { .lister = { .put = take }, .most = most };

	assert_int_equal(messages_list(&m, want, &t.lister, &e), 0);
	assert_string_equal(t.text, expected);
}

static int
own_total(void *self, uint64_t *octets, struct popper_error *error)
{
	(void)self;
	(void)error;
	*octets = 4711;
	return 0;
}

static int
own_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *error)
{
	(void)self;
	(void)error;
	lister->put(lister, 7, want, popper_slice_text("own"));
	return 0;
}

static void
lists_one_by_one(void **state)
{
	(void)state;
	lists(POPPER_WANT_OCTETS, 9, "0:5 1:10 2:0 ");
	lists(POPPER_WANT_UID, 9, "0:0uid-1 1:0!~ 2:0uid-3 ");
	lists(POPPER_WANT_UID, 2, "0:0uid-1 1:0!~ ");
}

static int
tiny_total(void *self, uint64_t *octets, struct popper_error *error)
{
	(void)self;
	(void)error;
	*octets = 1;
	return 0;
}

static void
asks_drivers_that_can_list(void **state)
{
	struct popper_drop driver = drop_driver;

	(void)state;
	driver.total = own_total;
	driver.list = own_list;
	maildrop.driver = &driver;
	lists(POPPER_WANT_UID, 9, "7:2own ");
	total_is(false, 3, 4711);
	messages_delete(&m, 0);
	total_is(false, 2, 4706);
	messages_reset(&m);
	messages_delete(&m, 1);
	total_is(false, 2, 5);
	/* A module built for 1.2 ends before these slots. */
	messages_reset(&m);
	driver.size = offsetof(struct popper_drop, recover);
	lists(POPPER_WANT_OCTETS, 1, "0:5 ");
	total_is(false, 3, 15);
}

/* As a damaged index may have it. */
static void
a_wrong_total_gets_no_worse(void **state)
{
	struct popper_drop driver = drop_driver;

	(void)state;
	driver.total = tiny_total;
	maildrop.driver = &driver;
	total_is(false, 3, 1);
	messages_delete(&m, 0);
	total_is(false, 2, 10);
}

static void
knows_an_empty_maildrop(void **state)
{
	(void)state;
	messages_free(&m);
	messages_free(&m);
	drop_open(&maildrop, &drop, mail, 0);
	assert_int_equal(messages_start(&m, &maildrop, &e), 0);
	total_is(false, 0, 0);
	assert_int_equal(pick("1"), -1);
	assert_int_equal(pick("0"), -1);
	messages_reset(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(picks_by_number, start, stop),
		cmocka_unit_test_setup_teardown(marks_and_unmarks, start, stop),
		cmocka_unit_test_setup_teardown(
		    remembers_what_was_seen, start, stop),
		cmocka_unit_test_setup_teardown(
		    deletes_what_was_fetched, start, stop),
		cmocka_unit_test_setup_teardown(describes, start, stop),
		cmocka_unit_test_setup_teardown(lists_one_by_one, start, stop),
		cmocka_unit_test_setup_teardown(
		    asks_drivers_that_can_list, start, stop),
		cmocka_unit_test_setup_teardown(
		    a_wrong_total_gets_no_worse, start, stop),
		cmocka_unit_test_setup_teardown(
		    takes_no_improper_uid, start, stop),
		cmocka_unit_test_setup_teardown(
		    passes_failures_on, start, stop),
		cmocka_unit_test_setup_teardown(
		    knows_an_empty_maildrop, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
