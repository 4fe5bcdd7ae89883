/* test_utf8.c - src/base/utf8.c */
#include "unit.h"

#include "base/utf8.h"

static void
knows_ascii(void **state)
{
	(void)state;
	assert_true(utf8_is_ascii(S("")));
	assert_true(utf8_is_ascii(S("a\0\x7f")));
	assert_false(utf8_is_ascii(S("a\x80")));
	assert_false(utf8_is_ascii(S("\xff")));
}

static void
takes_what_is_well_formed(void **state)
{
	(void)state;
	assert_true(utf8_is_proper(S("")));
	assert_true(utf8_is_proper(S("abc\0\x7f")));
	assert_true(utf8_is_proper(S("\xc2\x80\xdf\xbf")));
	assert_true(utf8_is_proper(S("\xe0\xa0\x80\xed\x9f\xbf")));
	assert_true(utf8_is_proper(S("\xee\x80\x80\xef\xbf\xbf")));
	assert_true(utf8_is_proper(S("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
}

/* RFC 3629 sections 3, 4 and 10. */
static void
refuses_the_rest(void **state)
{
	(void)state;
	assert_false(utf8_is_proper(S("\x80")));
	assert_false(utf8_is_proper(S("\xbf")));
	assert_false(utf8_is_proper(S("\xc3")));
	assert_false(utf8_is_proper(S("a\xe2\x82")));
	assert_false(utf8_is_proper(S("\xf0\x90\x80")));
	assert_false(utf8_is_proper(S("\xc3"
				      "a")));
	assert_false(utf8_is_proper(S("\xe2\x82"
				      "a")));
	assert_false(utf8_is_proper(S("\xf0\x90\x80"
				      "a")));
	assert_false(utf8_is_proper(S("\xc0\x80"))); /* overlong */
	assert_false(utf8_is_proper(S("\xc1\xbf")));
	assert_false(utf8_is_proper(S("\xe0\x9f\xbf")));
	assert_false(utf8_is_proper(S("\xf0\x8f\xbf\xbf")));
	assert_false(utf8_is_proper(S("\xed\xa0\x80"))); /* surrogates */
	assert_false(utf8_is_proper(S("\xed\xbf\xbf")));
	assert_false(utf8_is_proper(S("\xf4\x90\x80\x80"))); /* beyond */
	assert_false(utf8_is_proper(S("\xf5\x80\x80\x80")));
	assert_false(utf8_is_proper(S("\xfe")));
	assert_false(utf8_is_proper(S("\xff")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_ascii),
		cmocka_unit_test(takes_what_is_well_formed),
		cmocka_unit_test(refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
