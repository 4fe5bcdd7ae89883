/*
 * ext_mangle_lines.c - wrapping, format=flowed, enriched text, charsets.
 *
 * Runs in: tests.
 */
#include "bed.h"

#include <string.h>

#include "mangle_charset.h"
#include "mangle_lines.h"
#include "mangle_text.h"

static struct mangle_buffer out;

static int
set_up(void **state)
{
	(void)state;
	mangle_buffer_start(&out, 100000);
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
	assert_int_equal(mangle_buffer_add(&out, popper_slice("", 1)), 0);
	assert_string_equal(out.ptr, text);
	out.len = 0;
}

static void
make(const struct mangle_text_job *job, const char *text)
{
	struct mangle_text_job j = *job;

	j.octets = popper_slice_text(text);
	j.charset = "utf-8";
	assert_int_equal(mangle_text(&j, &out), 0);
}

/* --- wrap= --- */

static void
wrapped(unsigned columns, const char *text, const char *want)
{
	assert_int_equal(
	    mangle_wrap(popper_slice_text(text), columns, &out), 0);
	out_is(want);
}

static void
words_are_not_broken(void **state)
{
	(void)state;
	wrapped(10, "one two three four\n", "one two\nthree four\n");
	wrapped(10, "https://example.org/long and\n",
	    "https://example.org/long\nand\n");
	wrapped(10, "exactly 10\n", "exactly 10\n");
	wrapped(10, "\n\nx\n", "\n\nx\n");
	wrapped(10, "-- \n", "-- \n");
}

static void
quotes_go_on(void **state)
{
	(void)state;
	wrapped(12, "> > one two three\n", "> > one two\n> > three\n");
	wrapped(12, "  one two three\n", "  one two\n  three\n");
	wrapped(12, ">> one two three\n", ">> one two\n>> three\n");
}

static void
columns_are_counted_as_shown(void **state)
{
	(void)state;
	/* wide: two columns, breakable between any two */
	wrapped(10, "日本語日本語日本\n", "日本語日本\n語日本\n");
	/* none begins a line that may not */
	wrapped(10, "日本語日本。日本\n", "日本語日\n本。日本\n");
	/* combining: no column */
	wrapped(10, "a\xcc\x81 a\xcc\x81 a\xcc\x81 a\xcc\x81 bc de\n",
	    "a\xcc\x81 a\xcc\x81 a\xcc\x81 a\xcc\x81 bc\nde\n");
	assert_int_equal(mangle_columns(popper_slice_text("aé日")), 4);
}

static void
no_line_is_too_long_for_a_mail(void **state)
{
	char text[5001], *line;
	size_t longest = 0;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[5000] = '\0';
	memcpy(text, "> > > ", 6);
	assert_int_equal(mangle_wrap(popper_slice_text(text), 0, &out), 0);
	assert_int_equal(mangle_buffer_add(&out, popper_slice("", 1)), 0);
	for (line = strtok(out.ptr, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		longest = strlen(line) > longest ? strlen(line) : longest;
		assert_memory_equal(line, "> > > ", 6);
	}
	assert_in_range(longest, 800, 998);
}

/* --- format=flowed, RFC 3676. --- */

static void
flowed_lines_join(void **state)
{
	const struct mangle_text_job flowed = { .flowed = true },
				     delsp = { .flowed = true, .delsp = true };

	(void)state;
	make(&flowed, "one \ntwo\nthree\n");
	out_is("one two\nthree\n");
	make(&delsp, "日 \n本\none  \ntwo\n");
	out_is("日本\none two\n");
	make(&flowed, "> a \n> b\n>> c \nd\n");
	out_is("> a b\n>> c\nd\n");
	make(&flowed, " >not a quote\n From x\n");
	out_is(">not a quote\nFrom x\n");
	make(&flowed, "one \n-- \nTom \nHill\n");
	out_is("one\n-- \nTom Hill\n");
	make(&flowed, "ends open \n");
	out_is("ends open\n");
}

/* --- text/enriched, RFC 1896. --- */

static void
enriched_text_is_read(void **state)
{
	const struct mangle_text_job e = { .kind = MANGLE_ENRICHED };

	(void)state;
	make(&e, "<bold>a</bold>\nb\n\nc <<d\n\n\ne");
	out_is("a b\nc <d\n\ne\n");
	make(&e, "<nofill>a\n b\n</nofill>c");
	out_is("a\n b\nc\n");
	make(&e, "<excerpt>a\n\nb</excerpt>c");
	out_is("> a\n> b\nc\n");
	make(&e, "<color><param>red</param>a</color> 1 < 2 <");
	out_is("a 1 < 2 <\n");
}

static void
enriched_text_is_written(void **state)
{
	const struct mangle_text_job e = { .target = MANGLE_ENRICHED };

	(void)state;
	make(&e, "a<b\nc\n\nd\n");
	out_is("a<<b\n\nc\n\n\nd\n\n");
}

/* --- Charsets. --- */

static void
came_in(const char *charset, const char *octets, const char *want)
{
	assert_int_equal(
	    mangle_charset_in(charset, popper_slice_text(octets), &out), 0);
	out_is(want);
}

static void
labels_are_not_believed_blindly(void **state)
{
	(void)state;
	came_in("", "caf\xe9", "café");
	came_in("us-ascii", "caf\xc3\xa9", "café");
	came_in("utf-8", "caf\xe9 \x80", "café €");
	came_in("iso-8859-1", "\x93x\x94", "“x”");
	came_in("iso-8859-1", "caf\xc3\xa9", "café");
	came_in("unknown-8bit", "caf\xe9", "café");
	came_in("no-such-charset", "caf\xe9", "café");
	came_in("", "\x1b$B$\"\x1b(B", "あ");
	came_in("\"UTF-8\"", "é", "é");
	came_in("gb2312", "\xe9\x46", "镕"); /* only GBK has it */
	came_in("utf-8", "ü\xc3", "ü\xef\xbf\xbd");
	came_in("utf-16", "plain", "plain");
}

static void
went_out(const char *charset, const char *utf8, const char *want)
{
	assert_int_equal(
	    mangle_charset_out(charset, popper_slice_text(utf8), &out), 0);
	out_is(want);
}

static void
what_lacks_is_written_otherwise(void **state)
{
	(void)state;
	went_out("us-ascii", "„Grüße“ – 5 €…", "\"Gruesse\" - 5 EUR...");
	went_out("us-ascii", "Łódź, Ångström, ﬁne", "Lodz, Aangstroem, fine");
	went_out("us-ascii", "Привет Щука", "Privet Shchuka");
	went_out("us-ascii", "日本", "??");
	went_out("iso-8859-1", "u\xcc\x88 €", "\xfc EUR");
	went_out("iso-2022-jp", "あa", "\x1b$B$\"\x1b(Ba");
	went_out("iso-2022-jp", "あ", "\x1b$B$\"\x1b(B");
	went_out("koi8-r", "я“", "\xd1\"");
	went_out("utf-8", "я", "я");
}

static void
charsets_without_ascii_are_refused(void **state)
{
	(void)state;
	assert_false(mangle_charset_known("utf-16"));
	assert_false(mangle_charset_known("utf-32le"));
	assert_false(mangle_charset_known("ebcdic-us"));
	assert_false(mangle_charset_known("klingon"));
	assert_true(mangle_charset_known("ISO-2022-JP"));
	assert_int_equal(
	    mangle_charset_out("utf-16", popper_slice_text("x"), &out), -1);
}

static void
width_is_that_of_the_target(void **state)
{
	const struct mangle_text_job j = { .wrap = 20, .to = "us-ascii" };

	(void)state;
	make(&j, "ä ö ü ä ö ü ä ö ü ä ö\n");
	out_is("ae oe ue ae oe ue ae\n"
	       "oe ue ae oe\n");
}

static void
uuencoded_files_are_left_out(void **state)
{
	const struct mangle_text_job j = { .wrap = 0 };

	(void)state;
	make(&j, "a\nbegin 644 x.txt\n#0V%T\n`\nend\nb\n");
	out_is("a\n[x.txt]\n[ uuencoded attachment omitted]\nb\n");
	make(&j, "begin 644 x.txt\nis what he wrote\n");
	out_is("begin 644 x.txt\nis what he wrote\n");
	make(&j, "begin 644 x.txt\n#0V%T\n");
	out_is("begin 644 x.txt\n#0V%T\n");
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_are_not_broken),
		TEST(quotes_go_on),
		TEST(columns_are_counted_as_shown),
		TEST(no_line_is_too_long_for_a_mail),
		TEST(flowed_lines_join),
		TEST(enriched_text_is_read),
		TEST(enriched_text_is_written),
		TEST(labels_are_not_believed_blindly),
		TEST(what_lacks_is_written_otherwise),
		TEST(charsets_without_ascii_are_refused),
		TEST(width_is_that_of_the_target),
		TEST(uuencoded_files_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
