/*
 * mangle_text.c - the text of one MIME part, made readable.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

#include <glib.h>

#include "mangle_charset.h"
#include "mangle_lines.h"
#include "mangle_page.h"

#define HEAD_OCTETS 4096 /* of a page, where its charset may be named */

/* HTML names its charset itself if nobody else does: <meta charset=x>,
 * <meta ... content="text/html; charset=x">. */
static void
meta_charset(struct popper_slice s, char *name, size_t size)
{
	size_t n = 0;

	name[0] = '\0';
	if (s.len > HEAD_OCTETS)
		s.len = HEAD_OCTETS;
	for (size_t i = 0; i + 8 < s.len; i++) {
		if (g_ascii_strncasecmp(s.ptr + i, "charset=", 8) != 0)
			continue;
		i += 8;
		while (i < s.len && (s.ptr[i] == '"' || s.ptr[i] == '\''))
			i++;
		while (i < s.len && n + 1 < size &&
		    (g_ascii_isalnum(s.ptr[i]) || s.ptr[i] == '-' ||
			s.ptr[i] == '_'))
			name[n++] = s.ptr[i++];
		name[n] = '\0';
		return;
	}
}

static int
end_line(struct mangle_buffer *out)
{
	if (out->len == 0 || out->ptr[out->len - 1] == '\n')
		return 0;
	return mangle_buffer_add_text(out, "\n");
}

static int
plain(const struct mangle_text_job *job, struct popper_slice utf8,
    struct mangle_buffer *out)
{
	struct mangle_buffer text;
	int result;

	mangle_buffer_start(&text, out->limit);
	result = mangle_inline(utf8, &text);
	if (result == 0)
		result = mangle_wrap(mangle_buffer_view(&text), job->wrap, out);
	mangle_buffer_free(&text);
	return result;
}

/* ${utf8} as lines of plain text. */
static int
lines(const struct mangle_text_job *job, struct popper_slice utf8,
    struct mangle_buffer *out)
{
	switch (job->kind) {
	case MANGLE_HTML:
		return mangle_text_html(job, utf8, out);
	case MANGLE_ENRICHED:
		return mangle_text_enriched(job, utf8, out);
	case MANGLE_PLAIN:
	default:
		return job->flowed ? mangle_text_flowed(job, utf8, out)
				   : plain(job, utf8, out);
	}
}

/* Empty lines around a part say nothing. */
static int
trimmed(struct popper_slice s, struct mangle_buffer *out)
{
	struct popper_slice rest = s, line;

	while (mangle_next_line(&rest, &line) && line.len == 0)
		s = rest;
	while (s.len > 1 && memcmp(s.ptr + s.len - 2, "\n\n", 2) == 0)
		s.len--;
	return mangle_buffer_add(out, s);
}

static int
as_html(const struct mangle_text_job *job, struct popper_slice utf8,
    struct mangle_buffer *out)
{
	struct mangle_buffer text;
	int result;

	if (job->kind == MANGLE_HTML)
		return mangle_page_html(utf8, out);
	mangle_buffer_start(&text, out->limit);
	result = lines(job, utf8, &text);
	if (result == 0)
		result = mangle_page_plain(mangle_buffer_view(&text), out);
	mangle_buffer_free(&text);
	return result;
}

/* HTML and text/enriched do not mind where a line ends at a space, and mail
 * must not have endless ones. */
static int
as_target(const struct mangle_text_job *job, struct popper_slice utf8,
    struct mangle_buffer *out)
{
	struct mangle_buffer text;
	int result;

	mangle_buffer_start(&text, out->limit);
	if (job->target == MANGLE_PLAIN) {
		result = lines(job, utf8, &text);
		if (result == 0)
			result = trimmed(mangle_buffer_view(&text), out);
	} else if (job->target == MANGLE_HTML) {
		result = as_html(job, utf8, &text);
		if (result == 0)
			result = mangle_wrap(mangle_buffer_view(&text), 0, out);
	} else {
		result = lines(job, utf8, &text);
		if (result == 0)
			result = mangle_page_enriched(
			    mangle_buffer_view(&text), out);
	}
	mangle_buffer_free(&text);
	return result;
}

static void
swap(struct mangle_buffer *a, struct mangle_buffer *b)
{
	struct mangle_buffer c = *a;

	*a = *b;
	*b = c;
}

int
mangle_text(const struct mangle_text_job *job, struct mangle_buffer *out)
{
	struct mangle_buffer utf8, clean;
	struct mangle_reduce reduce;
	char named[40] = "";
	int result;

	mangle_buffer_start(&utf8, out->limit);
	mangle_buffer_start(&clean, out->limit);
	if (job->kind == MANGLE_HTML && job->charset[0] == '\0')
		meta_charset(job->octets, named, sizeof(named));
	result = mangle_charset_in(
	    named[0] == '\0' ? job->charset : named, job->octets, &utf8);
	if (result == 0)
		result = mangle_clean(mangle_buffer_view(&utf8), &clean);
	utf8.len = 0;
	/* HTML is reduced when its entities are known. */
	if (result == 0 && job->kind != MANGLE_HTML &&
	    mangle_reduce_open(job->to, &reduce)) {
		result =
		    mangle_reduce(&reduce, mangle_buffer_view(&clean), &utf8);
		mangle_reduce_close(&reduce);
		swap(&utf8, &clean);
	}
	mangle_buffer_free(&utf8);
	if (result == 0)
		result = as_target(job, mangle_buffer_view(&clean), out);
	mangle_buffer_free(&clean);
	return result == 0 ? end_line(out) : -1;
}
