/* test_text.c - src/base/text.c */
#include "unit.h"

#include "base/text.h"

static void
copies_what_fits(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_true(text_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(text_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "");
	assert_true(text_copy(out, 1, ""));
	assert_false(text_copy(out, 0, ""));
}

static void
takes_slices_without_nul(void **state)
{
	char out[8];

	(void)state;
	assert_true(text_from_slice(out, sizeof(out), S("abc")));
	assert_string_equal(out, "abc");
	assert_false(text_from_slice(out, sizeof(out), S("a\0c")));
	assert_string_equal(out, "");
	assert_true(text_from_slice(out, sizeof(out), S("1234567")));
	assert_false(text_from_slice(out, sizeof(out), S("12345678")));
	assert_true(text_from_slice(out, sizeof(out), popper_slice(NULL, 0)));
	assert_string_equal(out, "");
}

static void
escapes(void **state)
{
	char out[64];

	(void)state;
	text_escape(out, sizeof(out), S("a b~\\\n\r\0\x7f\xff"));
	assert_string_equal(out, "a b~\\x5c\\x0a\\x0d\\x00\\x7f\\xff");
	text_escape(out, sizeof(out), S(""));
	assert_string_equal(out, "");
}

static void
cuts_whole_escapes(void **state)
{
	char out[8];

	(void)state;
	text_escape(out, sizeof(out), S("abc\n!"));
	assert_string_equal(out, "abc\\x0a");
	text_escape(out, sizeof(out), S("abcd\n!"));
	assert_string_equal(out, "abcd");
	text_escape(out, sizeof(out), S("abcdefghi"));
	assert_string_equal(out, "abcdefg");
	out[0] = '#';
	text_escape(out, 0, S("a"));
	assert_int_equal(out[0], '#');
	text_escape(out, 1, S("a"));
	assert_string_equal(out, "");
}

static void
sees_each_octet(void **state)
{
	char text[19];

	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t i = 0; i < sizeof(text); i++) {
			memset(text, '~', sizeof(text));
			text[i] = (char)c;
			assert_int_equal(
			    text_is_visible(popper_slice(text, sizeof(text))),
			    c > 0x20 && c < 0x7f);
		}
}

static void
knows_visible_text(void **state)
{
	(void)state;
	assert_true(text_is_visible(S("!~a")));
	assert_false(text_is_visible(S("")));
	assert_false(text_is_visible(S("a b")));
	assert_false(text_is_visible(S("a\x7f")));
	assert_false(text_is_visible(S("a\x80")));
	assert_false(text_is_visible(S("\0")));
}

static void
compares_in_any_case(void **state)
{
	(void)state;
	assert_true(text_is(S("rEtR"), "RETR"));
	assert_true(text_is(S(""), ""));
	assert_false(text_is(S("RET"), "RETR"));
	assert_false(text_is(S("RETRX"), "RETR"));
	assert_false(text_is(S("RETR\0"), "RETR"));
	assert_false(text_is(S("@"), "`"));
	assert_false(text_is(S("["), "{"));
}

static void
prints_and_tells_a_cut(void **state)
{
	char out[4];

	(void)state;
	assert_true(text_print(out, sizeof(out), "%d", 123));
	assert_string_equal(out, "123");
	assert_false(text_print(out, sizeof(out), "%d", 1234));
	assert_string_equal(out, "123");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_what_fits),
		cmocka_unit_test(takes_slices_without_nul),
		cmocka_unit_test(escapes),
		cmocka_unit_test(cuts_whole_escapes),
		cmocka_unit_test(knows_visible_text),
		cmocka_unit_test(sees_each_octet),
		cmocka_unit_test(compares_in_any_case),
		cmocka_unit_test(prints_and_tells_a_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
