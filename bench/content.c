/*
 * content.c - take a multi-line answer apart (RFC 1939, section 3).
 *
 * Runs in:  bench/popload.
 */
#include <string.h>

#include "checksum.h"
#include "content.h"

/* What to do with the octets at the beginning of a line. */
enum start { PLAIN, NEED_MORE, END, STUFFED, EMPTY };

void
content_begin(struct content *c)
{
	*c = (struct content){
		.header = CHECKSUM_EMPTY,
		.body = CHECKSUM_EMPTY,
		.body_kept = CHECKSUM_EMPTY,
		.line_start = true,
	};
}

uint32_t
content_body(const struct content *c)
{
	return c->blank ? c->body_kept : c->body;
}

static void
add(struct content *c, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (c->in_body)
		c->body = checksum_add(c->body, from, len);
	else
		c->header = checksum_add(c->header, from, len);
	c->octets += len;
}

static enum start
line_begins(const char *p, size_t left)
{
	if (*p == '.') {
		if (left < 3)
			return NEED_MORE;
		return p[1] == '\r' && p[2] == '\n' ? END : STUFFED;
	}
	if (*p == '\r') {
		if (left < 2)
			return NEED_MORE;
		return p[1] == '\n' ? EMPTY : PLAIN;
	}
	return PLAIN;
}

/* The empty line at ${p}: the end of the header, or perhaps of the body. */
static const char *
empty_line(struct content *c, const char *from, const char *p)
{
	add(c, from, p);
	if (!c->in_body) {
		c->in_body = true;
		c->octets += 2;
		return p + 2;
	}
	if (!c->blank)
		c->body_kept = c->body;
	c->blank = true;
	return p;
}

/* The rest of a line, from ${p}; returns what follows it. */
static const char *
rest_of_line(struct content *c, const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));

	c->line_start = nl != NULL;
	if (nl == NULL) {
		c->after_cr = end[-1] == '\r';
		return end;
	}
	if (nl > p ? nl[-1] != '\r' : !c->after_cr)
		c->bare_lf++;
	return nl + 1;
}

size_t
content_eat(struct content *c, const char *data, size_t len, bool *done)
{
	const char *p = data, *end = data + len, *from = data;

	*done = false;
	while (p < end) {
		enum start s = PLAIN;

		if (c->line_start)
			s = line_begins(p, (size_t)(end - p));
		if (s == NEED_MORE || s == END) {
			add(c, from, p);
			*done = s == END;
			return (size_t)(p - data) + (*done ? 3 : 0);
		}
		if (s == EMPTY) {
			from = empty_line(c, from, p);
			p += 2;
			continue;
		}
		if (c->line_start)
			c->blank = false;
		if (s == STUFFED) {
			add(c, from, p);
			from = ++p;
			c->line_start = c->after_cr = false;
			continue;
		}
		p = rest_of_line(c, p, end);
	}
	add(c, from, p);
	return len;
}
