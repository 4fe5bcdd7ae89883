/*
 * mangle_lines.c - characters and columns, and what no reader should see.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_lines.h"

#include <glib.h>

uint32_t
mangle_character(struct popper_slice s, size_t *at)
{
	const char *p = s.ptr + *at;
	gunichar c;

	if ((unsigned char)*p < 0x80) {
		++*at;
		return (unsigned char)*p;
	}
	c = g_utf8_get_char_validated(p, (gssize)(s.len - *at));
	if (c == (gunichar)-1 || c == (gunichar)-2) {
		++*at;
		return 0xfffd;
	}
	*at += (size_t)g_unichar_to_utf8(c, NULL);
	return c;
}

int
mangle_put(struct mangle_buffer *b, uint32_t c)
{
	char octets[6];

	return mangle_buffer_add(
	    b, popper_slice(octets, (size_t)g_unichar_to_utf8(c, octets)));
}

static size_t
width(uint32_t c)
{
	if (c >= 0x20 && c < 0x300)
		return c != 0x7f && c != 0xad;
	if (g_unichar_iszerowidth(c) || (c >= 0xfe00 && c <= 0xfe0f))
		return 0;
	/* Pictographs are wide on every screen that has them. */
	if ((c >= 0x1f300 && c <= 0x1faff) || g_unichar_iswide(c))
		return 2;
	return 1;
}

size_t
mangle_columns(struct popper_slice s)
{
	size_t at = 0, columns = 0;

	while (at < s.len)
		columns += width(mangle_character(s, &at));
	return columns;
}

bool
mangle_next_line(struct popper_slice *text, struct popper_slice *line)
{
	const char *end;

	if (text->len == 0)
		return false;
	end = memchr(text->ptr, '\n', text->len);
	*line = popper_slice(
	    text->ptr, end == NULL ? text->len : (size_t)(end - text->ptr));
	*text = popper_slice(text->ptr + line->len + (end != NULL),
	    text->len - line->len - (end != NULL));
	return true;
}

/* --- What may be seen. --- */

static bool
joins(uint32_t c)
{
	return c == 0x200c || c == 0x200d;
}

/* Zero-width spaces, soft hyphens, byte order marks, and what pads the preview
 * lines of newsletters; embeddings, overrides and isolates, with which text is
 * forged; interlinear notes and tags. */
static bool
invisible(uint32_t c)
{
	return c < 0x20 || c == 0x7f || c == 0xad || c == 0x34f || c == 0x61c ||
	    c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
	    c == 0x180e || c == 0x200b || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* C1 controls are nowhere used as such; they are characters of windows-1252
 * whose octets were taken for code points ("&#150;"). */
static uint32_t
character_of_c1(uint32_t c)
{
	static const uint16_t windows[] = { 0x20ac, 0, 0x201a, 0x192, 0x201e,
		0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0,
		0x17d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013,
		0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178 };

	return c >= 0x80 && c < 0xa0 ? windows[c - 0x80] : c;
}

/* Joiners shape Arabic, Indic and pictographs; elsewhere they are padding. */
static bool
shaped(uint32_t c)
{
	return c > 0x2ff && !joins(c) && !g_unichar_isspace(c) && !invisible(c);
}

static bool
joiner_needed(struct popper_slice s, size_t behind, uint32_t before)
{
	return shaped(before) && behind < s.len &&
	    shaped(mangle_character(s, &behind));
}

int
mangle_clean(struct popper_slice s, struct mangle_buffer *out)
{
	uint32_t c, before = 0;
	size_t at = 0;
	int result = 0;

	while (at < s.len && result == 0) {
		c = character_of_c1(mangle_character(s, &at));
		if (c == '\r' && at < s.len && s.ptr[at] == '\n')
			continue;
		if (c == '\r' || c == '\f' || c == 0x2028 || c == 0x2029)
			c = '\n';
		if (c == '\n' || c == '\t')
			result = mangle_put(out, c);
		else if (joins(c) ? joiner_needed(s, at, before)
				  : !invisible(c))
			result = mangle_put(out, c);
		before = c;
	}
	return result;
}
