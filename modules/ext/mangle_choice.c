/*
 * mangle_choice.c - one part that stands for several.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_engine.h"

#include <string.h>

#define DIG 8 /* multiparts inside each other, to find out what a part is */

GMimeObject *
mangle_related_root(GMimeMultipart *m)
{
	GMimeObject *o = GMIME_OBJECT(m), *part;
	const char *start =
	    g_mime_object_get_content_type_parameter(o, "start");
	const char *type = g_mime_object_get_content_type_parameter(o, "type");
	int count = g_mime_multipart_get_count(m);
	char *id, *its;
	int i = -1;

	if (start != NULL &&
	    (id = g_mime_utils_decode_message_id(start)) != NULL) {
		part = g_mime_multipart_get_subpart_from_content_id(m, id);
		i = part == NULL ? -1 : g_mime_multipart_index_of(m, part);
		g_free(id);
	}
	for (int k = 0; i == -1 && k < count; k++) {
		its = g_mime_content_type_get_mime_type(
		    g_mime_object_get_content_type(
			g_mime_multipart_get_part(m, k)));
		if (g_ascii_strcasecmp(
			its, type == NULL ? "text/html" : type) == 0)
			i = k;
		g_free(its);
	}
	return count == 0 ? NULL
			  : g_mime_multipart_get_part(m, i == -1 ? 0 : i);
}

/* What will ${o} be once it is walked through? */
static GMimeContentType *
essence(GMimeObject *o)
{
	GMimeMultipart *m;

	for (unsigned depth = 0; depth < DIG && GMIME_IS_MULTIPART(o);
	     depth++) {
		m = GMIME_MULTIPART(o);
		if (g_mime_multipart_get_count(m) == 0)
			break;
		if (g_mime_content_type_is_type(
			g_mime_object_get_content_type(o), "multipart",
			"related"))
			o = mangle_related_root(m);
		else
			o = g_mime_multipart_get_part(m, 0);
	}
	return g_mime_object_get_content_type(o);
}

/* "de" is "de", "de-AT" and "DE, en". */
static bool
speaks(GMimeObject *part, const char *lang)
{
	const char *its = g_mime_object_get_header(part, "Content-Language");
	size_t len = strlen(lang);

	while (its != NULL && *its != '\0') {
		its += strspn(its, " \t,");
		if (g_ascii_strncasecmp(its, lang, len) == 0 &&
		    strchr("- \t,(;", its[len]) != NULL)
			return true;
		its += strcspn(its, ",");
	}
	return false;
}

static bool
is_wanted_type(const struct mangle_work *w, GMimeContentType *t)
{
	switch (w->want->text) {
	case MANGLE_PLAIN:
		return g_mime_content_type_is_type(t, "text", "plain");
	case MANGLE_HTML:
		return g_mime_content_type_is_type(t, "text", "html");
	case MANGLE_ENRICHED:
		return g_mime_content_type_is_type(t, "text", "enriched") ||
		    g_mime_content_type_is_type(t, "text", "richtext");
	}
	return false;
}

/* Can it be read, if it is no more than that?  Not what programs read. */
static bool
is_readable(GMimeContentType *t)
{
	static const char *const subtypes[] = { "plain", "html", "enriched",
		"richtext", "markdown" };

	for (size_t i = 0; i < sizeof(subtypes) / sizeof(*subtypes); i++)
		if (g_mime_content_type_is_type(t, "text", subtypes[i]))
			return true;
	return false;
}

/* How well it fits: the language counts more than the type. */
static int
rank(const struct mangle_work *w, GMimeObject *part)
{
	GMimeContentType *t = essence(part);
	int r = 0;

	if (w->want->lang[0] != '\0' && speaks(part, w->want->lang))
		r += 4;
	if (is_wanted_type(w, t))
		r += 2;
	if (is_readable(t))
		r += 1;
	return r;
}

GMimeObject *
mangle_alternative(const struct mangle_work *w, GMimeMultipart *m, int i)
{
	int count = g_mime_multipart_get_count(m);

	/* Best rank first; the first of those that are equal. */
	for (int r = 7; r >= 0; r--)
		for (int k = 0; k < count; k++)
			if (rank(w, g_mime_multipart_get_part(m, k)) == r &&
			    i-- == 0)
				return g_mime_multipart_get_part(m, k);
	return NULL;
}
