/*
 * mangle_charset_out.c - from UTF-8 to any charset, with iconv.
 *
 * iconv's own transliteration depends on the locale, and in the C locale there
 * is none; ours (mangle_translit.c) is the same everywhere.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_charset.h"

#include <errno.h>
#include <glib.h>
#include <iconv.h>

#include "mangle_lines.h"
#include "mangle_text.h"

#define PIECE_LEAST 16 /* octets; a character is no longer than four */
#define PIECE_MOST 4096

/* Convert ${s} as a whole into ${to}; ${state} goes on.  The octets, or -1. */
static long
convert_piece(iconv_t c, struct popper_slice s, char *to, size_t room)
{
	char *in = (char *)(uintptr_t)s.ptr, *start = to;
	size_t left = s.len, said;

	said = iconv(c, &in, &left, &to, &room);
	if (said == (size_t)-1 || left > 0)
		return -1;
	return (long)(to - start);
}

/* A mail's syntax is ASCII: UTF-16 or EBCDIC cannot be a text body of one. */
static bool
like_ascii(iconv_t c)
{
	static const char sample[] = "Az09\n .-~";
	char got[sizeof(sample) * 4];
	long n;

	n = convert_piece(c, popper_slice_text(sample), got, sizeof(got));
	(void)iconv(c, NULL, NULL, NULL, NULL);
	return n == (long)sizeof(sample) - 1 &&
	    memcmp(got, sample, sizeof(sample) - 1) == 0;
}

/* What iconv calls the charset that is asked for; "": nothing. */
static void
name_out(const char *charset, char name[MANGLE_NAME_MAX])
{
	mangle_charset_name(charset, name);
	/* Readers of these labels need not know the larger charset. */
	if (name[0] == '\0' && charset[0] != '\0')
		g_strlcpy(name, "US-ASCII", MANGLE_NAME_MAX);
	else if (g_ascii_strcasecmp(charset, "iso-8859-1") == 0 ||
	    g_ascii_strcasecmp(charset, "iso-8859-9") == 0 ||
	    g_ascii_strcasecmp(charset, "iso-8859-11") == 0 ||
	    g_ascii_strcasecmp(charset, "gb2312") == 0 ||
	    g_ascii_strcasecmp(charset, "big5") == 0 ||
	    g_ascii_strcasecmp(charset, "euc-kr") == 0 ||
	    g_ascii_strcasecmp(charset, "gbk") == 0)
		g_strlcpy(name, charset, MANGLE_NAME_MAX);
}

/* A converter from UTF-8, or -1 with nothing to close. */
static iconv_t
open_out(const char *charset)
{
	char name[MANGLE_NAME_MAX];
	iconv_t c;

	name_out(charset, name);
	if (name[0] == '\0' || (c = iconv_open(name, "UTF-8")) == (iconv_t)-1)
		return (iconv_t)-1;
	if (like_ascii(c))
		return c;
	(void)iconv_close(c);
	return (iconv_t)-1;
}

bool
mangle_charset_known(const char *name)
{
	iconv_t c = open_out(name);

	if (c == (iconv_t)-1)
		return false;
	(void)iconv_close(c);
	return true;
}

/* Write what stands for the character ${c}. */
static int
instead(iconv_t conv, uint32_t c, struct mangle_buffer *out)
{
	char text[MANGLE_INSTEAD_MAX], to[MANGLE_INSTEAD_MAX * 8];
	long n;

	for (unsigned way = 0; way < MANGLE_WAYS; way++) {
		if (!mangle_translit(c, way, text))
			continue;
		n = convert_piece(
		    conv, popper_slice_text(text), to, sizeof(to));
		if (n != -1)
			return mangle_buffer_add(
			    out, popper_slice(to, (size_t)n));
	}
	n = convert_piece(conv, popper_slice_text("?"), to, sizeof(to));
	return n == -1 ? -1
		       : mangle_buffer_add(out, popper_slice(to, (size_t)n));
}

/* At most ${most} octets of whole characters in front of ${s}. */
static size_t
piece_of(struct popper_slice s, size_t most)
{
	size_t n = s.len < most ? s.len : most;

	while (n > 0 && n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n--;
	return n == 0 ? s.len : n;
}

/* iconv reads far ahead of a character that it cannot write: where there is
 * one, pieces are short. */
static int
convert_out(iconv_t conv, struct popper_slice s, struct mangle_buffer *out)
{
	char piece[4096], *in = (char *)(uintptr_t)s.ptr, *to;
	size_t left = s.len, most = PIECE_MOST, part, rest, room, said, at;

	while (left > 0) {
		to = piece;
		room = sizeof(piece);
		part = rest = piece_of(popper_slice(in, left), most);
		said = iconv(conv, &in, &rest, &to, &room);
		left -= part - rest;
		if (mangle_buffer_add(
			out, popper_slice(piece, sizeof(piece) - room)) == -1)
			return -1;
		if (said != (size_t)-1)
			most = most < PIECE_MOST ? most * 2 : most;
		if (said != (size_t)-1 || errno == E2BIG)
			continue;
		most = PIECE_LEAST;
		if (left == 0)
			break;
		at = 0;
		if (instead(conv, mangle_character(popper_slice(in, left), &at),
			out) == -1)
			return -1;
		in += at;
		left -= at;
	}
	to = piece;
	room = sizeof(piece);
	(void)iconv(conv, NULL, NULL, &to, &room); /* back to ASCII */
	return mangle_buffer_add(
	    out, popper_slice(piece, sizeof(piece) - room));
}

static int
compose_and_convert(iconv_t c, struct popper_slice s, struct mangle_buffer *out)
{
	gchar *composed;
	int result;

	/* Decomposed letters (from file names of a Mac) have no other form in
	 * the old charsets. */
	composed =
	    g_utf8_normalize(s.ptr, (gssize)s.len, G_NORMALIZE_DEFAULT_COMPOSE);
	result = convert_out(
	    c, composed == NULL ? s : popper_slice_text(composed), out);
	g_free(composed);
	return result;
}

int
mangle_charset_out(
    const char *charset, struct popper_slice s, struct mangle_buffer *out)
{
	iconv_t c = open_out(charset);
	int result;

	if (c == (iconv_t)-1)
		return -1;
	result = compose_and_convert(c, s, out);
	(void)iconv_close(c);
	return result;
}

/* --- There and back again. --- */

bool
mangle_reduce_open(const char *charset, struct mangle_reduce *r)
{
	char name[MANGLE_NAME_MAX];

	*r = (struct mangle_reduce){ NULL, NULL };
	if (charset == NULL)
		return false;
	name_out(charset, name);
	if (strcmp(name, "UTF-8") == 0)
		return false;
	if ((r->out = open_out(charset)) == (iconv_t)-1) {
		r->out = NULL;
		return false;
	}
	if ((r->in = iconv_open("UTF-8", name)) == (iconv_t)-1) {
		(void)iconv_close(r->out);
		*r = (struct mangle_reduce){ NULL, NULL };
		return false;
	}
	return true;
}

int
mangle_reduce(const struct mangle_reduce *r, struct popper_slice s,
    struct mangle_buffer *out)
{
	struct mangle_buffer there;
	int result;

	mangle_buffer_start(&there, out->limit);
	result = compose_and_convert(r->out, s, &there);
	if (result == 0)
		result = mangle_charset_convert(
		    r->in, mangle_buffer_view(&there), out);
	mangle_buffer_free(&there);
	return result;
}

void
mangle_reduce_close(struct mangle_reduce *r)
{
	if (r->out != NULL) {
		(void)iconv_close(r->out);
		(void)iconv_close(r->in);
	}
	*r = (struct mangle_reduce){ NULL, NULL };
}
