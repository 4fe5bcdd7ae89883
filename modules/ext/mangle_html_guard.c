/*
 * mangle_html_guard.c - HTML without what makes parsers slow.
 *
 * libxml2 compares each attribute of a tag with those before it, and each end
 * tag with all open elements; so tags get few attributes, only those that mean
 * something to us, and the number of tags is limited.  All loops here go
 * through the text a fixed number of times.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#define ATTRIBUTES_MAX 24
#define VALUE_MAX 2048

struct guard {
	struct popper_slice s;
	size_t at;
	struct mangle_buffer *out;
	size_t tags;
	bool no_comment_ends, no_tag_ends; /* behind ${at} */
};

static const char *const attributes[] = { "align", "alt", "border", "checked",
	"class", "colspan", "height", "hidden", "href", "role", "rowspan",
	"start", "style", "type", "value", "width" };

static bool
wanted(struct popper_slice name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++)
		if (strlen(attributes[i]) == name.len &&
		    g_ascii_strncasecmp(attributes[i], name.ptr, name.len) == 0)
			return true;
	return false;
}

static size_t
find(const struct guard *g, size_t from, const char *what)
{
	const char *p =
	    memmem(g->s.ptr + from, g->s.len - from, what, strlen(what));

	return p == NULL ? g->s.len : (size_t)(p - g->s.ptr);
}

static bool
at_text(const struct guard *g, size_t at, const char *what)
{
	return g->s.len - at >= strlen(what) &&
	    g_ascii_strncasecmp(g->s.ptr + at, what, strlen(what)) == 0;
}

/* What begins with "<" is not a tag: skip what may not be shown. */
static int
no_tag(struct guard *g)
{
	size_t end = g->s.len;

	if (at_text(g, g->at, "<!--") && !g->no_comment_ends) {
		/* "<!-->" is a whole one */
		end = find(g, g->at + 2, "-->");
		g->no_comment_ends = end == g->s.len;
		if (end < g->s.len) {
			g->at = end + 3;
			return 0;
		}
	}
	if ((at_text(g, g->at, "<!") || at_text(g, g->at, "<?") ||
		at_text(g, g->at, "</")) &&
	    !g->no_tag_ends) {
		end = find(g, g->at, ">");
		g->no_tag_ends = end == g->s.len;
		if (end < g->s.len) {
			g->at = end + 1;
			return 0;
		}
	}
	g->at++;
	return mangle_buffer_add_text(g->out, "&lt;");
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The value that begins at ${at}, where an opening quote may stand; ${next}
 * is behind it. */
static struct popper_slice
value(const struct guard *g, size_t at, size_t *next)
{
	size_t from = at, end;
	const char *close;

	if (at < g->s.len && (g->s.ptr[at] == '"' || g->s.ptr[at] == '\'')) {
		close =
		    memchr(g->s.ptr + at + 1, g->s.ptr[at], g->s.len - at - 1);
		if (close != NULL) {
			end = (size_t)(close - g->s.ptr);
			*next = end + 1;
			return popper_slice(g->s.ptr + at + 1, end - at - 1);
		}
	}
	while (at < g->s.len && !blank(g->s.ptr[at]) && g->s.ptr[at] != '>')
		at++;
	*next = at;
	return popper_slice(g->s.ptr + from, at - from);
}

/* Write an attribute; quotes inside become entities. */
static int
put_attribute(struct guard *g, struct popper_slice name, struct popper_slice v)
{
	const char *quote;

	if (mangle_buffer_add_text(g->out, " ") == -1 ||
	    mangle_buffer_add(g->out, name) == -1 ||
	    mangle_buffer_add_text(g->out, "=\"") == -1)
		return -1;
	while ((quote = memchr(v.ptr, '"', v.len)) != NULL) {
		size_t n = (size_t)(quote - v.ptr);

		if (mangle_buffer_add(g->out, popper_slice(v.ptr, n)) == -1 ||
		    mangle_buffer_add_text(g->out, "&quot;") == -1)
			return -1;
		v = popper_slice(quote + 1, v.len - n - 1);
	}
	if (mangle_buffer_add(g->out, v) == -1)
		return -1;
	return mangle_buffer_add_text(g->out, "\"");
}

/* One attribute, or one octet that is none.  ${at} moves on. */
static int
attribute(struct guard *g, size_t *at, unsigned *count)
{
	struct popper_slice name, v = popper_slice("", 0);
	size_t from = *at, n;

	while (*at < g->s.len && !blank(g->s.ptr[*at]) &&
	    strchr("=>/\"'<", g->s.ptr[*at]) == NULL)
		++*at;
	name = popper_slice(g->s.ptr + from, *at - from);
	if (name.len == 0) {
		++*at;
		return 0;
	}
	n = *at;
	while (n < g->s.len && blank(g->s.ptr[n]))
		n++;
	if (n < g->s.len && g->s.ptr[n] == '=') {
		n++;
		while (n < g->s.len && blank(g->s.ptr[n]))
			n++;
		v = value(g, n, at);
	}
	if (!wanted(name) || *count == ATTRIBUTES_MAX || v.len > VALUE_MAX)
		return 0;
	++*count;
	return put_attribute(g, name, v);
}

/* Where the element's text ends that is no markup. */
static void
skip_raw(struct guard *g, const char *end)
{
	while (g->at < g->s.len) {
		const char *p = memchr(g->s.ptr + g->at, '<', g->s.len - g->at);

		if (p == NULL)
			break;
		g->at = (size_t)(p - g->s.ptr);
		if (at_text(g, g->at, end))
			return;
		g->at++;
	}
	g->at = g->s.len;
}

static bool
name_is(struct popper_slice name, const char *what)
{
	return name.len == strlen(what) &&
	    g_ascii_strncasecmp(name.ptr, what, name.len) == 0;
}

static int
tag(struct guard *g)
{
	bool closing = g->s.ptr[g->at + 1] == '/';
	size_t at = g->at + 1 + closing, from = at, start;
	struct popper_slice name;
	unsigned count = 0;

	while (at < g->s.len &&
	    (g_ascii_isalnum(g->s.ptr[at]) ||
		strchr(":-_", g->s.ptr[at]) != NULL) &&
	    g->s.ptr[at] != '\0')
		at++;
	name = popper_slice(g->s.ptr + from, at - from);
	if (++g->tags > HTML_TAGS_MAX || name.len > 64)
		return -1;
	start = g->out->len;
	if (mangle_buffer_add_text(g->out, closing ? "</" : "<") == -1 ||
	    mangle_buffer_add(g->out, name) == -1)
		return -1;
	/* A "<" begins the next tag; this one was never closed. */
	while (at < g->s.len && g->s.ptr[at] != '>' && g->s.ptr[at] != '<')
		if (attribute(g, &at, &count) == -1)
			return -1;
	g->at = at + (at < g->s.len && g->s.ptr[at] == '>');
	if (!closing && name_is(name, "script"))
		skip_raw(g, "</script");
	if (!closing && name_is(name, "style"))
		skip_raw(g, "</style");
	/* What follows </html> is part of the mail as well. */
	if (name_is(name, "html") || name_is(name, "head") ||
	    name_is(name, "body")) {
		g->out->len = start;
		return 0;
	}
	return mangle_buffer_add_text(g->out, ">");
}

int
html_guard(struct popper_slice html, struct mangle_buffer *out)
{
	struct guard g = { .s = html, .out = out };
	const char *p;
	size_t end, letter;
	int result = mangle_buffer_add_text(out, "<html><body>");

	while (g.at < html.len && result == 0) {
		p = memchr(html.ptr + g.at, '<', html.len - g.at);
		end = p == NULL ? html.len : (size_t)(p - html.ptr);
		result = mangle_buffer_add(
		    out, popper_slice(html.ptr + g.at, end - g.at));
		g.at = end;
		if (p == NULL || result == -1)
			break;
		letter =
		    end + 1 + (end + 1 < html.len && html.ptr[end + 1] == '/');
		if (letter < html.len && g_ascii_isalpha(html.ptr[letter]))
			result = tag(&g);
		else
			result = no_tag(&g);
	}
	return result;
}
