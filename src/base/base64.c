/*
 * base64.c - RFC 4648 section 4, strict.
 *
 * Runs in: any process.  Pure: works on memory, fuzzed.
 */
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The six bits that ${c} stands for, or -1. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

/* Encode 1 to 3 octets as four characters. */
static void
encode_group(const unsigned char *p, size_t len, char out[4])
{
	uint32_t bits = (uint32_t)p[0] << 16;

	if (len > 1)
		bits |= (uint32_t)p[1] << 8;
	if (len > 2)
		bits |= p[2];
	out[0] = alphabet[bits >> 18];
	out[1] = alphabet[bits >> 12 & 63];
	out[2] = '=';
	out[3] = '=';
	if (len > 1)
		out[2] = alphabet[bits >> 6 & 63];
	if (len > 2)
		out[3] = alphabet[bits & 63];
}

void
base64_encode(struct popper_slice in, char *out)
{
	const unsigned char *p = (const unsigned char *)in.ptr;
	size_t at, left;

	for (at = 0; at < in.len; at += 3, out += 4) {
		left = in.len - at;
		encode_group(p + at, left < 3 ? left : 3, out);
	}
}

/*
 * Decode four characters into at most 3 octets.  Returns how many, or 0.
 * Padding is taken only if ${last}.
 */
static size_t
decode_group(const char *p, bool last, unsigned char out[3])
{
	uint32_t bits = 0;
	size_t i, digits = 4;
	int v;

	if (last && p[3] == '=')
		digits = p[2] == '=' ? 2 : 3;
	for (i = 0; i < 4; i++) {
		v = i < digits ? value_of(p[i]) : 0;
		if (v == -1)
			return 0;
		bits = bits << 6 | (uint32_t)v;
	}
	out[0] = (unsigned char)(bits >> 16);
	out[1] = (unsigned char)(bits >> 8);
	out[2] = (unsigned char)bits;
	if ((digits == 2 && (bits & 0xffff) != 0) ||
	    (digits == 3 && (bits & 0xff) != 0))
		return 0; /* two spellings of one text are one too many */
	return digits - 1;
}

bool
base64_decode(struct popper_slice in, void *out, size_t size, size_t *len)
{
	unsigned char group[3] = { 0 };
	char *to = out;
	size_t at, n, done = 0;

	if (in.len % 4 != 0)
		return false;
	for (at = 0; at < in.len; at += 4) {
		n = decode_group(in.ptr + at, at + 4 == in.len, group);
		if (n == 0 || n > size - done)
			return false;
		memcpy(to + done, group, n);
		done += n;
	}
	*len = done;
	return true;
}
