/*
 * ext_mangle_html.c - HTML as the mangle module makes it readable, harmless,
 * and what nobody sends by mistake.
 *
 * Runs in: tests.
 */
#include "bed.h"

#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "mangle_html.h"

static struct mangle_buffer out;

static int
set_up(void **state)
{
	(void)state;
	mangle_buffer_start(&out, (size_t)64 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mangle_buffer_free(&out);
	return 0;
}

static int
mangle(const char *html, size_t len, enum mangle_kind target, unsigned wrap)
{
	const struct mangle_text_job job = { .octets = popper_slice(html, len),
		.kind = MANGLE_HTML,
		.charset = "utf-8",
		.target = target,
		.wrap = wrap };

	out.len = 0;
	return mangle_text(&job, &out);
}

static void
shows(const char *html, const char *text)
{
	assert_int_equal(mangle(html, strlen(html), MANGLE_PLAIN, 40), 0);
	assert_int_equal(mangle_buffer_add(&out, popper_slice("", 1)), 0);
	assert_string_equal(out.ptr, text);
}

static void
keeps(const char *html, const char *text)
{
	assert_int_equal(mangle(html, strlen(html), MANGLE_HTML, 0), 0);
	assert_int_equal(mangle_buffer_add(&out, popper_slice("", 1)), 0);
	assert_string_equal(out.ptr, text);
}

/* --- Text. --- */

static void
white_space_is_one_space(void **state)
{
	(void)state;
	shows(" a \n\t b<b> c</b> d ", "a b c d\n");
	shows("a<!-- x -->b<br/>c<br><br>d<br>", "ab\nc\n\nd\n");
	shows("<pre> a\n  b\n</pre>", " a\n  b\n");
	shows("10&nbsp;km", "10 km\n");
	shows("", "");
	shows("<p>&nbsp;</p><div><br></div>", "");
}

static void
lines_are_filled_by_columns(void **state)
{
	(void)state;
	shows("<p>one two three four five six seven eight nine ten</p>",
	    "one two three four five six seven eight\nnine ten\n");
	shows("<p>aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbb&nbsp;cccccccc</p>",
	    "aaaaaaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbb cccccccc\n");
}

static void
lists_have_marks(void **state)
{
	(void)state;
	shows("<ul><li>a<ul><li>b</ul><li>c</ul>", "* a\n  * b\n* c\n");
	shows("<ol start=9><li>a<li>b</ol>", "9. a\n10. b\n");
	shows("<ol type=i><li value=4>a<li>b</ol>", "iv. a\nv. b\n");
	shows("<ol type=A><li>a</ol>", "A. a\n");
	shows("<li>alone", "* alone\n");
	shows("<ul style='list-style: none'><li>a</ul>", "a\n");
}

static void
quotes_have_signs(void **state)
{
	(void)state;
	shows("x<blockquote>a<blockquote>b</blockquote></blockquote>y",
	    "x\n\n> a\n>\n> > b\n\ny\n");
	shows("He wrote:<blockquote type=cite>a</blockquote>",
	    "He wrote:\n> a\n");
	shows("<blockquote style='border:none'>a</blockquote>", "    a\n");
}

static void
links_are_numbered(void **state)
{
	(void)state;
	shows("<a href='http://a.example/'>x</a> <a "
	      "href='http://b.example/'>y</a> <a href=http://a.example/>z</a>",
	    "x [1] y [2] z [1]\n\n[1] http://a.example/\n"
	    "[2] http://b.example/\n");
	shows("<a href='https://www.example.org/'>example.org</a>",
	    "example.org\n");
	shows("<a href='mailto:a@b.example?subject=x'>a@b.example</a>",
	    "a@b.example\n");
	shows("<a href='mailto:a@b.example'>Anna</a>", "Anna <a@b.example>\n");
	shows("<a href='http://evil.example/'>bank.example</a>",
	    "bank.example [1]\n\n[1] http://evil.example/\n");
	shows(
	    "<a href='java&#10;script:x()'>x</a><a href='#top'>y</a>", "xy\n");
	shows("<a href='http://a.example/'><img src=x></a>", "");
	shows("<a href='http://a.example/&#x202e;&#127;&uuml;'>x</a>",
	    "x [1]\n\n[1] http://a.example/%E2%80%AE%C3%BC\n");
	shows("<a href=' http://a.example/ b '>x</a>",
	    "x [1]\n\n[1] http://a.example/%20b\n");
}

static void
tables_are_grids_or_flow(void **state)
{
	(void)state;
	shows("<table><tr><th>Name<th>Count<tr><td>a<td>1<tr><td>bb<td>22"
	      "</table>",
	    "Name  Count\n----  -----\na         1\nbb       22\n");
	shows("<table><tr><td>only</td></tr></table>", "only\n");
	shows("<table><tr><td rowspan=2>a<td>b<td>c<tr><td>d<td>e</table>",
	    "a  b  c\n   d  e\n");
	shows("<table><tr><td><p>a</p><p>b</p></td></tr><tr><td>c</table>",
	    "a\n\nb\n\nc\n");
	shows("x<table><tr><td>a<td>b</table>y", "x\n\na  b\n\ny\n");
	shows("<tr><td>no table", "no table\n");
}

static void
hidden_things_are_not_shown(void **state)
{
	(void)state;
	shows("a<span style='DISPLAY : NONE'>b</span><i hidden>c</i>"
	      "<style>d</style><script>e</script><title>f</title>g",
	    "ag\n");
	shows("<span style=font-size:0>a<b style=font-size:9px>b</b></span>c",
	    "bc\n");
	shows("<span style='font-size:0.9em'>a</span>", "a\n");
	shows("<div style='opacity:0'>a</div><div style='opacity:0.5'>b</div>",
	    "b\n");
	shows("<img src=x alt=t width=1 height=1><img src=x alt=seen>",
	    "[seen]\n");
	shows("a&#8203;b&#x202e;c&shy;d&zwnj;e", "abcde\n");
}

/* --- HTML that stays HTML. --- */

static void
html_stays_without_what_acts(void **state)
{
	(void)state;
	keeps("<p onclick=x() style=y><b>a</b><script>b</script>",
	    "<div>\n<p><b>a</b></p>\n</div>\n");
	keeps("<a href=javascript:x>a</a>", "<div>\n<a>a</a></div>\n");
	keeps("<a href='http://e.example/?a=1&b=\"'>a</a>",
	    "<div>\n<a href=\"http://e.example/?a=1&amp;b=\">a</a></div>\n");
	keeps("<img src=http://e.example/ alt='A&lt;B'>",
	    "<div>\n[A&lt;B]</div>\n");
	keeps("<iframe src=x>a</iframe><form action=x>b<input></form>",
	    "<div>\nb</div>\n");
	keeps("1 &lt; 2 &amp;amp;", "<div>\n1 &lt; 2 &amp;amp;</div>\n");
}

static void
plain_text_becomes_html(void **state)
{
	const struct mangle_text_job job = { .octets = popper_slice_text(
						 "  a<b>&\nsee "
						 "https://e.example/x?a=\"b. "
						 "End"),
		.kind = MANGLE_PLAIN,
		.charset = "utf-8",
		.target = MANGLE_HTML };

	(void)state;
	assert_int_equal(mangle_text(&job, &out), 0);
	assert_int_equal(mangle_buffer_add(&out, popper_slice("", 1)), 0);
	assert_string_equal(out.ptr,
	    "<div>\n&nbsp;&nbsp;a&lt;b&gt;&amp;<br>\nsee <a "
	    "href=\"https://e.example/x?a=\">https://e.example/x?a=</a>"
	    "&quot;b. End<br>\n</div>\n");
}

/* --- Hostile input.  Each would take minutes, or all memory, if something
 * were done for each element with each other. --- */

struct bomb {
	const char *head, *piece, *tail;
	size_t octets; /* so many of the piece */
	bool refused;
};

static const struct bomb bombs[] = {
	{ "", "<div>", "x", 10u << 20, true },
	{ "<p ", "class=a ", ">x", 10u << 20, false },
	{ "<p ", "a b=c d='e' ", ">x", 1u << 20, false },
	{ "", "<!-- ", "x", 1u << 20, false },
	{ "", "&amp;&#65;&bogus;&", "", 1u << 20, false },
	{ "", "<a href=\"", "", 1u << 20, false },
	{ "<a b='", "<a b=\"", "", 1u << 20, false },
	{ "<b><i><b><i><b><i><b><i>", "</u>", "x", 900000, false },
	{ "", "</", "", 1u << 20, false },
	{ "", "<", "", 1u << 20, false },
	{ "", "<table><tr><td>", "x", 7000, true },
	{ "", "<ul><li>", "x", 1800, false },
	{ "", "<blockquote>", "x", 5000, false },
	{ "<table>", "<tr><td rowspan=100 colspan=100>x", "", 1u << 20, false },
	{ "<style>", "<style>", "", 1u << 20, false },
	{ "<pre>", "\n", "</pre>", 1u << 20, false },
	{ "", "x", "", 1u << 20, false },
	{ "", "\xcc\x81", "", 1u << 20, false },
	{ "", "<a href=http://e.example/>x</a>", "", 1u << 20, false },
};

static char *
make_bomb(const struct bomb *b, size_t *len)
{
	GString *s = g_string_new(b->head);
	size_t n = strlen(b->piece);

	while (s->len < b->octets)
		g_string_append_len(s, b->piece, (gssize)n);
	g_string_append(s, b->tail);
	*len = s->len;
	return g_string_free(s, FALSE);
}

static void
bombs_are_defused(void **state)
{
	size_t len;
	char *html;

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bombs); i++) {
		html = make_bomb(&bombs[i], &len);
		assert_int_equal(mangle(html, len, MANGLE_PLAIN, 0),
		    bombs[i].refused ? -1 : 0);
		(void)mangle(html, len, MANGLE_HTML, 0);
		g_free(html);
	}
}

static void
a_full_buffer_is_an_error(void **state)
{
	const char *html = "<p>more than sixteen octets of text</p>";

	(void)state;
	out.limit = 16;
	assert_int_equal(mangle(html, strlen(html), MANGLE_PLAIN, 0), -1);
	out.full = false;
	assert_int_equal(mangle(html, strlen(html), MANGLE_HTML, 0), -1);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(white_space_is_one_space),
		TEST(lines_are_filled_by_columns),
		TEST(lists_have_marks),
		TEST(quotes_have_signs),
		TEST(links_are_numbered),
		TEST(tables_are_grids_or_flow),
		TEST(hidden_things_are_not_shown),
		TEST(html_stays_without_what_acts),
		TEST(plain_text_becomes_html),
		TEST(bombs_are_defused),
		TEST(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
