/*
 * mangle_html_table.c - tables: some are data, most are layout.
 *
 * Each cell keeps its blocks until the table ends.  If they make a grid that
 * fits (mangle_html_grid.c), that is one block; else a layout was meant, and
 * the cells follow one another, short ones of a row in one line.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#include <stdlib.h>

#define SPAN_MAX 100

void
html_table_free(struct html_table *t)
{
	struct html_cell *c, *next;

	for (c = t->head; c != NULL; c = next) {
		next = c->next;
		html_flow_free(&c->flow);
		g_free(c);
	}
	g_free(t);
}

void
html_table_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	struct html_table *t = g_new0(struct html_table, 1);

	(void)e;
	(void)atts;
	t->outer = h->table;
	t->outer_flow = h->flow;
	t->outer_prefix = h->prefix_base;
	t->outer_list = h->list;
	h->table = t;
}

void
html_row_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	(void)e;
	(void)atts;
	if (h->table != NULL && h->table->cell == NULL)
		h->table->rows++;
}

void
html_row_end(struct html *h, struct html_element *e)
{
	(void)h;
	(void)e;
}

static unsigned
span(const html_attributes *atts, const char *name)
{
	const char *s = html_attribute(atts, name);
	long n = s == NULL ? 1 : strtol(s, NULL, 10);

	return n < 1 ? 1 : n > SPAN_MAX ? SPAN_MAX : (unsigned)n;
}

void
html_cell_start(
    struct html *h, struct html_element *e, const html_attributes *atts)
{
	struct html_table *t = h->table;
	struct html_cell *c;

	if (t == NULL || t->cell != NULL)
		return;
	c = g_new0(struct html_cell, 1);
	c->span = span(atts, "colspan");
	c->rows = span(atts, "rowspan");
	c->header = e->tag->name[1] == 'h';
	if (t->rows == 0)
		t->rows = 1;
	c->row = t->rows - 1;
	if (t->tail == NULL)
		t->head = c;
	else
		t->tail->next = c;
	t->tail = t->cell = c;
	h->flow = &c->flow;
	h->prefix_base = h->prefixes;
	h->list = 0;
}

void
html_cell_end(struct html *h, struct html_element *e)
{
	struct html_table *t = h->table;

	(void)e;
	if (t == NULL || t->cell == NULL)
		return;
	t->cell = NULL;
	h->flow = t->outer_flow;
	h->prefix_base = t->outer_prefix;
	h->list = t->outer_list;
}

/* --- The end of it. --- */

/* The cells of one row in one line, if they are that short; the first of them
 * is ${c}. */
static char *
row_line(const struct html_cell *c, size_t columns)
{
	GString *s = g_string_new("");
	size_t row = c->row, lines, cells = 0;

	for (; c != NULL && c->row == row; c = c->next) {
		if (c->flow.head == NULL)
			continue;
		(void)html_cell_columns(c, &lines);
		if (lines != 1)
			break;
		if (s->len > 0)
			g_string_append(s, "  ");
		g_string_append_len(
		    s, c->flow.head->text, (gssize)c->flow.head->len);
		cells++;
	}
	if ((c == NULL || c->row != row) && cells > 1 &&
	    mangle_columns(popper_slice(s->str, s->len)) <= columns)
		return g_string_free(s, FALSE);
	g_string_free(s, TRUE);
	return NULL;
}

static struct html_cell *
next_row(struct html_cell *c)
{
	size_t row = c->row;

	while (c != NULL && c->row == row)
		c = c->next;
	return c;
}

static bool
is_long_cell(const struct html *h, const struct html_cell *c)
{
	const struct html_block *b = c->flow.head;

	return c->flow.count > 1 ||
	    (b != NULL &&
		(b->len > h->columns || memchr(b->text, '\n', b->len) != NULL));
}

static void
flow_row(struct html *h, struct html_cell *c, bool *long_before)
{
	size_t row = c->row;

	for (; c != NULL && c->row == row; c = c->next) {
		bool is_long = is_long_cell(h, c);

		if (c->flow.head == NULL)
			continue;
		/* Cells with paragraphs stand apart. */
		if (is_long || *long_before)
			html_gap(h);
		html_flow_splice(h, h->flow, &c->flow);
		*long_before = is_long;
	}
}

/* --- Too wide for a grid: "Header: value", row by row. --- */

static bool
has_headers(const struct html_table *t)
{
	const struct html_cell *c;
	size_t lines, columns = 0;

	for (c = t->head; c != NULL && c->row == t->head->row; c = c->next) {
		(void)html_cell_columns(c, &lines);
		if (!c->header || c->span > 1 || c->rows > 1 || lines != 1)
			return false;
		columns++;
	}
	return columns > 1 && c != NULL;
}

static void
put_header(const struct html_cell *header, const struct html_cell *c)
{
	const struct html_block *name = header->flow.head;
	struct html_block *b = c->flow.head;
	gchar *joined;

	if (b == NULL)
		return;
	joined = g_strdup_printf(
	    "%.*s: %.*s", (int)name->len, name->text, (int)b->len, b->text);
	g_free(b->text);
	b->text = joined;
	b->len = strlen(joined);
}

static void
flow_records(struct html *h, struct html_table *t)
{
	struct html_cell *c = t->head, *header = NULL;
	size_t row;

	while (c != NULL && c->row == t->head->row)
		c = c->next;
	while (c != NULL) {
		html_gap(h);
		header = t->head;
		for (row = c->row; c != NULL && c->row == row; c = c->next) {
			if (header != NULL && header->row == t->head->row) {
				put_header(header, c);
				header = header->next;
			}
			html_flow_splice(h, h->flow, &c->flow);
		}
	}
}

static void
flow_table(struct html *h, struct html_table *t)
{
	struct html_cell *c;
	bool long_before = false;
	char *line;

	for (c = t->head; c != NULL; c = next_row(c)) {
		line = row_line(c, h->columns);
		if (line == NULL) {
			flow_row(h, c, &long_before);
			continue;
		}
		if (long_before)
			html_gap(h);
		(void)html_flow_add(h, h->flow, line, strlen(line));
		long_before = false;
	}
}

void
html_table_end(struct html *h, struct html_element *e)
{
	struct html_table *t = h->table;
	struct html_block *b;
	char *grid;
	size_t taken = 0;

	if (t == NULL)
		return;
	if (t->cell != NULL)
		html_cell_end(h, e);
	h->table = t->outer;
	for (size_t i = h->prefix_base;
	     i < h->prefixes && i < HTML_PREFIXES_MAX; i++)
		taken += strlen(h->prefix[i].rest);
	grid = html_grid(t, h->columns > taken ? h->columns - taken : 0);
	html_gap(h);
	if (grid != NULL) {
		b = html_flow_add(h, h->flow, grid, strlen(grid));
		b->pre = true;
	} else if (has_headers(t)) {
		flow_records(h, t);
	} else {
		flow_table(h, t);
	}
	html_gap(h);
	html_table_free(t);
}
