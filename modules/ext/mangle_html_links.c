/*
 * mangle_html_links.c - links and pictures.
 *
 * A link is its text and a number in brackets; the addresses stand below,
 * each once.  Where the text is the address, it is enough.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#include <stdlib.h>

#define ALT_MAX 200

static const char *const schemes[] = { "http://", "https://", "ftp://",
	"mailto:", "tel:" };

const char *
html_safe_url(GStringChunk *strings, const char *url)
{
	GString *s = g_string_new("");
	const char *kept = NULL;

	while (g_ascii_isspace(*url))
		url++;
	if (g_str_has_prefix(url, "//"))
		g_string_append(s, "https:");
	/* What is beyond ASCII could look like something else. */
	for (; *url != '\0' && s->len < MANGLE_LINE_OCTETS; url++)
		if (*url == ' ' || (unsigned char)*url >= 0x80)
			g_string_append_printf(
			    s, "%%%02X", (unsigned)(unsigned char)*url);
		else if (*url > ' ' && *url != 0x7f &&
		    strchr("<>\"", *url) == NULL)
			g_string_append_c(s, *url);
	while (s->len >= 3 && strcmp(s->str + s->len - 3, "%20") == 0)
		g_string_truncate(s, s->len - 3);
	for (size_t i = 0; i < G_N_ELEMENTS(schemes) && kept == NULL; i++)
		if (g_ascii_strncasecmp(
			s->str, schemes[i], strlen(schemes[i])) == 0 &&
		    s->len > strlen(schemes[i]) &&
		    s->len < MANGLE_LINE_OCTETS - 10)
			kept = g_string_chunk_insert_const(strings, s->str);
	g_string_free(s, TRUE);
	return kept;
}

/* --- Is the text the address? --- */

/* Skip what people leave out. */
static const char *
short_url(const char *url)
{
	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		if (g_ascii_strncasecmp(url, schemes[i], strlen(schemes[i])) ==
		    0) {
			url += strlen(schemes[i]);
			break;
		}
	return g_ascii_strncasecmp(url, "www.", 4) == 0 ? url + 4 : url;
}

/* The next octet that counts: spaces in numbers and breaks do not. */
static char
next_octet(const char **p, bool number)
{
	while (**p != '\0' &&
	    (g_ascii_isspace(**p) || (number && strchr("-/().", **p) != NULL) ||
		(**p == '/' && (*p)[1] == '\0')))
		++*p;
	if (strncmp(*p, "\302\240", 2) == 0) {
		*p += 2;
		return next_octet(p, number);
	}
	return **p == '\0' ? '\0' : g_ascii_tolower(*(*p)++);
}

static bool
says(struct popper_slice text, const char *url)
{
	bool number = g_ascii_strncasecmp(url, "tel:", 4) == 0;
	gchar *copy = g_strstrip(g_strndup(text.ptr, text.len));
	const char *a = short_url(copy), *b = short_url(url);
	char c, d;

	do {
		c = next_octet(&a, number);
		d = next_octet(&b, number);
	} while (c == d && c != '\0');
	/* mailto:somebody?subject=... */
	if (d == '?' && c == '\0' &&
	    g_ascii_strncasecmp(url, "mailto:", 7) == 0)
		d = '\0';
	g_free(copy);
	return c == d;
}

/* --- Links. --- */

void
html_link_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	const char *href = html_attribute(atts, "href");

	e->href = href == NULL ? NULL : html_safe_url(h->strings, href);
	e->shown = h->shown;
	e->blocks = h->blocks;
	e->line_at = h->line.len;
}

static size_t
number_of(struct html *h, const char *url)
{
	size_t n = GPOINTER_TO_SIZE(g_hash_table_lookup(h->link_numbers, url));

	if (n > 0)
		return n;
	g_ptr_array_add(h->links, (gpointer)(uintptr_t)url);
	n = h->links->len;
	g_hash_table_insert(
	    h->link_numbers, (gpointer)(uintptr_t)url, GSIZE_TO_POINTER(n));
	return n;
}

/* A number stays in the line of its text. */
static gchar *
mark(struct html *h, const char *url)
{
	const char *query;

	if (g_ascii_strncasecmp(url, "http", 4) == 0 ||
	    g_ascii_strncasecmp(url, "ftp", 3) == 0)
		return g_strdup_printf("\302\240[%zu]", number_of(h, url));
	url = strchr(url, ':') + 1;
	query = strchr(url, '?');
	return g_strdup_printf(" <%.*s>",
	    (int)(query == NULL ? strlen(url) : (size_t)(query - url)), url);
}

/* The block is written already: a link around a table, a paragraph ... */
static void
append_to_block(struct html_block *b, const char *text)
{
	gchar *joined = g_strdup_printf("%.*s%s", (int)b->len, b->text, text);

	g_free(b->text);
	b->text = joined;
	b->len = strlen(joined);
}

void
html_link_end(struct html *h, struct html_element *e)
{
	struct popper_slice text = popper_slice("", 0);
	bool here = e->blocks == h->blocks && e->line_at <= h->line.len;
	gchar *m;

	if (e->href == NULL || h->shown == e->shown)
		return;
	if (here && h->line.len > 0)
		text = popper_slice(
		    h->line.ptr + e->line_at, h->line.len - e->line_at);
	else if (h->line.len == 0 && h->blocks == e->blocks + 1 &&
	    h->flow->tail != NULL)
		text = popper_slice(h->flow->tail->text, h->flow->tail->len);
	if (says(text, e->href))
		return;
	m = mark(h, e->href);
	if (here || h->line.len > 0) {
		while (h->line.len > e->line_at && here &&
		    h->line.ptr[h->line.len - 1] == '\n')
			h->line.len--;
		if (mangle_buffer_add_text(&h->line, m) == -1)
			h->failed = true;
	} else if (h->flow->tail != NULL) {
		append_to_block(h->flow->tail, m);
	}
	g_free(m);
}

int
html_links_write(struct html *h)
{
	char number[32];

	for (guint i = 0; i < h->links->len; i++) {
		g_snprintf(number, sizeof(number), "%s[%u] ",
		    i == 0 && h->page.head != NULL ? "\n" : "", i + 1);
		if (mangle_buffer_add_text(h->out, number) == -1 ||
		    mangle_buffer_add_text(h->out, h->links->pdata[i]) == -1 ||
		    mangle_buffer_add_text(h->out, "\n") == -1)
			return -1;
	}
	return 0;
}

/* --- Pictures. --- */

static bool
small(const html_attributes *atts, const char *name)
{
	const char *size = html_attribute(atts, name);
	char *end;

	if (size == NULL || !g_ascii_isdigit(size[0]))
		return false;
	return g_ascii_strtod(size, &end) <= 3 && *end != '%';
}

gchar *
html_alt(const html_attributes *atts)
{
	const char *alt = html_attribute(atts, "alt");
	gchar *text;

	/* Pictures of one dot are there to be counted, not to be seen. */
	if (alt == NULL || small(atts, "width") || small(atts, "height"))
		return NULL;
	text = g_strstrip(g_strndup(alt, ALT_MAX));
	g_strdelimit(text, "\r\n\t", ' ');
	if (!g_utf8_validate(text, -1, NULL)) /* cut at ALT_MAX */
		text[g_utf8_find_prev_char(text, text + strlen(text)) - text] =
		    '\0';
	if (text[0] != '\0')
		return text;
	g_free(text);
	return NULL;
}

void
html_image(struct html *h, struct html_element *e, const html_attributes *atts)
{
	gchar *alt = html_alt(atts);
	bool sign; /* a pictograph, which some programs draw themselves */

	(void)e;
	if (alt == NULL)
		return;
	sign = (unsigned char)alt[0] >= 0x80 && g_utf8_strlen(alt, -1) <= 3;
	if (!sign)
		html_raw(h, "[");
	html_raw(h, alt);
	if (!sign)
		html_raw(h, "]");
	g_free(alt);
}
