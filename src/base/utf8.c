/*
 * utf8.c - UTF-8 as RFC 3629 has it.
 *
 * Runs in: any process.  Pure: works on memory.
 */
#include "base/utf8.h"

bool
utf8_is_ascii(struct popper_slice s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.len; i++)
		all |= (unsigned char)s.ptr[i];
	return all < 0x80;
}

/* How many octets follow the first one of a character; -1: it is none. */
static int
followers(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

/* May ${second} follow ${first}?  Overlong forms, surrogates and what lies
 * beyond the last code point show here. */
static bool
is_second(unsigned char first, unsigned char second)
{
	unsigned char least = first == 0xe0 ? 0xa0
	    : first == 0xf0                 ? 0x90
					    : 0x80;
	unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= least && second <= most;
}

bool
utf8_is_proper(struct popper_slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t at = 0, n;
	int more;

	while (at < s.len) {
		more = followers(p[at]);
		n = (size_t)more;
		if (more == -1 || s.len - at - 1 < n ||
		    (n > 0 && !is_second(p[at], p[at + 1])))
			return false;
		for (size_t i = 2; i <= n; i++)
			if ((p[at + i] & 0xc0) != 0x80)
				return false;
		at += n + 1;
	}
	return true;
}
