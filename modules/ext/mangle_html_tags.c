/*
 * mangle_html_tags.c - what each element means for text.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#include <stdlib.h>

#define RULE 40 /* columns */

/* --- Lines. --- */

static void
line_break(struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)e;
	(void)atts;
	html_break(h);
}

static void
rule(struct html *h)
{
	html_end_block(h);
	html_gap(h);
	for (size_t i = 0; i < RULE && i < h->columns; i++)
		html_raw(h, "-");
	html_end_block(h);
	html_gap(h);
}

static void
rule_start(struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)e;
	(void)atts;
	rule(h);
}

/* Outlook sets a line above the mail that it answers. */
static void
div_start(struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)e;
	if (html_style(atts) & HTML_RULE)
		rule(h);
}

static void
heading_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)atts;
	h->rule = e->tag->name[1] == '1' ? '=' : '-';
}

static void
heading_end(struct html *h, struct html_element *e)
{
	(void)e;
	h->rule = '\0';
}

static void
raised_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)e;
	(void)atts;
	h->raised = true;
}

static void
quotation_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)e;
	(void)atts;
	html_raw(h, "\"");
}

static void
quotation_end(struct html *h, struct html_element *e)
{
	(void)e;
	h->space = false;
	html_raw(h, "\"");
}

static void
input_start(struct html *h, struct html_element *e, const html_attributes *atts)
{
	const char *type = html_attribute(atts, "type");

	(void)e;
	if (type == NULL)
		return;
	if (g_ascii_strcasecmp(type, "checkbox") == 0 ||
	    g_ascii_strcasecmp(type, "radio") == 0)
		html_raw(h,
		    html_attribute(atts, "checked") == NULL ? "[ ] " : "[x] ");
}

/* --- Quotes and indentation. --- */

static void
push(
    struct html *h, struct html_element *e, const char *first, const char *rest)
{
	html_prefix_push(h, first, rest);
	e->prefix = true;
}

static void
quote_start(struct html *h, struct html_element *e, const html_attributes *atts)
{
	const char *type = html_attribute(atts, "type");
	const char *class = html_attribute(atts, "class");
	bool cite = type != NULL && g_ascii_strcasecmp(type, "cite") == 0;

	if (!cite && (html_style(atts) & HTML_INDENT)) {
		push(h, e, "    ", "    ");
		return;
	}
	/* "... wrote:" stands close to what was written. */
	if (cite || (class != NULL && strstr(class, "quote") != NULL))
		h->close_up = !h->flow->gap;
	else
		html_gap(h);
	push(h, e, "> ", "> ");
	e->mark = '>';
}

static void
quote_end(struct html *h, struct html_element *e)
{
	html_end_block(h);
	h->close_up = false;
	if (e->mark == '>')
		html_gap(h);
}

static void
indent_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)atts;
	push(h, e, "    ", "    ");
}

/* --- Lists. --- */

static void
list_start(struct html *h, struct html_element *e, const html_attributes *atts)
{
	const char *type = html_attribute(atts, "type");
	const char *from = html_attribute(atts, "start");
	bool in_list = h->list > 0;
	bool in_item = in_list && h->depth > h->list;

	e->outer_list = h->list;
	h->list = h->depth; /* this element, counted from 1 */
	e->mark = e->tag->name[0] == 'o' ? '1' : '*';
	if (e->mark == '1' && type != NULL && type[0] != '\0' &&
	    type[1] == '\0' && strchr("1aAiI", type[0]) != NULL)
		e->mark = type[0];
	if (html_style(atts) & HTML_NO_MARK)
		e->mark = '\0';
	e->number = from == NULL ? 1 : strtol(from, NULL, 10);
	if (!in_list || h->prefix_base > 0)
		html_gap(h);
	else if (in_item && h->depth == e->outer_list + 1)
		push(h, e, "  ", "  "); /* a list right in a list */
}

static void
list_end(struct html *h, struct html_element *e)
{
	html_end_block(h);
	h->list = e->outer_list;
	if (h->list == 0)
		html_gap(h);
}

static void
roman(long n, bool small, char *to, size_t size)
{
	static const struct {
		long value;
		const char *sign;
	} signs[] = { { 100, "c" }, { 90, "xc" }, { 50, "l" }, { 40, "xl" },
		{ 10, "x" }, { 9, "ix" }, { 5, "v" }, { 4, "iv" }, { 1, "i" } };
	GString *s = g_string_new("");

	for (size_t i = 0; i < G_N_ELEMENTS(signs); i++)
		for (; n >= signs[i].value; n -= signs[i].value)
			g_string_append(s, signs[i].sign);
	if (!small)
		g_string_ascii_up(s);
	g_snprintf(to, (gulong)size, "%s. ", s->str);
	g_string_free(s, TRUE);
}

/* The mark of item ${n}. */
static void
item_mark(char kind, long n, char *to, size_t size)
{
	if (kind == '*')
		g_snprintf(to, (gulong)size, "* ");
	else if ((kind == 'a' || kind == 'A') && n >= 1 && n <= 26)
		g_snprintf(to, (gulong)size, "%c. ", kind + (int)n - 1);
	else if ((kind == 'i' || kind == 'I') && n >= 1 && n < 400)
		roman(n, kind == 'i', to, size);
	else
		g_snprintf(to, (gulong)size, "%ld. ", n);
}

static void
item_start(struct html *h, struct html_element *e, const html_attributes *atts)
{
	const char *number = html_attribute(atts, "value");
	struct html_element *list =
	    h->list == 0 ? NULL : &h->stack[h->list - 1];
	char mark[40], blanks[40];

	if (list != NULL && number != NULL)
		list->number = strtol(number, NULL, 10);
	if ((list != NULL && list->mark == '\0') ||
	    (html_style(atts) & HTML_NO_MARK))
		return;
	item_mark(list == NULL ? '*' : list->mark,
	    list == NULL ? 0 : list->number, mark, sizeof(mark));
	if (list != NULL && list->number < 1000000000)
		list->number++;
	memset(blanks, ' ', sizeof(blanks));
	blanks[strlen(mark)] = '\0';
	push(h, e, mark, blanks);
}

/* --- The table; sorted by name. --- */

#define BLOCK HTML_IS_BLOCK
#define APART (HTML_IS_BLOCK | HTML_IS_APART)
#define HIDDEN HTML_IS_HIDDEN

static const struct html_tag tags[] = {
	{ "a", 0, html_link_start, html_link_end },
	{ "address", BLOCK, NULL, NULL },
	{ "applet", HIDDEN, NULL, NULL },
	{ "area", HIDDEN, NULL, NULL },
	{ "article", APART, NULL, NULL },
	{ "aside", APART, NULL, NULL },
	{ "audio", HIDDEN, NULL, NULL },
	{ "blockquote", BLOCK, quote_start, quote_end },
	{ "body", BLOCK, NULL, NULL },
	{ "br", 0, line_break, NULL },
	{ "caption", APART, NULL, NULL },
	{ "center", BLOCK, NULL, NULL },
	{ "dd", BLOCK, indent_start, NULL },
	{ "dir", BLOCK, list_start, list_end },
	{ "div", BLOCK, div_start, NULL },
	{ "dl", APART, NULL, NULL },
	{ "dt", BLOCK, NULL, NULL },
	{ "embed", HIDDEN, NULL, NULL },
	{ "fieldset", APART, NULL, NULL },
	{ "figcaption", BLOCK, NULL, NULL },
	{ "figure", APART, NULL, NULL },
	{ "footer", APART, NULL, NULL },
	{ "form", BLOCK, NULL, NULL },
	{ "frameset", HIDDEN, NULL, NULL },
	{ "h1", APART, heading_start, heading_end },
	{ "h2", APART, heading_start, heading_end },
	{ "h3", APART, NULL, NULL },
	{ "h4", APART, NULL, NULL },
	{ "h5", APART, NULL, NULL },
	{ "h6", APART, NULL, NULL },
	{ "head", BLOCK, NULL, NULL },
	{ "header", APART, NULL, NULL },
	{ "hr", 0, rule_start, NULL },
	{ "html", BLOCK, NULL, NULL },
	{ "iframe", HIDDEN, NULL, NULL },
	{ "img", 0, html_image, NULL },
	{ "input", 0, input_start, NULL },
	{ "li", BLOCK, item_start, NULL },
	{ "main", BLOCK, NULL, NULL },
	{ "math", HIDDEN, NULL, NULL },
	{ "menu", BLOCK, list_start, list_end },
	{ "meta", HIDDEN, NULL, NULL },
	{ "nav", BLOCK, NULL, NULL },
	{ "noframes", HIDDEN, NULL, NULL },
	{ "noscript", BLOCK, NULL, NULL },
	{ "object", HIDDEN, NULL, NULL },
	{ "ol", BLOCK, list_start, list_end },
	{ "p", APART, NULL, NULL },
	{ "pre", APART | HTML_IS_PRE, NULL, NULL },
	{ "q", 0, quotation_start, quotation_end },
	{ "script", HIDDEN, NULL, NULL },
	{ "section", APART, NULL, NULL },
	{ "select", HIDDEN, NULL, NULL },
	{ "style", HIDDEN, NULL, NULL },
	{ "sup", 0, raised_start, NULL },
	{ "svg", HIDDEN, NULL, NULL },
	{ "table", BLOCK, html_table_start, html_table_end },
	{ "td", BLOCK, html_cell_start, html_cell_end },
	{ "template", HIDDEN, NULL, NULL },
	{ "textarea", BLOCK, NULL, NULL },
	{ "th", BLOCK, html_cell_start, html_cell_end },
	{ "title", HIDDEN, NULL, NULL },
	{ "tr", BLOCK, html_row_start, html_row_end },
	{ "ul", BLOCK, list_start, list_end },
	{ "video", HIDDEN, NULL, NULL },
	{ "xmp", APART | HTML_IS_PRE, NULL, NULL },
};

static int
compare(const void *key, const void *tag)
{
	return strcmp(key, ((const struct html_tag *)tag)->name);
}

const struct html_tag *
html_tag(const char *name)
{
	static const struct html_tag any = { "", 0, NULL, NULL };
	const struct html_tag *tag =
	    bsearch(name, tags, G_N_ELEMENTS(tags), sizeof(tags[0]), compare);

	return tag == NULL ? &any : tag;
}
