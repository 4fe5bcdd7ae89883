/*
 * mangle_html_block.c - text into blocks.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#define NBSP "\302\240"

/* --- Text. --- */

static void
add(struct html *h, struct popper_slice s)
{
	if (mangle_buffer_add(&h->line, s) == -1)
		h->failed = true;
}

static char
last(const struct html *h)
{
	return h->line.len == 0 ? '\n' : h->line.ptr[h->line.len - 1];
}

static void
add_space(struct html *h)
{
	if (h->space && last(h) != '\n' && last(h) != ' ')
		add(h, popper_slice_text(" "));
	h->space = false;
}

/* A letter or sign that can be seen, ${n} octets at ${p}. */
static void
show(struct html *h, const char *p, size_t n)
{
	add_space(h);
	/* "10" and a raised "2" are not 102 */
	if (h->raised && g_ascii_isdigit(*p) && g_ascii_isalnum(last(h)))
		add(h, popper_slice_text("^"));
	h->raised = false;
	add(h, popper_slice(p, n));
	if (!(n == 2 && memcmp(p, NBSP, 2) == 0))
		h->shown++;
}

static void
show_symbols(struct html *h, struct popper_slice s)
{
	char octets[6];
	size_t at = 0, n;
	uint32_t c;

	while (at < s.len) {
		c = mangle_character(s, &at);
		if (c >= 0xf020 && c <= 0xf0ff) /* how Word numbers them */
			c -= 0xf000;
		n = (size_t)g_unichar_to_utf8(html_symbol(c), octets);
		show(h, octets, n);
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void
html_text(struct html *h, struct popper_slice s)
{
	size_t at = 0, from;

	if (h->symbol > 0 && s.len <= 4) {
		show_symbols(h, s);
		return;
	}
	while (at < s.len && !h->failed) {
		from = at;
		if (!is_blank(s.ptr[at])) {
			(void)mangle_character(s, &at);
			show(h, s.ptr + from, at - from);
		} else if (h->pre == 0) {
			h->space = true;
			at++;
		} else {
			at++;
			if (s.ptr[from] != '\r')
				add(h, popper_slice(s.ptr + from, 1));
		}
	}
}

void
html_raw(struct html *h, const char *text)
{
	struct popper_slice s = popper_slice_text(text);
	size_t at = 0, from;

	while (at < s.len && !h->failed) {
		from = at;
		(void)mangle_character(s, &at);
		if (s.ptr[from] == ' ')
			add(h, popper_slice(s.ptr + from, 1));
		else
			show(h, s.ptr + from, at - from);
	}
}

void
html_break(struct html *h)
{
	h->space = false;
	add(h, popper_slice_text("\n"));
}

void
html_gap(struct html *h)
{
	h->flow->gap = true;
}

/* --- Prefixes. --- */

void
html_prefix_push(struct html *h, const char *first, const char *rest)
{
	struct html_prefix *p;

	/* Deeper ones are counted, but there is no room to show them. */
	if (h->prefixes++ >= HTML_PREFIXES_MAX)
		return;
	p = &h->prefix[h->prefixes - 1];
	p->first = g_string_chunk_insert_const(h->strings, first);
	p->rest = g_string_chunk_insert_const(h->strings, rest);
	p->used = false;
}

void
html_prefix_pop(struct html *h)
{
	if (h->prefixes > 0)
		h->prefixes--;
}

/* Indentation ends where it would leave no room for text. */
static void
put_prefix(struct html *h, GString *s, const char *more)
{
	if (s->len + strlen(more) <= h->columns / 2 ||
	    (more[0] == '>' && s->len < h->columns))
		g_string_append(s, more);
}

static void
set_prefixes(struct html *h, struct html_block *b)
{
	GString *first = g_string_new(""), *rest = g_string_new("");

	for (size_t i = h->prefix_base;
	     i < h->prefixes && i < HTML_PREFIXES_MAX; i++) {
		struct html_prefix *p = &h->prefix[i];

		put_prefix(h, first, p->used ? p->rest : p->first);
		put_prefix(h, rest, p->rest);
		p->used = true;
	}
	g_string_append(first, b->first);
	g_string_append(rest, b->rest);
	b->first = g_string_chunk_insert_const(h->strings, first->str);
	b->rest = g_string_chunk_insert_const(h->strings, rest->str);
	g_string_free(first, TRUE);
	g_string_free(rest, TRUE);
}

/* --- Blocks. --- */

static void
append(struct html_flow *flow, struct html_block *b)
{
	b->next = NULL;
	if (flow->tail == NULL)
		flow->head = b;
	else
		flow->tail->next = b;
	flow->tail = b;
	flow->count++;
}

struct html_block *
html_flow_add(struct html *h, struct html_flow *flow, char *text, size_t len)
{
	struct html_block *b = g_new0(struct html_block, 1);

	b->text = text;
	b->len = len;
	b->first = b->rest = "";
	b->gap = flow->gap;
	flow->gap = false;
	set_prefixes(h, b);
	append(flow, b);
	h->blocks++;
	return b;
}

void
html_flow_splice(struct html *h, struct html_flow *flow, struct html_flow *from)
{
	struct html_block *b, *next;

	if (from->head != NULL)
		from->head->gap = from->head->gap || flow->gap;
	for (b = from->head; b != NULL; b = next) {
		next = b->next;
		set_prefixes(h, b);
		append(flow, b);
	}
	if (from->head != NULL)
		flow->gap = false;
	flow->gap = flow->gap || from->gap;
	*from = (struct html_flow){ NULL, NULL, 0, false };
}

void
html_flow_free(struct html_flow *flow)
{
	struct html_block *b, *next;

	for (b = flow->head; b != NULL; b = next) {
		next = b->next;
		g_free(b->text);
		g_free(b);
	}
	*flow = (struct html_flow){ NULL, NULL, 0, false };
}

size_t
html_blank_length(struct popper_slice s, bool at_end)
{
	size_t n = 0;

	while (n < s.len) {
		const char *p = at_end ? s.ptr + s.len - n - 1 : s.ptr + n;

		if (is_blank(*p))
			n++;
		else if (s.len - n >= 2 &&
		    memcmp(at_end ? p - 1 : p, NBSP, 2) == 0)
			n += 2;
		else
			break;
	}
	return n;
}

/* Leading white space up to the last line end in it. */
static size_t
blank_lines(struct popper_slice s)
{
	size_t n = html_blank_length(s, false);

	while (n > 0 && s.ptr[n - 1] != '\n')
		n--;
	return n;
}

/* The length of a mark of Word's lists, which are paragraphs with a sign or
 * number, some hard spaces and the text.  ${skip} is with the spaces. */
static size_t
mark_length(struct popper_slice s, size_t *skip)
{
	size_t n = 0, at = 0;
	uint32_t c;

	while (at < s.len && n < 6) {
		c = mangle_character(s, &at);
		if (c == 0xa0 || c == ' ')
			break;
		n = at;
	}
	*skip =
	    n + html_blank_length(popper_slice(s.ptr + n, s.len - n), false);
	return *skip < n + 5 || n == 0 || memchr(s.ptr, '\n', *skip) != NULL
	    ? 0
	    : n;
}

static struct html_block *
add_block(struct html *h, struct popper_slice s)
{
	size_t skip, n = h->pre > 0 ? 0 : mark_length(s, &skip);
	bool sign;
	char mark[16], blanks[16];
	struct html_block *b;

	if (n == 0 || n > 6)
		return html_flow_add(
		    h, h->flow, g_strndup(s.ptr, s.len), s.len);
	sign = !g_ascii_isalnum(s.ptr[0]) && n <= 3;
	g_snprintf(
	    mark, sizeof(mark), "%.*s ", sign ? 1 : (int)n, sign ? "*" : s.ptr);
	g_snprintf(blanks, sizeof(blanks), "%*s", (int)strlen(mark), "");
	s = popper_slice(s.ptr + skip, s.len - skip);
	html_prefix_push(h, mark, blanks);
	b = html_flow_add(h, h->flow, g_strndup(s.ptr, s.len), s.len);
	html_prefix_pop(h);
	return b;
}

static void
make_block(struct html *h, struct popper_slice s)
{
	size_t lead = blank_lines(s), trail = html_blank_length(s, true);
	bool many;
	struct html_block *b;

	if (trail == s.len) {
		/* <p>&nbsp;</p> and <div><br></div> are empty lines */
		html_gap(h);
		return;
	}
	many = memchr(s.ptr + s.len - trail, '\n', trail) != NULL &&
	    memchr(s.ptr + s.len - trail, '\n', trail) !=
		memrchr(s.ptr + s.len - trail, '\n', trail);
	h->flow->gap = (h->flow->gap || lead > 0) && !h->close_up;
	h->close_up = false;
	s = popper_slice(s.ptr + lead, s.len - lead - trail);
	b = add_block(h, s);
	b->pre = h->pre > 0;
	b->rule = h->rule;
	h->rule = '\0';
	h->flow->gap = many;
}

static void
make_reduced(struct html *h, struct popper_slice s)
{
	struct mangle_buffer b;

	mangle_buffer_start(&b, h->line.limit);
	if (mangle_reduce(&h->reduce, s, &b) == -1)
		h->failed = true;
	else
		make_block(h, mangle_buffer_view(&b));
	mangle_buffer_free(&b);
}

void
html_end_block(struct html *h)
{
	struct mangle_buffer clean;

	h->space = false;
	if (h->line.len == 0 || h->failed)
		return;
	mangle_buffer_start(&clean, h->line.limit);
	if (mangle_clean(mangle_buffer_view(&h->line), &clean) == -1)
		h->failed = true;
	else if (h->reduced)
		make_reduced(h, mangle_buffer_view(&clean));
	else
		make_block(h, mangle_buffer_view(&clean));
	mangle_buffer_free(&clean);
	h->line.len = 0;
}
