/*
 * ext_mangle_arguments.c - what clients say behind RETR, and MDEF.
 *
 * Runs in: tests.
 */
#include "bed.h"

#include <string.h>

#include "mangle_arguments.h"

static struct mangle_arguments a;
static struct mangle_macros macros;
static const struct mangle_macro *macro;

static bool
parse(const char *text)
{
	return mangle_arguments_parse(popper_slice_text(text), &macros, &a);
}

static enum mangle_define
define(const char *text)
{
	return mangle_macros_define(&macros, popper_slice_text(text), &macro);
}

static int
clear(void **state)
{
	(void)state;
	macros.count = 0;
	return 0;
}

static void
knows_three_spellings(void **state)
{
	(void)state;
	assert_true(parse("X-MANGLE"));
	assert_true(parse("mangle"));
	assert_true(parse("xMangle()"));
	assert_int_equal(a.text, MANGLE_PLAIN);
	assert_string_equal(a.charset, "us-ascii");
	assert_string_equal(a.headers,
	    "to:,cc:,subject:,from:,date:,reply-to:,x-priority:,x-uidl:");
	assert_string_equal(a.lang, "");
	assert_int_equal(a.wrap, 0);
	assert_false(mangle_arguments_are(popper_slice_text("MANGL")));
	assert_false(mangle_arguments_are(popper_slice_text("X_MANGLE")));
	assert_false(mangle_arguments_are(popper_slice_text("")));
	assert_false(parse("bogus"));
}

static void
takes_attributes(void **state)
{
	(void)state;
	assert_true(parse("X-MANGLE(Text=HTML;headers=To:,X-Foo;charset=UTF-8;"
			  "lang=de-AT;wrap=72)"));
	assert_int_equal(a.text, MANGLE_HTML);
	assert_string_equal(a.headers, "to:,x-foo");
	assert_string_equal(a.charset, "utf-8");
	assert_string_equal(a.lang, "de-at");
	assert_int_equal(a.wrap, 72);
	assert_true(parse("X-MANGLE(t=e;h=;c=iso_2022-jp;l=\"fr\";w=40;)"));
	assert_int_equal(a.text, MANGLE_ENRICHED);
	assert_string_equal(a.headers, "");
	assert_string_equal(a.charset, "iso_2022-jp");
	assert_string_equal(a.lang, "fr");
	assert_true(parse("MANGLE(text=p)"));
	assert_int_equal(a.text, MANGLE_PLAIN);
}

static void
passes_over_what_it_does_not_know(void **state)
{
	(void)state;
	assert_true(parse("X-MANGLE(colour=red;wrap=wide;charset=a/b;lang=?)"));
	assert_string_equal(a.charset, "us-ascii");
	assert_string_equal(a.lang, "");
	assert_int_equal(a.wrap, 0);
	assert_true(parse("X-MANGLE(wrap=19)"));
	assert_int_equal(a.wrap, 0);
	assert_true(parse("X-MANGLE(wrap=20)"));
	assert_int_equal(a.wrap, 20);
	assert_true(parse("X-MANGLE(wrap=998)"));
	assert_int_equal(a.wrap, 998);
	assert_true(parse("X-MANGLE(wrap=4294967368)"));
	assert_int_equal(a.wrap, 0);
}

static void
refuses_wrong_syntax(void **state)
{
	static const char *const wrong[] = { "X-MANGLE(", "X-MANGLE)",
		"X-MANGLE(text=plain",
		"X-MANGLE(headers=to:,subject:", "X-MANGLE(text=)",
		"X-MANGLE(text=word)", "X-MANGLE(text=plainer)",
		"X-MANGLE(plain)", "X-MANGLE(=x)", "X-MANGLEtext=plain",
		"X-MANGLE()x", "X-MANGLE text" };
	char long_one[600] = "X-MANGLE(headers=";

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (parse(wrong[i]))
			fail_msg("%s", wrong[i]);
	memset(long_one + strlen(long_one), 'a', 450);
	strcat(long_one, ")");
	assert_false(parse(long_one));
}

static void
matches_headers_by_prefix(void **state)
{
	(void)state;
	assert_true(mangle_arguments_match("to:,subj", "To"));
	assert_true(mangle_arguments_match("to:,subj", "SUBJECT"));
	assert_false(mangle_arguments_match("to:,subj", "Topic"));
	assert_true(mangle_arguments_match("to", "Topic"));
	assert_false(mangle_arguments_match("subject:", "Subj"));
	assert_false(mangle_arguments_match("", "To"));
	assert_false(mangle_arguments_match(",", "To"));
}

static void
macros_stand_for_their_values(void **state)
{
	(void)state;
	assert_int_equal(
	    define("short(headers=from,subj;wrap=40)"), MANGLE_DEFINED);
	assert_string_equal(macro->name, "short");
	assert_true(parse("X-MANGLE(SHORT;charset=utf-8)"));
	assert_string_equal(a.headers, "from,subj");
	assert_int_equal(a.wrap, 40);
	assert_string_equal(a.charset, "utf-8");
	assert_false(parse("X-MANGLE(shorter)"));
	assert_int_equal(define("Short(wrap=50)"), MANGLE_DEFINED);
	assert_int_equal(macros.count, 1);
	assert_true(parse("X-MANGLE(short)"));
	assert_int_equal(a.wrap, 50);
	/* A value has no macros in it: nothing calls itself. */
	assert_int_equal(define("loop(loop)"), MANGLE_DEFINED);
	assert_false(parse("X-MANGLE(loop)"));
	assert_int_equal(define("none()"), MANGLE_DEFINED);
	assert_true(parse("X-MANGLE(none)"));
}

static void
macros_are_few_and_short(void **state)
{
	char text[1000];

	(void)state;
	assert_int_equal(define("x"), MANGLE_SYNTAX);
	assert_int_equal(define(""), MANGLE_SYNTAX);
	assert_int_equal(define("(x)"), MANGLE_SYNTAX);
	assert_int_equal(define("x(y"), MANGLE_SYNTAX);
	assert_int_equal(define("x)"), MANGLE_SYNTAX);
	assert_int_equal(define("x(y)z"), MANGLE_SYNTAX);
	assert_int_equal(define("x(y))"), MANGLE_SYNTAX);
	assert_int_equal(define("x\"(y)"), MANGLE_SYNTAX);
	assert_int_equal(define("x(\x01)"), MANGLE_SYNTAX);
	memset(text, 'n', sizeof(text));
	strcpy(text + MANGLE_MACRO_NAME_MAX + 1, "(x)");
	assert_int_equal(define(text), MANGLE_TOO_LONG);
	assert_int_equal(define(text + 1), MANGLE_DEFINED);
	memset(text, 'v', sizeof(text));
	memcpy(text, "v(", 2);
	strcpy(text + 2 + MANGLE_MACRO_VALUE_MAX + 1, ")");
	assert_int_equal(define(text), MANGLE_TOO_LONG);
	strcpy(text + 2 + MANGLE_MACRO_VALUE_MAX, ")");
	assert_int_equal(define(text), MANGLE_DEFINED);
	for (int i = 2; i < MANGLE_MACROS_MAX; i++) {
		memcpy(text, "a(x)", 5);
		text[0] = (char)('a' + i);
		assert_int_equal(define(text), MANGLE_DEFINED);
	}
	assert_int_equal(define("another(x)"), MANGLE_TOO_MANY);
	assert_int_equal(define("v(again)"), MANGLE_DEFINED);
	assert_int_equal(macros.count, MANGLE_MACROS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(knows_three_spellings, clear),
		cmocka_unit_test_setup(takes_attributes, clear),
		cmocka_unit_test_setup(
		    passes_over_what_it_does_not_know, clear),
		cmocka_unit_test_setup(refuses_wrong_syntax, clear),
		cmocka_unit_test_setup(matches_headers_by_prefix, clear),
		cmocka_unit_test_setup(macros_stand_for_their_values, clear),
		cmocka_unit_test_setup(macros_are_few_and_short, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
