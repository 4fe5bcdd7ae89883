/*
 * ext_mangle_text.c - text/plain as the mangle module makes it readable.
 *
 * Runs in: tests.
 */
#include "bed.h"

#include <string.h>

#include "mangle_text.h"

static struct mangle_buffer out;

static int
set_up(void **state)
{
	(void)state;
	mangle_buffer_start(&out, 10000);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mangle_buffer_free(&out);
	return 0;
}

static void
out_is(const char *text)
{
	assert_int_equal(out.len, strlen(text));
	assert_memory_equal(mangle_buffer_view(&out).ptr, text, out.len);
}

static void
plain(const char *charset, const char *octets)
{
	const struct mangle_text_job job = {
		.octets = popper_slice_text(octets),
		.charset = charset,
	};

	assert_int_equal(mangle_text(&job, &out), 0);
}

static void
plain_text_is_utf8_with_lf(void **state)
{
	(void)state;
	plain("ISO-8859-1", "caf\xe9\r\n\x1b[1mlast");
	out_is("caf\xc3\xa9\n[1mlast\n");
}

static void
what_is_invalid_is_shown_as_such(void **state)
{
	(void)state;
	plain("UTF-8",
	    "gr\xc3\xbc\xc3\x9f"
	    "e\xff\n");
	out_is("gr\xc3\xbc\xc3\x9f"
	       "e\xef\xbf\xbd\n");
}

static void
what_a_charset_lacks_is_written_otherwise(void **state)
{
	(void)state;
	assert_int_equal(
	    mangle_charset_out("us-ascii",
		popper_slice_text("\xe2\x80\x9cquoted\xe2\x80\x9d"), &out),
	    0);
	out_is("\"quoted\"");
	assert_true(mangle_charset_known("koi8-r"));
	assert_false(mangle_charset_known("klingon"));
	assert_false(mangle_charset_known(""));
}

static void
a_buffer_that_is_full_stays_as_it_is(void **state)
{
	struct mangle_buffer b;

	(void)state;
	mangle_buffer_start(&b, 5);
	assert_int_equal(mangle_buffer_add_text(&b, "abc"), 0);
	assert_int_equal(mangle_buffer_add_text(&b, "def"), -1);
	assert_true(b.full);
	assert_int_equal(mangle_buffer_add_text(&b, "d"), -1);
	assert_int_equal(b.len, 3);
	mangle_buffer_free(&b);
	assert_int_equal(mangle_buffer_add_text(&b, "abcde"), 0);
	mangle_buffer_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    plain_text_is_utf8_with_lf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_invalid_is_shown_as_such, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_a_charset_lacks_is_written_otherwise, set_up,
		    tear_down),
		cmocka_unit_test(a_buffer_that_is_full_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
