/*
 * mangle_html_grid.c - a table of short cells, in aligned columns.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#include <stdlib.h>

#define COLUMNS_MAX 16
#define CELL_LINES_MAX 8
#define SPACE 2 /* between columns */
#define NARROW 16 /* a column that is filled is not narrower */

struct column {
	size_t width;
	size_t numbers, others; /* cells that are a number, or not */
	bool named; /* the cell in the first row is no number */
};

struct grid {
	const struct html_table *table;
	struct column column[COLUMNS_MAX];
	size_t columns, used; /* used: not empty */
	size_t rows; /* not empty */
	size_t lines; /* of the shortest cell that is not empty */
	bool filled; /* cells of the widest column are filled */
};

size_t
html_cell_columns(const struct html_cell *c, size_t *lines)
{
	const struct html_block *b;
	struct popper_slice text, line;
	size_t width = 0, n;

	*lines = 0;
	for (b = c->flow.head; b != NULL; b = b->next) {
		if (b->pre || b->rule != '\0' || b->rest[0] != '\0' ||
		    c->flow.count > CELL_LINES_MAX)
			break;
		*lines += b->gap && b != c->flow.head;
		text = popper_slice(b->text, b->len);
		while (mangle_next_line(&text, &line)) {
			n = mangle_columns(line);
			width = n > width ? n : width;
			++*lines;
		}
	}
	if (b != NULL || *lines > CELL_LINES_MAX)
		*lines = 0;
	return width;
}

/* "1,234.50", "-3 %", "EUR 12.00", "$5" ... */
static bool
is_number(const struct html_cell *c)
{
	const struct html_block *b = c->flow.head;
	size_t digits = 0, letters = 0, at = 0;
	uint32_t u;

	while (at < b->len) {
		u = mangle_character(popper_slice(b->text, b->len), &at);
		if (u < 0x80 && g_ascii_isdigit((char)u))
			digits++;
		else if (g_unichar_isalpha(u))
			letters++;
		else if (u == ':' || u == '[' || u == '@' || u == '/')
			return false;
	}
	return digits > 0 && (letters == 0 || (letters == 3 && digits > 1));
}

/* --- Which cell is in which column. --- */

struct walk {
	const struct html_cell *cell;
	size_t row, column;
	unsigned taken[COLUMNS_MAX]; /* rows that a cell above goes on */
};

static struct walk
walk_start(const struct html_table *t)
{
	return (struct walk){ .cell = t->head };
}

/* The next cell, with its column; NULL: no more, or too many columns (the
 * column is COLUMNS_MAX then). */
static const struct html_cell *
walk_next(struct walk *w, size_t *column)
{
	const struct html_cell *c = w->cell;

	if (c == NULL)
		return NULL;
	for (; w->row < c->row; w->row++) {
		w->column = 0;
		for (size_t i = 0; i < COLUMNS_MAX; i++)
			w->taken[i] -= w->taken[i] > 0;
	}
	while (w->column < COLUMNS_MAX && w->taken[w->column] > 0)
		w->column++;
	*column = w->column;
	if (w->column + c->span > COLUMNS_MAX) {
		*column = COLUMNS_MAX;
		return NULL;
	}
	for (unsigned i = 0; i < c->span; i++)
		w->taken[w->column++] = c->rows;
	w->cell = c->next;
	return c;
}

/* --- Does it fit? --- */

static size_t
between(const struct grid *g, size_t from, size_t count)
{
	size_t sum = 0;

	for (size_t i = from; i < from + count && i < g->columns; i++)
		if (g->column[i].width > 0)
			sum += g->column[i].width + SPACE;
	return sum < SPACE ? 0 : sum - SPACE;
}

static bool
measure_cells(struct grid *g)
{
	struct walk w = walk_start(g->table);
	const struct html_cell *c;
	size_t at = 0, width, lines, row = (size_t)-1;

	while ((c = walk_next(&w, &at)) != NULL) {
		if (at + c->span > g->columns)
			g->columns = at + c->span;
		if (c->flow.head == NULL)
			continue;
		width = html_cell_columns(c, &lines);
		if (lines == 0)
			return false;
		if (g->lines == 0 || lines < g->lines)
			g->lines = lines;
		g->rows += c->row != row;
		row = c->row;
		if (c->span > 1)
			continue;
		if (width > g->column[at].width)
			g->column[at].width = width;
		if (is_number(c))
			g->column[at].numbers++;
		else if (g->rows == 1)
			g->column[at].named = true;
		else
			g->column[at].others++;
	}
	return at < COLUMNS_MAX;
}

/* A cell over several columns may need more than they do. */
static void
measure_spans(struct grid *g)
{
	struct walk w = walk_start(g->table);
	const struct html_cell *c;
	size_t at, width, lines, have;

	while ((c = walk_next(&w, &at)) != NULL) {
		if (c->span == 1 || c->flow.head == NULL)
			continue;
		width = html_cell_columns(c, &lines);
		have = between(g, at, c->span);
		if (width > have)
			g->column[at].width += width - have;
	}
	for (size_t i = 0; i < g->columns; i++)
		g->used += g->column[i].width > 0;
}

static bool
to_the_right(const struct column *c)
{
	return c->numbers > 0 && c->others == 0;
}

/* Is the first row one of headers, though not said to be? */
static bool
has_names(const struct grid *g)
{
	bool numbers = false;

	for (size_t i = 0; i < g->columns; i++) {
		if (g->column[i].width > 0 && !g->column[i].named)
			return false;
		numbers = numbers || to_the_right(&g->column[i]);
	}
	return numbers && g->rows > 2;
}

/* Has it a row of headers, or is it as regular as data? */
static bool
is_data(const struct grid *g)
{
	const struct html_cell *c = g->table->head;

	while (c != NULL && c->flow.head == NULL)
		c = c->next;
	return c != NULL &&
	    (c->header || has_names(g) || (g->rows >= 3 && g->used >= 3));
}

static bool
narrow(struct grid *g, size_t columns)
{
	size_t widest = 0, all = between(g, 0, g->columns);

	if (all <= columns)
		return true;
	if (!is_data(g))
		return false;
	for (size_t i = 1; i < g->columns; i++)
		if (g->column[i].width > g->column[widest].width)
			widest = i;
	if (g->column[widest].width < all - columns + NARROW)
		return false;
	g->column[widest].width -= all - columns;
	g->filled = true;
	return true;
}

/* --- Writing it. --- */

/* The lines of ${c} in a column of ${width}; NULL: no memory. */
static char **
cell_lines(const struct grid *g, const struct html_cell *c, size_t width)
{
	struct mangle_buffer b;
	struct mangle_fill f = { .columns = g->filled ? width : 0 };
	const struct html_block *block;
	struct popper_slice text, line;
	char *joined, **lines;

	mangle_buffer_start(&b, (size_t)1 << 20);
	for (block = c->flow.head; block != NULL; block = block->next) {
		if (block->gap && block != c->flow.head)
			(void)mangle_buffer_add_text(&b, "\n");
		text = popper_slice(block->text, block->len);
		while (mangle_next_line(&text, &line))
			(void)mangle_fill(&f, line, &b);
	}
	joined = g_strndup(b.len == 0 ? "" : b.ptr, b.len);
	mangle_buffer_free(&b);
	lines = g_strsplit(g_strchomp(joined), "\n", -1);
	g_free(joined);
	return lines;
}

static void
pad(GString *s, size_t n)
{
	while (n-- > 0)
		g_string_append_c(s, ' ');
}

struct place {
	char **lines;
	size_t column, width;
	bool right;
};

static bool
write_line(GString *s, const struct grid *g, const struct place *p,
    size_t count, size_t number)
{
	size_t start = s->len, at = 0, n, left;
	bool more = false;

	for (size_t i = 0; i < count; i++) {
		if (number >= g_strv_length(p[i].lines))
			continue;
		more = more || number + 1 < g_strv_length(p[i].lines);
		left = p[i].column == 0 ? 0 : between(g, 0, p[i].column);
		left += left > 0 ? SPACE : 0;
		pad(s, left > at ? left - at : 0);
		at = left > at ? left : at;
		n = mangle_columns(popper_slice_text(p[i].lines[number]));
		if (p[i].right && n < p[i].width) {
			pad(s, p[i].width - n);
			at += p[i].width - n;
		}
		g_string_append(s, p[i].lines[number]);
		at += n;
	}
	while (s->len > start && s->str[s->len - 1] == ' ')
		g_string_truncate(s, s->len - 1);
	g_string_append_c(s, '\n');
	return more;
}

static void
write_row(GString *s, const struct grid *g, const struct place *p, size_t count)
{
	size_t number = 0;

	if (count == 0)
		return;
	while (write_line(s, g, p, count, number))
		number++;
}

/* Dashes below the headers. */
static void
write_rule(GString *s, const struct grid *g)
{
	bool first = true;

	for (size_t i = 0; i < g->columns; i++) {
		if (g->column[i].width == 0)
			continue;
		if (!first)
			pad(s, SPACE);
		first = false;
		for (size_t n = 0; n < g->column[i].width; n++)
			g_string_append_c(s, '-');
	}
	g_string_append_c(s, '\n');
}

static void
free_places(struct place *p, size_t count)
{
	for (size_t i = 0; i < count; i++)
		g_strfreev(p[i].lines);
}

static char *
write_grid(const struct grid *g)
{
	GString *s = g_string_new("");
	struct place places[COLUMNS_MAX];
	struct walk w = walk_start(g->table);
	const struct html_cell *c;
	size_t at, count = 0, row = 0;
	bool header = false, written = false;

	while ((c = walk_next(&w, &at)) != NULL) {
		if (c->row != row) {
			write_row(s, g, places, count);
			if (!written && count > 1 && (header || has_names(g)))
				write_rule(s, g);
			written = written || count > 0;
			free_places(places, count);
			count = 0;
			row = c->row;
			header = false;
		}
		if (c->flow.head == NULL)
			continue;
		header = count == 0 ? c->header : header && c->header;
		places[count].column = at;
		places[count].width = between(g, at, c->span);
		places[count].lines = cell_lines(g, c, places[count].width);
		places[count].right =
		    c->span == 1 && to_the_right(&g->column[at]);
		count++;
	}
	write_row(s, g, places, count);
	free_places(places, count);
	return g_string_free(s, FALSE);
}

char *
html_grid(const struct html_table *t, size_t columns)
{
	struct grid g = { .table = t };

	if (t->head == NULL || !measure_cells(&g))
		return NULL;
	measure_spans(&g);
	/* One row is a grid if it is of blocks side by side. */
	if (g.used < 2 || (g.rows < 2 && g.lines < 2) || !narrow(&g, columns))
		return NULL;
	return write_grid(&g);
}
