/*
 * mangle_leaf.c - a part without parts: its text, or a note.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_engine.h"

#include <stdio.h>
#include <string.h>

static bool
is(GMimeObject *o, const char *type, const char *subtype)
{
	return g_mime_content_type_is_type(
	    g_mime_object_get_content_type(o), type, subtype);
}

/* What programs exchange, and people need not hear of. */
static bool
is_silent(GMimeObject *o)
{
	static const char *const types[][2] = { { "application", "ms-tnef" },
		{ "application", "vnd.ms-tnef" },
		{ "application", "applefile" },
		{ "message", "delivery-status" },
		{ "message", "disposition-notification" },
		{ "message", "external-body" },
		{ "message", "feedback-report" } };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (is(o, types[i][0], types[i][1]))
			return true;
	return false;
}

static bool
is_attachment(GMimeObject *o)
{
	const char *d = g_mime_object_get_disposition(o);

	return d != NULL && g_ascii_strcasecmp(d, "attachment") == 0;
}

static const char *
name_of(GMimeObject *o)
{
	const char *name = NULL;

	if (GMIME_IS_PART(o))
		name = g_mime_part_get_filename(GMIME_PART(o));
	if (name == NULL)
		name = g_mime_object_get_content_type_parameter(o, "name");
	return name == NULL || name[0] == '\0' ? NULL : name;
}

/* "[report.doc]", "[ msword attachment omitted]". */
static int
left_out(struct mangle_work *w, GMimeObject *o)
{
	GMimeContentType *t = g_mime_object_get_content_type(o);
	const char *type = g_mime_content_type_get_media_type(t);
	const char *name = name_of(o);
	bool application = is(o, "application", "*");
	struct mangle_buffer note;
	char *lower;
	int result;

	if (application)
		type = g_mime_content_type_get_media_subtype(t);
	mangle_buffer_start(&note, w->limits->text);
	if (name != NULL &&
	    (mangle_buffer_add_text(&note, "[") == -1 ||
		mangle_line(name, &note) == -1 ||
		mangle_buffer_add_text(&note, "]\n") == -1))
		result = -1;
	else
		result = mangle_buffer_add_text(&note, "[ ");
	lower = g_ascii_strdown(type == NULL ? "" : type, -1);
	if (result == 0)
		result = mangle_line(lower, &note);
	g_free(lower);
	if (result == 0)
		result = mangle_buffer_add_text(&note,
		    application || is_attachment(o) ? " attachment omitted]\n"
						    : " part omitted]\n");
	if (result == 0)
		result = mangle_note(w, mangle_buffer_view(&note));
	mangle_buffer_free(&note);
	return result;
}

/* The octets of ${o}, up to the limit. */
static int
decode(const struct mangle_work *w, GMimeObject *o, struct mangle_buffer *out)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(o));
	GMimeStream *from, *stream;
	GMimeFilter *filter;
	char piece[4096];
	ssize_t n;

	mangle_buffer_start(out, w->limits->text);
	if (content == NULL)
		return 0;
	from = g_mime_data_wrapper_get_stream(content);
	if (from == NULL || g_mime_stream_reset(from) == -1)
		return 0;
	stream = g_mime_stream_filter_new(from);
	filter = g_mime_filter_basic_new(
	    g_mime_data_wrapper_get_encoding(content), FALSE);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(stream), filter);
	while ((n = g_mime_stream_read(stream, piece, sizeof(piece))) > 0 &&
	    mangle_buffer_add(out, popper_slice(piece, (size_t)n)) == 0)
		;
	g_object_unref(filter);
	g_object_unref(stream);
	return out->full || n == -1 ? -1 : 0;
}

static bool
parameter_is(GMimeObject *o, const char *name, const char *value)
{
	const char *its = g_mime_object_get_content_type_parameter(o, name);

	return its != NULL && g_ascii_strcasecmp(its, value) == 0;
}

/* Its name goes to iconv, which gives "/" a meaning. */
static const char *
charset_of(GMimeObject *o)
{
	const char *c = g_mime_object_get_content_type_parameter(o, "charset");

	return c == NULL || strchr(c, '/') != NULL ? "" : c;
}

static enum mangle_kind
kind_of(GMimeObject *o)
{
	if (is(o, "text", "html"))
		return MANGLE_HTML;
	if (is(o, "text", "enriched") || is(o, "text", "richtext"))
		return MANGLE_ENRICHED;
	return MANGLE_PLAIN;
}

static int
text(struct mangle_work *w, GMimeObject *o)
{
	struct mangle_text_job job = { .kind = kind_of(o),
		.charset = charset_of(o),
		.target = w->want->text,
		.to = w->charset,
		.wrap = w->want->wrap };
	struct mangle_buffer octets;
	size_t before = w->text.len, behind;
	int result = decode(w, o, &octets);

	job.octets = mangle_buffer_view(&octets);
	job.flowed =
	    job.kind == MANGLE_PLAIN && parameter_is(o, "format", "flowed");
	job.delsp = job.flowed && parameter_is(o, "delsp", "yes");
	if (result == 0)
		result = mangle_gap(w);
	behind = w->text.len;
	if (result == 0)
		result = mangle_text(&job, &w->text);
	if (w->text.len == behind) /* it has nothing to say */
		w->text.len = before;
	mangle_buffer_free(&octets);
	return result;
}

/* RFC 2045, 5.2: what is no type means text/plain. */
static bool
has_type(GMimeObject *o)
{
	const char *raw = g_mime_object_get_header(o, "Content-Type");

	return raw == NULL || strchr(raw, '/') != NULL;
}

int
mangle_leaf(struct mangle_work *w, GMimeObject *o)
{
	if (is_silent(o))
		return 0;
	/* Multipart without a boundary: what it holds can still be read. */
	if (is(o, "multipart", "*") &&
	    (mangle_note(w, popper_slice_text("[invalid MIME formatting]")) ==
		    -1 ||
		!GMIME_IS_PART(o) || text(w, o) == -1))
		return -1;
	if (is(o, "multipart", "*"))
		return 0;
	if (GMIME_IS_PART(o) && !is_attachment(o) &&
	    (is(o, "text", "*") || !has_type(o)))
		return text(w, o);
	return left_out(w, o);
}
