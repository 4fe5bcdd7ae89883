/*
 * mangle_html.c - HTML as text that a person likes to read.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#include <libxml/HTMLparser.h>

const char *
html_attribute(const html_attributes *atts, const char *name)
{
	if (atts == NULL)
		return NULL;
	for (; atts[0] != NULL; atts += 2)
		if (strcmp((const char *)atts[0], name) == 0)
			return atts[1] == NULL ? "" : (const char *)atts[1];
	return NULL;
}

/* --- What libxml2 tells. --- */

static void
apply_style(struct html *h, struct html_element *e, const html_attributes *atts)
{
	unsigned style = html_style(atts), flags = e->tag->flags;

	e->was_tiny = h->tiny;
	if (style & HTML_TINY)
		h->tiny = true;
	else if (style & HTML_SIZED)
		h->tiny = false;
	e->hidden = (flags & HTML_IS_HIDDEN) || (style & HTML_HIDDEN);
	e->pre = (flags & HTML_IS_PRE) || (style & HTML_PRE);
	e->symbol = style & HTML_SYMBOL;
	h->hidden += e->hidden;
	h->pre += e->pre;
	h->symbol += e->symbol;
	if (h->hidden > 0 || !(flags & HTML_IS_BLOCK))
		return;
	html_end_block(h);
	e->apart = (flags & HTML_IS_APART) && !(style & HTML_TIGHT);
	if (e->apart)
		html_gap(h);
}

static void
start_element(void *context, const xmlChar *name, const xmlChar **atts)
{
	struct html *h = context;
	struct html_element *e;

	if (h->failed)
		return;
	if (h->depth == HTML_DEPTH_MAX) {
		h->failed = true;
		xmlStopParser(h->parser);
		return;
	}
	e = &h->stack[h->depth++];
	*e = (struct html_element){ .tag = html_tag((const char *)name) };
	apply_style(h, e, atts);
	if (h->hidden == 0 && e->tag->start != NULL)
		e->tag->start(h, e, atts);
}

static void
end_element(void *context, const xmlChar *name)
{
	struct html *h = context;
	struct html_element *e;

	(void)name;
	if (h->failed || h->depth == 0)
		return;
	e = &h->stack[h->depth - 1];
	if (h->hidden == 0) {
		if (e->tag->flags & HTML_IS_BLOCK)
			html_end_block(h);
		if (e->tag->end != NULL)
			e->tag->end(h, e);
		if (e->apart)
			html_gap(h);
		if (e->prefix)
			html_prefix_pop(h);
	}
	h->hidden -= e->hidden;
	h->pre -= e->pre;
	h->symbol -= e->symbol;
	h->tiny = e->was_tiny;
	h->depth--;
}

static void
characters(void *context, const xmlChar *ch, int len)
{
	struct html *h = context;

	if (!h->failed && h->hidden == 0 && !h->tiny)
		html_text(h, popper_slice(ch, (size_t)len));
}

static const xmlSAXHandler handler = {
	.startElement = start_element,
	.endElement = end_element,
	.characters = characters,
	.ignorableWhitespace = characters,
	.initialized = 1,
};

/* --- The page. --- */

int
html_parse(const void *sax, void *self, void **parser, struct popper_slice html)
{
	htmlParserCtxtPtr p;
	bool done = true;

	if (html.len > G_MAXINT / 2)
		return -1;
	p = htmlCreatePushParserCtxt(
	    NULL, NULL, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (p == NULL)
		return -1;
	*parser = p;
	(void)htmlCtxtUseOptions(p,
	    HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
		HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC |
		HTML_PARSE_NOIMPLIED);
	*p->sax = *(const xmlSAXHandler *)sax;
	p->userData = self;
	(void)htmlParseChunk(p, html.ptr, (int)html.len, 0);
	if (htmlParseChunk(p, "", 0, 1) == XML_ERR_NO_MEMORY)
		done = false;
	if (p->myDoc != NULL)
		xmlFreeDoc(p->myDoc);
	htmlFreeParserCtxt(p);
	return done ? 0 : -1;
}

static int
read_page(struct html *h, struct popper_slice html)
{
	if (html_parse(&handler, h, &h->parser, html) == -1)
		return -1;
	while (!h->failed && h->depth > 0)
		end_element(h, NULL);
	html_end_block(h);
	return h->failed || h->line.full ? -1 : 0;
}

static void
start(struct html *h)
{
	h->columns = h->job->wrap == 0 ? MANGLE_COLUMNS : h->job->wrap;
	h->flow = &h->page;
	h->stack = g_new0(struct html_element, HTML_DEPTH_MAX);
	h->strings = g_string_chunk_new(4096);
	h->links = g_ptr_array_new();
	h->link_numbers = g_hash_table_new(g_str_hash, g_str_equal);
	mangle_buffer_start(&h->line, h->out->limit);
	h->reduced = mangle_reduce_open(h->job->to, &h->reduce);
}

static void
stop(struct html *h)
{
	while (h->table != NULL) {
		struct html_table *outer = h->table->outer;

		html_table_free(h->table);
		h->table = outer;
	}
	html_flow_free(&h->page);
	mangle_reduce_close(&h->reduce);
	mangle_buffer_free(&h->line);
	g_hash_table_destroy(h->link_numbers);
	g_ptr_array_free(h->links, TRUE);
	g_string_chunk_free(h->strings);
	g_free(h->stack);
}

int
mangle_text_html(const struct mangle_text_job *job, struct popper_slice utf8,
    struct mangle_buffer *out)
{
	struct html h = { .job = job, .out = out };
	struct mangle_buffer guarded;
	int result;

	start(&h);
	mangle_buffer_start(&guarded, out->limit);
	result = html_guard(utf8, &guarded);
	if (result == 0)
		result = read_page(&h, mangle_buffer_view(&guarded));
	mangle_buffer_free(&guarded);
	if (result == 0)
		result = html_flow_write(&h.page, h.columns, out);
	if (result == 0)
		result = html_links_write(&h);
	stop(&h);
	return result;
}
