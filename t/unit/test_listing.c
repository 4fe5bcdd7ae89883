/* test_listing.c - src/session/listing.c: whatever a drop module lists, a
 * client gets a proper answer, none, or one that visibly breaks off. */
#include "unit.h"

#include "base/log.h"
#include "drop.h"
#include "session/listing.h"
#include "session/transaction.h"
#include "stream_pair.h"

static const struct drop_message mail[] = {
	{ "12345", DROP_WHOLE, NULL, false },
	{ "1234567890", DROP_WHOLE, NULL, false },
	{ "1", DROP_WHOLE, NULL, false },
};

static struct drop drop;
static struct popper_drop driver;
static struct session session;
static struct reply reply;
static struct popper_error error;

/* What the module lists. */
static struct {
	const char *uid;
	size_t i;
} lines[8];
static size_t count;
static bool fails; /* at the end of them */

enum outcome
transaction_count(struct reply *r, size_t n)
{
	return reply_ok(r, "counted %zu", n);
}

static int
own_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *e)
{
	(void)self;
	for (size_t k = 0; k < count; k++)
		if (lister->put(lister, lines[k].i, 7,
			want == POPPER_WANT_UID
			    ? popper_slice_text(lines[k].uid)
			    : popper_slice("", 0)) != 0)
			return 0;
	return fails ? error_set(e, POPPER_TEMPORARY, "bad disk") : 0;
}

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
	log_to(hear);
	if (open_stream(state) == -1)
		return -1;
	session = (struct session){ .stream = &s };
	drop_open(&session.maildrop, &drop, mail, 3);
	driver = drop_driver;
	driver.list = own_list;
	session.maildrop.driver = &driver;
	reply_start(&reply, &s);
	count = 0;
	fails = false;
	return messages_start(&session.messages, &session.maildrop, &error);
}

static int
stop(void **state)
{
	messages_free(&session.messages);
	return close_stream(state);
}

static void
line(size_t i, const char *uid)
{
	lines[count].i = i;
	lines[count++].uid = uid;
}

/* What the client has got so far. */
static const char *
heard(void)
{
	static char text[4096];
	ssize_t n;

	assert_int_equal(stream_flush(&s), 0);
	n = recv(pair[1], text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void
uids_are(enum outcome outcome, const char *text)
{
	assert_int_equal(listing_uids(&session, &reply), outcome);
	assert_string_equal(heard(), text);
}

static void
sizes_are(enum outcome outcome, const char *text)
{
	assert_int_equal(
	    listing_sizes(&session, popper_slice("", 0), &reply), outcome);
	assert_string_equal(heard(), text);
}

#define FIRST "+OK 3 messages (16 octets)\r\n"

static void
lists_what_is_listed(void **state)
{
	(void)state;
	line(0, ".");
	line(1, "..");
	line(2, "+OK");
	uids_are(OUTCOME_DONE, FIRST "1 .\r\n2 ..\r\n3 +OK\r\n.\r\n");
	sizes_are(OUTCOME_DONE, FIRST "1 7\r\n2 7\r\n3 7\r\n.\r\n");
	messages_delete(&session.messages, 1);
	uids_are(
	    OUTCOME_DONE, "+OK 2 messages (6 octets)\r\n1 .\r\n3 +OK\r\n.\r\n");
}

#define TOO_LONG                              \
	"12345678901234567890123456789012345" \
	"678901234567890123456789012345678901"

_Static_assert(sizeof(TOO_LONG) == POPPER_UID_MAX + 2, "it is 71");

static const char *const bad[] = { "", "a b", "a\r\n.\r\n+OK", "a\n", "\r",
	"\x7f", "\xc3\xa4", TOO_LONG };
#define BAD (sizeof(bad) / sizeof(*bad))

static void
a_bad_uid_is_no_line(void **state)
{
	(void)state;
	for (size_t k = 0; k < BAD; k++) {
		count = 0;
		line(0, bad[k]);
		line(1, "good");
		assert_int_equal(
		    listing_uids(&session, &reply), OUTCOME_REFUSED);
		assert_memory_equal(heard(), "-ERR [SYS/PERM] ", 16);
		count = 0;
		line(0, "good");
		line(1, bad[k]);
		line(2, "good");
		uids_are(OUTCOME_CLOSE, FIRST "1 good\r\n");
	}
}

/* Its mark would lie behind the others. */
static void
no_message_comes_from_nowhere(void **state)
{
	static const size_t from[] = { 3, 4, 4096, SIZE_MAX };

	(void)state;
	for (size_t k = 0; k < sizeof(from) / sizeof(*from); k++) {
		count = 0;
		line(from[k], "x");
		assert_int_equal(
		    listing_uids(&session, &reply), OUTCOME_REFUSED);
		assert_memory_equal(heard(), "-ERR [SYS/PERM] ", 16);
		count = 0;
		line(0, "x");
		line(from[k], "y");
		uids_are(OUTCOME_CLOSE, FIRST "1 x\r\n");
		sizes_are(OUTCOME_CLOSE, FIRST "1 7\r\n");
	}
}

static void
a_list_that_fails_has_no_end(void **state)
{
	(void)state;
	fails = true;
	assert_int_equal(listing_uids(&session, &reply), OUTCOME_REFUSED);
	assert_memory_equal(heard(), "-ERR [SYS/TEMP] ", 16);
	line(0, "x");
	uids_are(OUTCOME_CLOSE, FIRST "1 x\r\n");
	sizes_are(OUTCOME_CLOSE, FIRST "1 7\r\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_what_is_listed),
		TEST(a_bad_uid_is_no_line),
		TEST(no_message_comes_from_nowhere),
		TEST(a_list_that_fails_has_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
