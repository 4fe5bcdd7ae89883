/* test_reply.c - src/proto/reply.c */
#include "unit.h"

#include "proto/reply.h"

static struct stream s;
static struct reply r;

static int
start(void **state)
{
	(void)state;
	stream_start(&s, -1, 0);
	reply_start(&r, &s);
	return 0;
}

/* Was exactly this sent since the last look? */
#define assert_sent(literal)                                           \
	do {                                                           \
		assert_slice(popper_slice(s.out, s.out_len), literal); \
		stream_flush(&s);                                      \
	} while (0)

static void
says_ok(void **state)
{
	(void)state;
	assert_false(r.answered);
	assert_int_equal(reply_ok(&r, "%d octets", 7), OUTCOME_DONE);
	assert_sent("+OK 7 octets\r\n");
	assert_true(r.answered);
	assert_false(r.failed);
	reply_begin(&r);
	assert_false(r.answered);
}

static void
refuses_with_codes(void **state)
{
	(void)state;
	assert_int_equal(reply_refuse(&r, POPPER_INVALID, "no such message"),
	    OUTCOME_REFUSED);
	assert_sent("-ERR no such message\r\n");
	assert_true(r.answered);
	assert_true(r.failed);
	reply_refuse(&r, POPPER_DENIED, "login failed");
	assert_sent("-ERR [AUTH] login failed\r\n");
	reply_refuse(&r, POPPER_IN_USE, "x");
	assert_sent("-ERR [IN-USE] x\r\n");
	reply_refuse(&r, POPPER_TOO_SOON, "x");
	assert_sent("-ERR [LOGIN-DELAY] x\r\n");
	reply_refuse(&r, POPPER_TEMPORARY, "x");
	assert_sent("-ERR [SYS/TEMP] x\r\n");
	reply_refuse(&r, POPPER_PERMANENT, "x");
	assert_sent("-ERR [SYS/PERM] x\r\n");
	reply_refuse(&r, POPPER_NEEDS_UTF8, "x");
	assert_sent("-ERR [UTF8] x\r\n");
}

static void
tells_errors_but_not_the_log(void **state)
{
	struct popper_error e = { .status = POPPER_IN_USE, .text = "secret" };

	(void)state;
	assert_int_equal(reply_error(&r, &e), OUTCOME_REFUSED);
	assert_sent("-ERR [IN-USE] lock busy!  Is another session active?\r\n");
	e = (struct popper_error){ .status = POPPER_TEMPORARY,
		.reply = "some %s not removed" };
	reply_error(&r, &e);
	assert_sent("-ERR [SYS/TEMP] some %s not removed\r\n");
}

static void
every_status_has_words(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= (int)POPPER_STATUSES; i++) {
		assert_non_null(reply_status_code((enum popper_status)i));
		assert_non_null(reply_status_text((enum popper_status)i));
	}
}

static void
no_text_looks_like_a_code(void **state)
{
	(void)state;
	reply_ok(&r, "%s", "[AUTH] x");
	assert_sent("+OK (AUTH] x\r\n");
	reply_refuse(&r, POPPER_INVALID, "%s", "[::1] says no");
	assert_sent("-ERR (::1] says no\r\n");
}

static void
no_text_breaks_the_line(void **state)
{
	(void)state;
	reply_ok(&r, "%s", "a\r\n+OK b\t\x1b\x7f");
	assert_sent("+OK a??+OK b???\r\n");
	reply_line(&r, "%s", "a\r\n.\r\n");
	assert_sent("a??.??\r\n");
}

static void
says_something_always(void **state)
{
	(void)state;
	reply_ok(&r, "%s", "");
	assert_sent("+OK done\r\n");
	reply_refuse(&r, POPPER_INVALID, "%s", "");
	assert_sent("-ERR failed\r\n");
}

static void
cuts_at_512(void **state)
{
	char x[2000];

	(void)state;
	memset(x, 'x', sizeof(x) - 1);
	x[sizeof(x) - 1] = '\0';
	reply_ok(&r, "%s", x);
	assert_int_equal(s.out_len, 512);
	assert_memory_equal(s.out + 509, "x\r\n", 3);
	stream_flush(&s);
	reply_line(&r, "%s", x);
	assert_int_equal(s.out_len, 512);
	stream_flush(&s);
	reply_line(&r, ".%s", x);
	assert_int_equal(s.out_len, 512);
	assert_memory_equal(s.out, "..x", 3);
	stream_flush(&s);
	x[510] = '\0';
	reply_line(&r, "%s", x);
	assert_int_equal(s.out_len, 512);
}

static void
challenges_of_any_length(void **state)
{
	static unsigned char octets[8192];

	(void)state;
	reply_challenge(&r, S(""));
	assert_sent("+ \r\n");
	reply_challenge(&r, S("foob"));
	assert_sent("+ Zm9vYg==\r\n");
	reply_challenge(&r, popper_slice(octets, sizeof(octets)));
	assert_int_equal(s.out_len, 2 + 10924 + 2);
	assert_null(memchr(s.out, '=', s.out_len - 3));
	assert_memory_equal(s.out + s.out_len - 5, "AA=\r\n", 5);
	assert_false(r.answered);
}

static void
stuffs_lines(void **state)
{
	(void)state;
	reply_line(&r, "%d %s", 1, "abc");
	reply_line(&r, ".");
	reply_line(&r, ".x.");
	reply_pair(&r, 20, S("uid-1"));
	reply_octets(&r, S("..\xff\0"));
	reply_octets(&r, S(""));
	reply_octets(&r, S("."));
	assert_int_equal(reply_end(&r), OUTCOME_DONE);
	assert_sent("1 abc\r\n..\r\n..x.\r\n20 uid-1\r\n"
		    "...\xff\0\r\n\r\n..\r\n.\r\n");
}

static void
octets_cannot_end_the_reply(void **state)
{
	(void)state;
	reply_octets(&r, S("a\r\n.\r\n+OK"));
	assert_sent("a\r\n..\r\n+OK\r\n");
}

static void
body_is_stuffed_and_ended(void **state)
{
	struct popper_sink *sink = reply_body(&r);

	(void)state;
	assert_int_equal(sink->put(sink, S("a\n.b")), 0);
	assert_int_equal(reply_end(&r), OUTCOME_DONE);
	assert_sent("a\r\n..b\r\n.\r\n");
	reply_begin(&r);
	reply_body(&r);
	reply_end(&r);
	assert_sent(".\r\n");
}

static void
lines_and_bodies_mix(void **state)
{
	struct popper_sink *sink;

	(void)state;
	reply_line(&r, "one");
	sink = reply_body(&r);
	sink->put(sink, S("two"));
	reply_line(&r, ".three");
	sink = reply_body(&r);
	sink->put(sink, S(".four"));
	sink = reply_body(&r);
	sink->put(sink, S(".five\r\n"));
	reply_octets(&r, S(".six"));
	reply_end(&r);
	assert_sent("one\r\ntwo\r\n..three\r\n..four\r\n..five\r\n..six\r\n"
		    ".\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(says_ok, start),
		cmocka_unit_test_setup(refuses_with_codes, start),
		cmocka_unit_test_setup(tells_errors_but_not_the_log, start),
		cmocka_unit_test_setup(every_status_has_words, start),
		cmocka_unit_test_setup(no_text_looks_like_a_code, start),
		cmocka_unit_test_setup(no_text_breaks_the_line, start),
		cmocka_unit_test_setup(says_something_always, start),
		cmocka_unit_test_setup(cuts_at_512, start),
		cmocka_unit_test_setup(challenges_of_any_length, start),
		cmocka_unit_test_setup(stuffs_lines, start),
		cmocka_unit_test_setup(octets_cannot_end_the_reply, start),
		cmocka_unit_test_setup(body_is_stuffed_and_ended, start),
		cmocka_unit_test_setup(lines_and_bodies_mix, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
