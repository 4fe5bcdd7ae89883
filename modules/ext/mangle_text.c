/*
 * mangle_text.c - the text of one MIME part, made readable.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

/* LF line ends, no control characters: a message is no terminal's business. */
static int
clean(struct popper_slice s, struct mangle_buffer *out)
{
	size_t start = 0;
	unsigned char c;

	for (size_t i = 0; i < s.len; i++) {
		c = (unsigned char)s.ptr[i];
		if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f))
			continue;
		if (mangle_buffer_add(
			out, popper_slice(s.ptr + start, i - start)) == -1)
			return -1;
		start = i + 1;
	}
	if (mangle_buffer_add(
		out, popper_slice(s.ptr + start, s.len - start)) == -1)
		return -1;
	if (out->len == 0 || out->ptr[out->len - 1] == '\n')
		return 0;
	return mangle_buffer_add_text(out, "\n");
}

int
mangle_text(const struct mangle_text_job *job, struct mangle_buffer *out)
{
	struct mangle_buffer utf8;
	int result;

	mangle_buffer_start(&utf8, out->limit);
	result = mangle_charset_in(job->charset, job->octets, &utf8);
	if (result == 0)
		result = clean(mangle_buffer_view(&utf8), out);
	mangle_buffer_free(&utf8);
	return result;
}
