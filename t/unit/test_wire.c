/* test_wire.c - src/priv/wire.c */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fd.h"
#include "priv/wire.h"

static struct wire w, other;

static void
carries_fields(void **state)
{
	char text[8];

	(void)state;
	wire_start(&w);
	wire_put_number(&w, 0);
	wire_put_number(&w, UINT64_MAX);
	wire_put_number(&w, UINT64_C(0x0102030405060708));
	wire_put_text(&w, "");
	wire_put_text(&w, "popper");
	wire_put_slice(&w, S("a\0b\r\n"));
	wire_put_slice(&w, popper_slice(NULL, 0));
	assert_false(w.failed);
	assert_int_equal(w.len, 7 * 8 + 6 + 5);
	assert_int_equal(wire_get_number(&w, 0), 0);
	assert_true(wire_get_number(&w, UINT64_MAX) == UINT64_MAX);
	assert_true(
	    wire_get_number(&w, UINT64_MAX) == UINT64_C(0x0102030405060708));
	wire_get_text(&w, text, sizeof(text));
	assert_string_equal(text, "");
	assert_false(wire_end(&w));
	wire_get_text(&w, text, sizeof(text));
	assert_string_equal(text, "popper");
	assert_slice(wire_get_slice(&w), "a\0b\r\n");
	assert_int_equal(wire_get_slice(&w).len, 0);
	assert_true(wire_end(&w));
}

static void
has_a_fixed_form(void **state)
{
	(void)state;
	wire_start(&w);
	wire_put_number(&w, UINT64_C(0x0102030405060708));
	wire_put_text(&w, "x");
	assert_int_equal(w.len, 17);
	assert_memory_equal(
	    w.bytes, "\x08\x07\x06\x05\x04\x03\x02\x01\x01\0\0\0\0\0\0\0x", 17);
}

static void
keeps_to_its_room(void **state)
{
	static char much[WIRE_MAX];

	(void)state;
	wire_start(&w);
	wire_put_slice(&w, popper_slice(much, WIRE_MAX - 8));
	assert_false(w.failed);
	assert_int_equal(w.len, WIRE_MAX);
	wire_put_number(&w, 1);
	assert_true(w.failed);
	errno = 0;
	assert_int_equal(wire_send(&w, -1, NULL, 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	wire_start(&w);
	assert_int_equal(wire_send(&w, -1, NULL, 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	wire_put_slice(&w, popper_slice(much, WIRE_MAX - 7));
	assert_true(w.failed);
}

static void
stays_failed(void **state)
{
	char text[4] = "old";

	(void)state;
	wire_start(&w);
	wire_put_number(&w, 5);
	wire_put_text(&w, "abc");
	assert_int_equal(wire_get_number(&w, 4), 0);
	assert_true(w.failed);
	wire_get_text(&w, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(wire_get_slice(&w).len, 0);
	assert_int_equal(wire_get_number(&w, UINT64_MAX), 0);
	assert_false(wire_end(&w));
}

static void
refuses_what_runs_short(void **state)
{
	char text[8];

	(void)state;
	for (size_t len = 0; len < 8 + 3; len++) {
		wire_start(&w);
		wire_put_text(&w, "abc");
		w.len = len;
		wire_get_text(&w, text, sizeof(text));
		assert_true(w.failed);
		assert_string_equal(text, "");
	}
	/* A length that points behind the message, or round the world. */
	wire_start(&w);
	wire_put_number(&w, 1);
	assert_int_equal(wire_get_slice(&w).len, 0);
	assert_true(w.failed);
	wire_start(&w);
	wire_put_number(&w, UINT64_MAX - 7);
	wire_put_number(&w, 0);
	assert_int_equal(wire_get_slice(&w).len, 0);
	assert_true(w.failed);
}

static void
refuses_what_does_not_fit(void **state)
{
	char text[4];

	(void)state;
	wire_start(&w);
	wire_put_text(&w, "abcd");
	wire_get_text(&w, text, sizeof(text));
	assert_true(w.failed);
	wire_start(&w);
	wire_put_text(&w, "abc");
	wire_get_text(&w, text, sizeof(text));
	assert_true(wire_end(&w));
	wire_start(&w);
	wire_put_slice(&w, S("a\0b"));
	wire_get_text(&w, text, sizeof(text));
	assert_true(w.failed);
}

static void
travels_with_descriptors(void **state)
{
	int pair[2], fds[2] = { -1, -1 }, got[2];
	size_t count;

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	fds[0] = pair[0];
	fds[1] = pair[1];
	wire_start(&w);
	wire_put_text(&w, "hello");
	assert_int_equal(wire_send(&w, pair[0], fds, 2), 0);
	assert_int_equal(wire_receive(&other, pair[1], got, 2, &count), 1);
	assert_int_equal(count, 2);
	assert_int_equal(other.len, w.len);
	assert_memory_equal(other.bytes, w.bytes, w.len);
	fd_close(&got[0]);
	fd_close(&got[1]);
	/* More than were asked for: nothing stays open. */
	assert_int_equal(wire_send(&w, pair[0], fds, 2), 0);
	assert_int_equal(wire_receive(&other, pair[1], got, 1, &count), -1);
	assert_int_equal(count, 0);
	assert_int_equal(other.len, 0);
	fd_close(&pair[0]);
	assert_int_equal(wire_receive(&other, pair[1], got, 1, &count), 0);
	fd_close(&pair[1]);
}

static void
refuses_a_message_that_was_cut(void **state)
{
	static char much[WIRE_MAX + 1];
	int pair[2];
	size_t count;

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(fd_send(pair[0], much, sizeof(much), NULL, 0), 0);
	assert_int_equal(wire_receive(&w, pair[1], NULL, 0, &count), -1);
	assert_int_equal(w.len, 0);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

static const unsigned char all_zero[WIRE_MAX];

static void
wipes(void **state)
{
	(void)state;
	wire_start(&w);
	wire_put_text(&w, "secret");
	wire_start(&w);
	wire_put_number(&w, 1);
	wire_wipe(&w);
	assert_int_equal(w.len, 0);
	assert_memory_equal(w.bytes, all_zero, sizeof(all_zero));
}

static void
wipes_what_was_cut(void **state)
{
	static char much[WIRE_MAX + 1];
	int pair[2];
	size_t count;

	(void)state;
	memset(much, 'x', sizeof(much));
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(fd_send(pair[0], much, sizeof(much), NULL, 0), 0);
	assert_int_equal(wire_receive(&w, pair[1], NULL, 0, &count), -1);
	assert_int_equal(w.bytes[WIRE_MAX - 1], 'x');
	wire_wipe(&w);
	assert_memory_equal(w.bytes, all_zero, sizeof(all_zero));
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_fields),
		cmocka_unit_test(has_a_fixed_form),
		cmocka_unit_test(keeps_to_its_room),
		cmocka_unit_test(stays_failed),
		cmocka_unit_test(refuses_what_runs_short),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(travels_with_descriptors),
		cmocka_unit_test(refuses_a_message_that_was_cut),
		cmocka_unit_test(wipes),
		cmocka_unit_test(wipes_what_was_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
