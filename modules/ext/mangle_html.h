/*
 * mangle_html.h - HTML as paragraphs: what the mangle_html_*.c share.
 *
 * libxml2's HTML parser tells elements and text one after the other
 * (mangle_html.c); no tree is built.  What is shown becomes blocks
 * (mangle_html_block.c), which a table may keep for itself until it is known
 * how it looks (mangle_html_table.c).
 */
#ifndef MANGLE_HTML_H
#define MANGLE_HTML_H

#include <glib.h>

#include "mangle_charset.h"
#include "mangle_lines.h"
#include "mangle_text.h"

#define HTML_TAGS_MAX 250000
#define HTML_DEPTH_MAX 512 /* elements inside each other */
#define HTML_PREFIXES_MAX 64

/* A paragraph, a heading, the text of a list's item, a line of a table ... */
struct html_block {
	struct html_block *next;
	char *text; /* LF: a line ends */
	size_t len;
	const char *first, *rest; /* what its lines begin with */
	bool gap; /* an empty line before it */
	bool pre; /* lines are not filled */
	char rule; /* what it is underlined with, or NUL */
};

/* Blocks one under the other. */
struct html_flow {
	struct html_block *head, *tail;
	size_t count;
	bool gap; /* before the next block */
};

struct html_cell {
	struct html_flow flow;
	unsigned span, rows; /* columns and rows it takes */
	bool header;
	size_t row; /* from 0 */
	struct html_cell *next; /* in the table, row by row */
};

struct html_table {
	struct html_table *outer;
	struct html_flow *outer_flow;
	size_t outer_prefix;
	struct html_cell *head, *tail;
	struct html_cell *cell; /* open now, or NULL */
	size_t rows; /* begun so far */
	size_t outer_list;
};

struct html_prefix {
	const char *first, *rest;
	bool used; /* its first line was written */
};

struct html_tag;

/* An element that is open. */
struct html_element {
	const struct html_tag *tag;
	bool hidden, was_tiny, pre, symbol, prefix;
	bool apart; /* an empty line behind it */
	/* <ol>, <ul>: */
	size_t outer_list;
	long number;
	char mark; /* '*', '1', 'a', 'A', 'i', 'I', or NUL: none */
	/* <a>: */
	const char *href;
	size_t shown, line_at, blocks;
};

struct html {
	const struct mangle_text_job *job;
	struct mangle_buffer *out;
	void *parser;
	size_t columns;
	bool failed;

	struct html_element *stack;
	size_t depth;
	unsigned hidden, pre, symbol;
	bool tiny;
	size_t list; /* 1 + place in the stack of the innermost list, or 0 */

	struct mangle_buffer line; /* the block so far */
	bool space; /* white space before the next character */
	bool raised; /* <sup> began */
	char rule; /* of the heading that is open */
	bool close_up; /* no empty line before the next block */
	size_t shown; /* characters shown so far, but for space */
	size_t blocks; /* made so far */
	struct html_prefix prefix[HTML_PREFIXES_MAX];
	size_t prefixes, prefix_base;
	GStringChunk *strings;

	struct mangle_reduce reduce;
	bool reduced;

	struct html_flow page, *flow;
	struct html_table *table;

	GHashTable *link_numbers;
	GPtrArray *links;
};

typedef const unsigned char *html_attributes; /* one of libxml2's */

/** html_attribute(atts, name): its value, or NULL: there is none. */
const char *html_attribute(const html_attributes *, const char *name);

/** html_parse(sax, self, parser, html): let libxml2 tell ${html} to the
 * xmlSAXHandler ${sax}, with ${self}.  ${parser} is for xmlStopParser.  0, or
 * -1: too large, or no memory. */
int html_parse(
    const void *sax, void *self, void **parser, struct popper_slice html);

/* --- mangle_html_guard.c --- */

/** html_guard(html, out): copy ${html} so that no parser can be made to work
 * long on it: no comments, declarations, scripts, unknown or endless
 * attributes.  0, or -1: too many tags, or full. */
int html_guard(struct popper_slice html, struct mangle_buffer *out);

/* --- mangle_html_style.c --- */

enum html_style {
	HTML_HIDDEN = 1,
	HTML_TINY = 2, /* too small to be seen */
	HTML_SIZED = 4, /* of a size that can be seen */
	HTML_PRE = 8, /* line ends count */
	HTML_NO_MARK = 16, /* a list without marks */
	HTML_INDENT = 32, /* a quote that is none: no border */
	HTML_RULE = 64, /* a line above */
	HTML_SYMBOL = 128, /* Wingdings */
	HTML_TIGHT = 256, /* no space around a paragraph */
};

/** html_style(atts): what the attributes style, class and hidden say. */
unsigned html_style(const html_attributes *);

/** html_symbol(c): what the character ${c} of Wingdings looks like. */
uint32_t html_symbol(uint32_t c);

/* --- mangle_html_tags.c --- */

struct html_tag {
	const char *name;
	unsigned flags; /* HTML_IS_... */
	void (*start)(
	    struct html *, struct html_element *, const html_attributes *);
	void (*end)(struct html *, struct html_element *);
};

enum {
	HTML_IS_BLOCK = 1, /* begins and ends a line */
	HTML_IS_APART = 2, /* and with an empty line around */
	HTML_IS_HIDDEN = 4,
	HTML_IS_PRE = 8,
};

const struct html_tag *html_tag(const char *name);

/* --- mangle_html_block.c --- */

/** html_text(h, s): show the text ${s}, white space as HTML wants it. */
void html_text(struct html *, struct popper_slice);

/** html_raw(h, text): show ${text} as it is. */
void html_raw(struct html *, const char *text);

/** html_break(h): <br>. */
void html_break(struct html *);

/** html_end_block(h): what was shown so far is a block, if it is anything. */
void html_end_block(struct html *);

/** html_gap(h): an empty line is due. */
void html_gap(struct html *);

/** html_prefix_push(h, first, rest), html_prefix_pop(h): what the lines from
 * now on begin with, behind what they begin with already. */
void html_prefix_push(struct html *, const char *first, const char *rest);
void html_prefix_pop(struct html *);

/** html_flow_add(h, flow, text, len): a new last block with ${flow}'s gap; it
 * keeps ${text}, which g_free takes. */
struct html_block *html_flow_add(
    struct html *, struct html_flow *, char *text, size_t len);

/** html_flow_splice(h, flow, from): move all blocks of ${from} behind those of
 * ${flow}, with the prefixes that are open now. */
void html_flow_splice(
    struct html *, struct html_flow *flow, struct html_flow *from);

void html_flow_free(struct html_flow *);

/** html_blank_length(s, at_end): how long is the white space, hard spaces too,
 * at the start or the end of ${s}? */
size_t html_blank_length(struct popper_slice, bool at_end);

/* --- mangle_html_lines.c --- */

/** html_flow_write(flow, columns, out): the blocks as lines; -1: full. */
int html_flow_write(
    const struct html_flow *, size_t columns, struct mangle_buffer *out);

/* --- mangle_html_links.c --- */

void html_link_start(
    struct html *, struct html_element *, const html_attributes *);
void html_link_end(struct html *, struct html_element *);
void html_image(struct html *, struct html_element *, const html_attributes *);

/** html_alt(atts): what stands for the picture, to be g_freed, or NULL. */
gchar *html_alt(const html_attributes *);

/** html_safe_url(strings, url): ${url} without white space, or NULL: it is no
 * address that a reader could use, or none to be trusted. */
const char *html_safe_url(GStringChunk *, const char *url);

/** html_links_write(h): the addresses, numbered; -1: full. */
int html_links_write(struct html *);

/* --- mangle_html_table.c --- */

void html_table_start(
    struct html *, struct html_element *, const html_attributes *);
void html_table_end(struct html *, struct html_element *);
void html_row_start(
    struct html *, struct html_element *, const html_attributes *);
void html_row_end(struct html *, struct html_element *);
void html_cell_start(
    struct html *, struct html_element *, const html_attributes *);
void html_cell_end(struct html *, struct html_element *);
void html_table_free(struct html_table *);

/* --- mangle_html_grid.c --- */

/** html_cell_columns(cell, lines): how wide ${cell} is and how many lines it
 * has; lines is 0 if it is more than some plain lines. */
size_t html_cell_columns(const struct html_cell *, size_t *lines);

/** html_grid(table, columns): ${table} as text in aligned columns, at most
 * ${columns} wide, or NULL: it is none, or does not fit.  g_free it. */
char *html_grid(const struct html_table *, size_t columns);

#endif
