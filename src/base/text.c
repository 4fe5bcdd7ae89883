/*
 * text.c - C strings with a known room, and octets made fit for the log.
 *
 * Runs in: any process.  Pure: works on memory.
 */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool
text_copy(char *out, size_t size, const char *text)
{
	return text_from_slice(out, size, popper_slice_text(text));
}

bool
text_from_slice(char *out, size_t size, struct popper_slice s)
{
	if (size == 0)
		return false;
	out[0] = '\0';
	if (s.len == 0)
		return true;
	if (s.len >= size || memchr(s.ptr, '\0', s.len) != NULL)
		return false;
	memmove(out, s.ptr, s.len);
	out[s.len] = '\0';
	return true;
}

void
text_escape(char *out, size_t size, struct popper_slice s)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, n = 0;
	unsigned char c;

	if (size == 0)
		return;
	for (i = 0; i < s.len; i++) {
		c = (unsigned char)s.ptr[i];
		if (c >= 0x20 && c <= 0x7e && c != '\\') {
			if (size - n < 2)
				break;
			out[n++] = s.ptr[i];
			continue;
		}
		if (size - n < 5)
			break;
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n] = '\0';
}

bool
text_is_visible(struct popper_slice s)
{
	const uint64_t ones = UINT64_MAX / 255, highs = ones << 7;
	uint64_t word;
	size_t i;

	/* Eight at once: octets from 0x80 on have the high bit, 0x7f gets it by
	 * one more, those below 0x21 borrow it.  What a carry or a borrow does
	 * to others is no matter: the octet it came from is wrong. */
	for (i = 0; s.len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s.ptr + i, sizeof(word));
		if (((word | (word + ones) | (word - 0x21 * ones)) & highs) !=
		    0)
			return false;
	}
	for (; i < s.len; i++)
		if (s.ptr[i] < 0x21 || s.ptr[i] > 0x7e)
			return false;
	return s.len > 0;
}

/* Not tolower(3): a library may have set a locale. */
static int
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool
text_is(struct popper_slice s, const char *word)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (word[i] == '\0' || fold(s.ptr[i]) != fold(word[i]))
			return false;
	return word[i] == '\0';
}

bool
text_print(char *out, size_t size, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out, size, format, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}
