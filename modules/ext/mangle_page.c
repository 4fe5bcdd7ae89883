/*
 * mangle_page.c - HTML that does nothing but show text.
 *
 * Plain text becomes lines of HTML; HTML keeps the elements that are listed
 * here and loses scripts, styles, pictures, forms and whatever else could act,
 * call home or hide.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_page.h"

#include <libxml/HTMLparser.h>

#include "mangle_html.h"

static int
put_escaped(struct popper_slice s, struct mangle_buffer *out)
{
	static const char *const entity[] = { "&amp;", "&lt;", "&gt;",
		"&quot;" };
	static const char signs[] = "&<>\"";
	size_t from = 0;
	const char *p;

	for (size_t i = 0; i < s.len; i++) {
		p = s.ptr[i] == '\0' ? NULL : strchr(signs, s.ptr[i]);
		if (p == NULL)
			continue;
		if (mangle_buffer_add(
			out, popper_slice(s.ptr + from, i - from)) == -1 ||
		    mangle_buffer_add_text(out, entity[p - signs]) == -1)
			return -1;
		from = i + 1;
	}
	return mangle_buffer_add(out, popper_slice(s.ptr + from, s.len - from));
}

/* --- Plain text. --- */

/* Where an address ends that begins ${s}; 0: none does. */
static size_t
address_length(struct popper_slice s)
{
	size_t n = 0;

	if (!(s.len > 8 && memcmp(s.ptr, "https://", 8) == 0) &&
	    !(s.len > 7 && memcmp(s.ptr, "http://", 7) == 0))
		return 0;
	while (n < s.len && (unsigned char)s.ptr[n] > ' ' &&
	    (unsigned char)s.ptr[n] < 0x7f && strchr("<>\"", s.ptr[n]) == NULL)
		n++;
	while (n > 0 && strchr(".,;:!?)]'", s.ptr[n - 1]) != NULL)
		n--;
	return n > 8 ? n : 0;
}

static int
put_address(struct popper_slice url, struct mangle_buffer *out)
{
	if (mangle_buffer_add_text(out, "<a href=\"") == -1 ||
	    put_escaped(url, out) == -1 ||
	    mangle_buffer_add_text(out, "\">") == -1 ||
	    put_escaped(url, out) == -1)
		return -1;
	return mangle_buffer_add_text(out, "</a>");
}

/* Text with its addresses as links. */
static int
put_linked(struct popper_slice s, struct mangle_buffer *out)
{
	size_t from = 0, at = 0, n;

	while (at < s.len) {
		n = s.ptr[at] != 'h'
		    ? 0
		    : address_length(popper_slice(s.ptr + at, s.len - at));
		if (n == 0) {
			at++;
			continue;
		}
		if (put_escaped(popper_slice(s.ptr + from, at - from), out) ==
			-1 ||
		    put_address(popper_slice(s.ptr + at, n), out) == -1)
			return -1;
		from = at += n;
	}
	return put_escaped(popper_slice(s.ptr + from, s.len - from), out);
}

int
mangle_page_plain(struct popper_slice text, struct mangle_buffer *out)
{
	struct popper_slice line;
	size_t n;

	if (mangle_buffer_add_text(out, "<div>\n") == -1)
		return -1;
	while (mangle_next_line(&text, &line)) {
		/* Indentation and columns stay; lines may still wrap. */
		for (n = 0; n < line.len && line.ptr[n] == ' '; n++)
			if (mangle_buffer_add_text(out, "&nbsp;") == -1)
				return -1;
		line = popper_slice(line.ptr + n, line.len - n);
		if (put_linked(line, out) == -1 ||
		    mangle_buffer_add_text(out, "<br>\n") == -1)
			return -1;
	}
	return mangle_buffer_add_text(out, "</div>\n");
}

/* --- HTML. --- */

struct page {
	struct mangle_buffer *out;
	void *parser;
	unsigned depth, hidden, pre;
	bool *hides; /* by depth: this element hid what is in it */
	GStringChunk *strings;
	bool failed;
};

static void
put(struct page *p, const char *text)
{
	if (mangle_buffer_add_text(p->out, text) == -1)
		p->failed = true;
}

/* Elements that stay, and whose lines end after them. */
static const char *const kept[] = { "a", "abbr", "address", "b", "big",
	"blockquote", "br", "caption", "center", "cite", "code", "dd", "del",
	"dfn", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6",
	"hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "samp",
	"small", "strike", "strong", "sub", "sup", "table", "tbody", "td",
	"tfoot", "th", "thead", "tr", "tt", "u", "ul", "var" };

static bool
is_kept(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
		if (strcmp(kept[i], name) == 0)
			return true;
	return false;
}

static bool
is_void(const char *name)
{
	return strcmp(name, "br") == 0 || strcmp(name, "hr") == 0;
}

static void
put_attribute(struct page *p, const char *name, const char *value)
{
	put(p, " ");
	put(p, name);
	put(p, "=\"");
	if (put_escaped(popper_slice_text(value), p->out) == -1)
		p->failed = true;
	put(p, "\"");
}

static bool
is_word(const char *s)
{
	size_t n = strspn(s,
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%");

	return n > 0 && n < 20 && s[n] == '\0';
}

static void
put_attributes(struct page *p, const char *name, const html_attributes *atts)
{
	static const char *const words[] = { "align", "border", "colspan",
		"rowspan", "start", "type", "value" };
	const char *value = html_attribute(atts, "href");

	if (strcmp(name, "a") == 0 && value != NULL &&
	    (value = html_safe_url(p->strings, value)) != NULL)
		put_attribute(p, "href", value);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if ((value = html_attribute(atts, words[i])) != NULL &&
		    is_word(value))
			put_attribute(p, words[i], value);
}

static void
put_alt(struct page *p, const html_attributes *atts)
{
	gchar *alt = html_alt(atts);

	if (alt == NULL)
		return;
	put(p, "[");
	if (put_escaped(popper_slice_text(alt), p->out) == -1)
		p->failed = true;
	put(p, "]");
	g_free(alt);
}

static void
start_element(void *context, const xmlChar *element, const xmlChar **atts)
{
	struct page *p = context;
	const char *name = (const char *)element;

	if (p->failed || p->depth == HTML_DEPTH_MAX) {
		p->failed = true;
		xmlStopParser(p->parser);
		return;
	}
	p->hides[p->depth] = (html_tag(name)->flags & HTML_IS_HIDDEN) ||
	    (html_style(atts) & HTML_HIDDEN);
	p->hidden += p->hides[p->depth++];
	if (p->hidden > 0)
		return;
	p->pre += strcmp(name, "pre") == 0;
	if (strcmp(name, "img") == 0)
		put_alt(p, atts);
	if (!is_kept(name))
		return;
	put(p, "<");
	put(p, name);
	put_attributes(p, name, atts);
	put(p, is_void(name) ? ">\n" : ">");
}

static void
end_element(void *context, const xmlChar *element)
{
	struct page *p = context;
	const char *name = (const char *)element;

	if (p->failed || p->depth == 0)
		return;
	p->pre -= p->hidden == 0 && p->pre > 0 && strcmp(name, "pre") == 0;
	if (p->hidden == 0 && is_kept(name) && !is_void(name)) {
		put(p, "</");
		put(p, name);
		put(p, html_tag(name)->flags & HTML_IS_BLOCK ? ">\n" : ">");
	}
	p->hidden -= p->hides[--p->depth];
}

/* White space between lines. */
static bool
is_idle(const struct page *p, struct popper_slice s)
{
	if (p->out->len > 0 && p->out->ptr[p->out->len - 1] != '\n')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!g_ascii_isspace(s.ptr[i]))
			return false;
	return true;
}

static void
characters(void *context, const xmlChar *ch, int len)
{
	struct page *p = context;
	struct popper_slice s = popper_slice(ch, (size_t)len);
	struct mangle_buffer clean;

	if (p->failed || p->hidden > 0 || (p->pre == 0 && is_idle(p, s)))
		return;
	mangle_buffer_start(&clean, p->out->limit);
	if (mangle_clean(s, &clean) == -1 ||
	    put_escaped(mangle_buffer_view(&clean), p->out) == -1)
		p->failed = true;
	mangle_buffer_free(&clean);
}

int
mangle_page_html(struct popper_slice html, struct mangle_buffer *out)
{
	static const xmlSAXHandler handler = {
		.startElement = start_element,
		.endElement = end_element,
		.characters = characters,
		.ignorableWhitespace = characters,
		.initialized = 1,
	};
	struct page p = { .out = out };
	struct mangle_buffer guarded;
	int result;

	mangle_buffer_start(&guarded, out->limit);
	p.hides = g_new0(bool, HTML_DEPTH_MAX + 1);
	p.strings = g_string_chunk_new(1024);
	put(&p, "<div>\n");
	result = html_guard(html, &guarded);
	if (result == 0)
		result = html_parse(
		    &handler, &p, &p.parser, mangle_buffer_view(&guarded));
	put(&p, "</div>\n");
	g_string_chunk_free(p.strings);
	g_free(p.hides);
	mangle_buffer_free(&guarded);
	return result == -1 || p.failed ? -1 : 0;
}
