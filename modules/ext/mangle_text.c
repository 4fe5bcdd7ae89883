/*
 * mangle_text.c - the text of one MIME part, made readable.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

#include <glib.h>

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
				   : mangle_wrap(utf8, job->wrap, out);
	}
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

	if (job->target == MANGLE_PLAIN)
		return lines(job, utf8, out);
	mangle_buffer_start(&text, out->limit);
	if (job->target == MANGLE_HTML) {
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

int
mangle_text(const struct mangle_text_job *job, struct mangle_buffer *out)
{
	struct mangle_buffer utf8, clean;
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
	mangle_buffer_free(&utf8);
	if (result == 0)
		result = as_target(job, mangle_buffer_view(&clean), out);
	mangle_buffer_free(&clean);
	return result == 0 ? end_line(out) : -1;
}
