/*
 * mangle_inline.c - files inside plain text, as before MIME.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_lines.h"

#include <glib.h>

/* "begin 644 name": the name. */
static bool
is_begin(struct popper_slice line, struct popper_slice *name)
{
	size_t n = 6;

	if (line.len < 11 || memcmp(line.ptr, "begin ", 6) != 0)
		return false;
	while (
	    n < line.len && n < 10 && line.ptr[n] >= '0' && line.ptr[n] <= '7')
		n++;
	if (n < 9 || n >= line.len - 1 || line.ptr[n] != ' ')
		return false;
	*name = popper_slice(line.ptr + n + 1, line.len - n - 1);
	return true;
}

/* Lines begin with how many octets they hold; spaces at the end may be gone. */
static bool
is_encoded(struct popper_slice line)
{
	size_t octets;

	if (line.len == 0 || line.ptr[0] < ' ' || line.ptr[0] > '`')
		return line.len == 0;
	octets = ((size_t)line.ptr[0] - ' ') & 0x3f;
	return line.len <= 2 + (octets + 2) / 3 * 4;
}

/* Take a uuencoded file off ${text}, which begins behind its first line. */
static bool
skip_file(struct popper_slice *text)
{
	struct popper_slice rest = *text, line;

	while (mangle_next_line(&rest, &line)) {
		if (line.len == 3 && memcmp(line.ptr, "end", 3) == 0) {
			*text = rest;
			return true;
		}
		if (!is_encoded(line))
			return false;
	}
	return false;
}

static int
note(struct popper_slice name, struct mangle_buffer *out)
{
	if (mangle_buffer_add_text(out, "[") == -1 ||
	    mangle_buffer_add(out, name) == -1)
		return -1;
	return mangle_buffer_add_text(
	    out, "]\n[ uuencoded attachment omitted]\n");
}

int
mangle_inline(struct popper_slice text, struct mangle_buffer *out)
{
	struct popper_slice line, name, file;

	while (mangle_next_line(&text, &line)) {
		file = text;
		if (is_begin(line, &name) && skip_file(&file)) {
			text = file;
			if (note(name, out) == -1)
				return -1;
			continue;
		}
		if (mangle_buffer_add(out, line) == -1 ||
		    mangle_buffer_add_text(out, "\n") == -1)
			return -1;
	}
	return 0;
}
