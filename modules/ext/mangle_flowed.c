/*
 * mangle_flowed.c - paragraphs of format=flowed (RFC 3676).
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

#include "mangle_lines.h"

#define QUOTES_MAX 20 /* shown; who quotes deeper is not told apart */

struct flow {
	const struct mangle_text_job *job;
	struct mangle_buffer *out;
	struct mangle_buffer paragraph;
	size_t depth; /* of the paragraph */
	bool open; /* its last line flowed on */
};

/* Write the paragraph so far: filled if it flowed, else as it stands. */
static int
end_paragraph(struct flow *w, bool flowed)
{
	static const char quotes[] = ">>>>>>>>>>>>>>>>>>>> ";
	size_t depth = w->depth < QUOTES_MAX ? w->depth : QUOTES_MAX;
	struct mangle_fill f = { .columns = w->job->wrap };
	int result;

	_Static_assert(sizeof(quotes) == QUOTES_MAX + 2, "as many as shown");
	if (flowed && f.columns == 0)
		f.columns = MANGLE_COLUMNS;
	f.first = popper_slice(
	    quotes + QUOTES_MAX - depth, depth == 0 ? 0 : depth + 1);
	f.rest = f.first;
	result = mangle_fill(&f, mangle_buffer_view(&w->paragraph), w->out);
	w->paragraph.len = 0;
	w->open = false;
	return result;
}

static bool
is_signature(struct popper_slice s)
{
	return s.len == 3 && memcmp(s.ptr, "-- ", 3) == 0;
}

/* RFC 3676, 4.3: the signature line is never part of a paragraph. */
static int
signature(struct flow *w, size_t depth)
{
	static const char quotes[] = ">>>>>>>>>>>>>>>>>>>> -- \n";

	if (w->open && end_paragraph(w, true) == -1)
		return -1;
	if (depth == 0)
		return mangle_buffer_add_text(w->out, "-- \n");
	return mangle_buffer_add_text(w->out,
	    quotes + QUOTES_MAX - (depth < QUOTES_MAX ? depth : QUOTES_MAX));
}

static int
flow_line(struct flow *w, struct popper_slice line)
{
	bool soft, was_open = w->open;
	size_t depth = 0;

	while (depth < line.len && line.ptr[depth] == '>')
		depth++;
	line = popper_slice(line.ptr + depth, line.len - depth);
	if (line.len > 0 && line.ptr[0] == ' ') /* stuffed, 4.4 */
		line = popper_slice(line.ptr + 1, line.len - 1);
	if (is_signature(line))
		return signature(w, depth);
	/* A change of depth ends a paragraph whatever its line says, 4.5. */
	if (w->open && depth != w->depth && end_paragraph(w, true) == -1)
		return -1;
	was_open = was_open && w->open;
	w->depth = depth;
	soft = line.len > 0 && line.ptr[line.len - 1] == ' ';
	if (soft && w->job->delsp)
		line.len--;
	if (mangle_buffer_add(&w->paragraph, line) == -1)
		return -1;
	w->open = soft;
	return soft ? 0 : end_paragraph(w, was_open);
}

int
mangle_text_flowed(const struct mangle_text_job *job, struct popper_slice utf8,
    struct mangle_buffer *out)
{
	struct flow w = { .job = job, .out = out };
	struct popper_slice line;
	int result = 0;

	mangle_buffer_start(&w.paragraph, out->limit);
	while (result == 0 && mangle_next_line(&utf8, &line))
		result = flow_line(&w, line);
	if (result == 0 && w.open)
		result = end_paragraph(&w, true);
	mangle_buffer_free(&w.paragraph);
	return result;
}
