/*
 * mangle_headers.c - the headers that a client wants, decoded.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_engine.h"

#include <string.h>

#define DECODE_MOST 65536 /* octets; longer headers stay encoded */
#define FOLD 76 /* columns; RFC 5322 section 2.1.1 wants less than 79 */

int
mangle_line(const char *text, struct mangle_buffer *out)
{
	const char *c = text;

	for (; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x20 && *c != 0x7f)
			continue;
		if (mangle_buffer_add(
			out, popper_slice(text, (size_t)(c - text))) == -1 ||
		    mangle_buffer_add_text(out, " ") == -1)
			return -1;
		text = c + 1;
	}
	return mangle_buffer_add(out, popper_slice(text, (size_t)(c - text)));
}

static bool
has_addresses(const char *name)
{
	static const char *const names[] = { "From", "To", "Cc", "Bcc",
		"Sender", "Reply-To" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (g_ascii_strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A decoded name may hold a comma, and needs quotes then. */
static char *
decode_addresses(const struct mangle_work *w, const char *value)
{
	InternetAddressList *list =
	    internet_address_list_parse(w->options, value);
	char *text = NULL;

	if (list != NULL && internet_address_list_length(list) > 0)
		text = internet_address_list_to_string(list, NULL, FALSE);
	g_clear_object(&list);
	return text;
}

/* Unfolded, as UTF-8. */
static char *
decode(const struct mangle_work *w, const char *name, const char *raw)
{
	char *value, *text = NULL;

	if (strlen(raw) > DECODE_MOST)
		return g_strdup(raw); /* its control characters go later */
	value = g_mime_utils_header_unfold(raw);
	if (has_addresses(name) && strstr(value, "=?") != NULL)
		text = decode_addresses(w, value);
	if (text == NULL)
		text = g_mime_utils_header_decode_text(w->options, value);
	g_free(value);
	return text;
}

/* One header, folded at spaces. */
static int
put(const char *name, const char *text, struct mangle_buffer *out)
{
	size_t column = strlen(name) + 1, len;

	if (mangle_line(name, out) == -1 ||
	    mangle_buffer_add_text(out, ":") == -1)
		return -1;
	while (*text == ' ' || *text == '\t')
		text++;
	while (*text != '\0') {
		len = strcspn(text, " ");
		if (column > 1 && column + 1 + len > FOLD &&
		    column != strlen(name) + 1) {
			if (mangle_buffer_add_text(out, "\n") == -1)
				return -1;
			column = 0;
		}
		if (mangle_buffer_add_text(out, " ") == -1 ||
		    mangle_buffer_add(out, popper_slice(text, len)) == -1)
			return -1;
		column += 1 + len;
		text += len + strspn(text + len, " ");
	}
	return mangle_buffer_add_text(out, "\n");
}

static int
header(const struct mangle_work *w, GMimeHeader *h, struct mangle_buffer *out)
{
	const char *name = g_mime_header_get_name(h);
	struct mangle_buffer clean;
	char *text;
	int result;

	if (name == NULL || !mangle_arguments_match(w->want->headers, name))
		return 0;
	text = decode(w, name, g_mime_header_get_raw_value(h));
	if (text == NULL)
		return 0;
	/* An encoded word may hold line ends: no header may begin there. */
	mangle_buffer_start(&clean, out->limit);
	result = mangle_line(text, &clean);
	g_free(text);
	if (result == 0)
		result = mangle_buffer_add(&clean, popper_slice("", 1));
	if (result == 0)
		result = put(name, clean.ptr, out);
	mangle_buffer_free(&clean);
	return result;
}

int
mangle_headers(const struct mangle_work *w, GMimeHeaderList *list,
    struct mangle_buffer *out)
{
	int count = g_mime_header_list_get_count(list);

	for (int i = 0; i < count; i++)
		if (header(w, g_mime_header_list_get_header_at(list, i), out) ==
		    -1)
			return -1;
	return 0;
}
