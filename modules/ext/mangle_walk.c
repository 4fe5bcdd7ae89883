/*
 * mangle_walk.c - which parts of a message speak, and in which order.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_engine.h"

#include <string.h>

int
mangle_gap(struct mangle_work *w)
{
	const struct mangle_buffer *t = &w->text;

	if (t->len == 0 ||
	    (w->want->text != MANGLE_ENRICHED && t->len >= 2 &&
		memcmp(t->ptr + t->len - 2, "\n\n", 2) == 0))
		return 0;
	return mangle_buffer_add_text(&w->text, "\n");
}

int
mangle_note(struct mangle_work *w, struct popper_slice lines)
{
	const struct mangle_text_job job = { .octets = lines,
		.kind = MANGLE_PLAIN,
		.charset = "utf-8",
		.target = w->want->text };

	return mangle_gap(w) == -1 ? -1 : mangle_text(&job, &w->text);
}

static int
note(struct mangle_work *w, const char *line)
{
	return mangle_note(w, popper_slice_text(line));
}

/* Is there anything to read from octet ${from} on? */
static bool
has_text(const struct mangle_work *w, size_t from)
{
	const struct mangle_buffer *b = &w->text;
	bool tag = false;

	for (size_t i = from; i < b->len; i++) {
		if (w->want->text == MANGLE_HTML && b->ptr[i] == '<')
			tag = true;
		if (!tag && strchr(" \t\n", b->ptr[i]) == NULL)
			return true;
		if (b->ptr[i] == '>')
			tag = false;
	}
	return false;
}

static int
every_part(struct mangle_work *w, GMimeMultipart *m, unsigned depth)
{
	int count = g_mime_multipart_get_count(m);

	for (int i = 0; i < count; i++)
		if (mangle_walk(w, g_mime_multipart_get_part(m, i), depth) ==
		    -1)
			return -1;
	return 0;
}

/* The one that fits best.  Some senders leave it empty. */
static int
alternative(struct mangle_work *w, GMimeMultipart *m, unsigned depth)
{
	size_t before = w->text.len;
	GMimeObject *part;

	for (int i = 0; (part = mangle_alternative(w, m, i)) != NULL; i++) {
		if (mangle_walk(w, part, depth) == -1)
			return -1;
		if (has_text(w, before))
			break;
		w->text.len = before;
	}
	return 0;
}

/* The root; of the others only what is meant to be seen apart from it. */
static int
related(struct mangle_work *w, GMimeMultipart *m, unsigned depth)
{
	GMimeObject *root = mangle_related_root(m), *part;
	int count = g_mime_multipart_get_count(m);
	const char *d;

	if (root != NULL && mangle_walk(w, root, depth) == -1)
		return -1;
	for (int i = 0; i < count; i++) {
		part = g_mime_multipart_get_part(m, i);
		d = g_mime_object_get_disposition(part);
		if (part != root && d != NULL &&
		    g_ascii_strcasecmp(d, "attachment") == 0 &&
		    mangle_walk(w, part, depth) == -1)
			return -1;
	}
	return 0;
}

/* Headers of a message inside, and its body if it is wanted. */
static int
inner_message(struct mangle_work *w, GMimeMessage *m, bool body, unsigned depth)
{
	struct mangle_buffer text;
	GMimeObject *part;
	int result;

	mangle_buffer_start(&text, w->limits->text);
	result = mangle_buffer_add_text(&text,
	    body ? "[Included message follows:]\n"
		 : "[Header of message follows:]\n");
	if (result == 0)
		result = mangle_headers(
		    w, g_mime_object_get_header_list(GMIME_OBJECT(m)), &text);
	if (result == 0)
		result = mangle_note(w, mangle_buffer_view(&text));
	mangle_buffer_free(&text);
	if (result == -1 || !body ||
	    (part = g_mime_message_get_mime_part(m)) == NULL)
		return result;
	return mangle_walk(w, part, depth);
}

/* RFC 6522: what a person reads, then what a program reads, then the message
 * that it is about. */
static int
report(struct mangle_work *w, GMimeMultipart *m, unsigned depth)
{
	int count = g_mime_multipart_get_count(m);
	GMimeMessage *inner;
	GMimeObject *part;

	for (int i = 0; i < count; i++) {
		part = g_mime_multipart_get_part(m, i);
		if (!GMIME_IS_MESSAGE_PART(part)) {
			if (mangle_walk(w, part, depth) == -1)
				return -1;
			continue;
		}
		inner =
		    g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
		if (inner != NULL &&
		    inner_message(w, inner, false, depth) == -1)
			return -1;
	}
	return 0;
}

/* What is signed comes first, the signature last. */
static int
first_part(struct mangle_work *w, GMimeMultipart *m, unsigned depth)
{
	return mangle_walk(w, g_mime_multipart_get_part(m, 0), depth);
}

static const struct {
	const char *subtype;
	int (*walk)(struct mangle_work *, GMimeMultipart *, unsigned);
} kinds[] = {
	{ "alternative", alternative },
	{ "multilingual", alternative }, /* RFC 8255 */
	{ "related", related },
	{ "report", report },
	{ "signed", first_part },
};

/* The boundary never comes: what stands before it can still be read. */
static int
no_parts(struct mangle_work *w, GMimeMultipart *m)
{
	const char *text = g_mime_multipart_get_prologue(m);

	if (note(w, "[invalid MIME formatting]") == -1)
		return -1;
	return text == NULL ? 0 : note(w, text);
}

static int
multipart(struct mangle_work *w, GMimeMultipart *m, unsigned depth)
{
	GMimeContentType *t = g_mime_object_get_content_type(GMIME_OBJECT(m));

	if (g_mime_multipart_get_count(m) == 0)
		return no_parts(w, m);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (g_mime_content_type_is_type(
			t, "multipart", kinds[i].subtype))
			return kinds[i].walk(w, m, depth);
	return every_part(w, m, depth);
}

int
mangle_walk(struct mangle_work *w, GMimeObject *o, unsigned depth)
{
	GMimeMessage *inner;

	if (++w->parts > w->limits->parts)
		return -1;
	if (depth >= w->limits->depth)
		return note(w, "[message too complex; part omitted]");
	if (GMIME_IS_MULTIPART(o))
		return multipart(w, GMIME_MULTIPART(o), depth + 1);
	if (!GMIME_IS_MESSAGE_PART(o))
		return mangle_leaf(w, o);
	inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
	if (inner == NULL)
		return note(w, "[invalid MIME formatting; part omitted]");
	return inner_message(w, inner, true, depth + 1);
}
