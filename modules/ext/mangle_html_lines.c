/*
 * mangle_html_lines.c - blocks into lines.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_html.h"

#define NBSP "\302\240"

/* An empty line begins with what both its neighbours begin with. */
static int
write_gap(const struct html_block *before, const struct html_block *b,
    struct mangle_buffer *out)
{
	size_t n = 0;

	while (before->rest[n] != '\0' && before->rest[n] == b->first[n])
		n++;
	while (n > 0 && before->rest[n - 1] == ' ')
		n--;
	if (mangle_buffer_add(out, popper_slice(before->rest, n)) == -1)
		return -1;
	return mangle_buffer_add_text(out, "\n");
}

static int
write_rule(
    const struct html_block *b, size_t columns, struct mangle_buffer *out)
{
	struct popper_slice text = popper_slice(b->text, b->len);
	size_t n = mangle_columns(text);

	if (b->rule == '\0' || memchr(b->text, '\n', b->len) != NULL ||
	    n + mangle_columns(popper_slice_text(b->rest)) > columns)
		return 0;
	if (mangle_buffer_add_text(out, b->rest) == -1)
		return -1;
	while (n-- > 0)
		if (mangle_buffer_add(out, popper_slice(&b->rule, 1)) == -1)
			return -1;
	return mangle_buffer_add_text(out, "\n");
}

static bool
is_signature(struct popper_slice line)
{
	return (line.len == 2 && memcmp(line.ptr, "--", 2) == 0) ||
	    (line.len == 3 && memcmp(line.ptr, "-- ", 3) == 0) ||
	    (line.len == 4 && memcmp(line.ptr, "--" NBSP, 4) == 0);
}

static int
write_block(
    const struct html_block *b, size_t columns, struct mangle_buffer *out)
{
	struct mangle_fill f = { .columns = b->pre ? 0 : columns,
		.first = popper_slice_text(b->first),
		.rest = popper_slice_text(b->rest),
		.plain_space = true };
	struct popper_slice text = popper_slice(b->text, b->len), line;
	bool empty = false;

	while (mangle_next_line(&text, &line)) {
		bool was_empty = empty;

		empty = html_blank_length(line, false) == line.len;
		if (empty && !b->pre)
			line.len = 0;
		/* Of many empty lines one is enough. */
		if (empty && was_empty && !b->pre)
			continue;
		if (is_signature(line)
			? mangle_buffer_add(out, f.first) == -1 ||
			    mangle_buffer_add_text(out, "-- \n") == -1
			: mangle_fill(&f, line, out) == -1)
			return -1;
		f.first = f.rest;
	}
	return write_rule(b, columns, out);
}

int
html_flow_write(
    const struct html_flow *flow, size_t columns, struct mangle_buffer *out)
{
	const struct html_block *b, *before = NULL;

	for (b = flow->head; b != NULL; before = b, b = b->next)
		if ((before != NULL && b->gap &&
			!is_signature(
			    popper_slice(before->text, before->len)) &&
			write_gap(before, b, out) == -1) ||
		    write_block(b, columns, out) == -1)
			return -1;
	return 0;
}
