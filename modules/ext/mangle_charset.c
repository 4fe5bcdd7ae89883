/*
 * mangle_charset.c - from any charset to UTF-8 and back, with iconv.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>

#define CHARSET_MAX 64

bool
mangle_charset_known(const char *name)
{
	iconv_t c;

	if (name[0] == '\0' || strlen(name) > CHARSET_MAX)
		return false;
	c = iconv_open(name, "UTF-8");
	if (c == (iconv_t)-1)
		return false;
	(void)iconv_close(c);
	c = iconv_open("UTF-8", name);
	if (c == (iconv_t)-1)
		return false;
	(void)iconv_close(c);
	return true;
}

/* Convert; ${instead} stands for what cannot be, and ${skip} says how many
 * octets that is. */
static int
convert(iconv_t c, struct popper_slice s, const char *instead,
    size_t (*skip)(struct popper_slice), struct mangle_buffer *out)
{
	/* iconv(3) reads through a pointer that is not const. */
	union {
		const char *is;
		char *as;
	} at = { .is = s.ptr };
	char piece[4096], *in = at.as, *to;
	size_t left = s.len, room, n, said = 0;

	while (left > 0) {
		to = piece;
		room = sizeof(piece);
		said = iconv(c, &in, &left, &to, &room);
		if (mangle_buffer_add(
			out, popper_slice(piece, sizeof(piece) - room)) == -1)
			return -1;
		if (said != (size_t)-1 || errno == E2BIG)
			continue;
		if (mangle_buffer_add_text(out, instead) == -1)
			return -1;
		n = skip(popper_slice(in, left));
		in += n;
		left -= n;
	}
	to = piece;
	room = sizeof(piece);
	(void)iconv(c, NULL, NULL, &to, &room);
	return mangle_buffer_add(
	    out, popper_slice(piece, sizeof(piece) - room));
}

static size_t
skip_octet(struct popper_slice s)
{
	(void)s;
	return 1;
}

static size_t
skip_character(struct popper_slice s)
{
	size_t n = 1;

	while (n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n++;
	return n;
}

int
mangle_charset_in(
    const char *charset, struct popper_slice s, struct mangle_buffer *out)
{
	iconv_t c = (iconv_t)-1;
	int result;

	if (charset[0] != '\0' && strlen(charset) <= CHARSET_MAX)
		c = iconv_open("UTF-8", charset);
	if (c == (iconv_t)-1)
		c = iconv_open("UTF-8", "UTF-8");
	if (c == (iconv_t)-1)
		return -1;
	result = convert(c, s, "\357\277\275", skip_octet, out);
	(void)iconv_close(c);
	return result;
}

int
mangle_charset_out(
    const char *charset, struct popper_slice s, struct mangle_buffer *out)
{
	char name[CHARSET_MAX + sizeof("//TRANSLIT")];
	iconv_t c;
	int result;

	if (strlen(charset) > CHARSET_MAX)
		return -1;
	(void)snprintf(name, sizeof(name), "%s//TRANSLIT", charset);
	if ((c = iconv_open(name, "UTF-8")) == (iconv_t)-1)
		return -1;
	result = convert(c, s, "?", skip_character, out);
	(void)iconv_close(c);
	return result;
}
