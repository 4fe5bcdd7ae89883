/*
 * mbox_header.c - how a message begins, and where its body does.
 *
 * Runs in: the session, as the user.
 */
#include <string.h>

#include "mbox.h"
#include "mbox_header.h"
#include "mbox_pad.h"

static uint64_t
add_to_sum(uint64_t sum, const char *text, size_t len)
{
	uint64_t word;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = len < sizeof(word) ? len : sizeof(word);
		word = 0;
		memcpy(&word, text, n);
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
	}
	return sum;
}

/* May it begin a field in which programs keep notes?  See mbox_is_private. */
static bool
may_be_private(char c)
{
	return c == 'S' || c == 's' || c == 'X' || c == 'x' || c == 'C' ||
	    c == 'c';
}

bool
mbox_header(const char *text, size_t len, size_t from_len, uint32_t *result,
    size_t *seen)
{
	size_t line = mbox_line_len(text, from_len), at = from_len, n;
	uint64_t sum = add_to_sum(0, text, line);
	bool skip = false, ended = false;
	const char *lf;

	if (line >= MBOX_HEAD_MAX)
		len = from_len;
	else if (len > from_len + (MBOX_HEAD_MAX - line))
		len = from_len + (MBOX_HEAD_MAX - line);
	for (; at < len && !ended; at += n) {
		lf = memchr(text + at, '\n', len - at);
		n = lf == NULL ? len - at : (size_t)(lf + 1 - text) - at;
		ended = lf != NULL && (n == 1 || (n == 2 && text[at] == '\r'));
		if (text[at] != ' ' && text[at] != '\t')
			skip = may_be_private(text[at]) &&
			    mbox_is_private(popper_slice(text + at, n));
		if (!skip && !ended)
			sum = add_to_sum(sum, text + at, n);
	}
	*result = (uint32_t)sum;
	*seen = at;
	return ended;
}

uint32_t
mbox_head_sum(const char *text, size_t len, size_t from_len)
{
	uint32_t sum;
	size_t seen;

	(void)mbox_header(text, len, from_len, &sum, &seen);
	return sum;
}

size_t
mbox_body(const char *text, size_t len)
{
	const char *lf = text, *end = text + len;

	for (; (lf = memchr(lf, '\n', (size_t)(end - lf))) != NULL; lf++)
		if (lf[-1] == '\n' || (lf[-1] == '\r' && lf[-2] == '\n'))
			return (size_t)(lf + 1 - text);
	return 0;
}

uint16_t
mbox_head_len(const struct mbox_record *r, uint64_t end)
{
	uint64_t from = r->offset + r->from_len, len;

	len = (end < r->end ? end : r->end) - from;
	return len < UINT16_MAX ? (uint16_t)len : UINT16_MAX;
}
