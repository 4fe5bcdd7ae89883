/*
 * mbox_pad.h - a header field that only takes up room.
 *
 * Where whole blocks are cut out of an mbox (doc/why/collapse.md) less than a
 * block of what was removed is left over.  It becomes one field behind the
 * separator line of the next message:
 *
 *	From sender date
 *	X-Popper-Space: 0123456789abcdef
 *		..............................................
 *		......From sender date
 *	Received: ...
 *
 * It ends with the separator line, once more.  A field that is not exactly of
 * this form is one of the message, like any other; so nobody can send one: the
 * separator line has the second of the delivery, and a delivery program puts
 * its own fields there first.
 */
#ifndef MBOX_PAD_H
#define MBOX_PAD_H

#include <string.h>

#include "mbox.h"

#define MBOX_PAD_FIELD "X-Popper-Space:"
/* Longer than a separator line, so that who has a length knows what it is. */
#define MBOX_PAD_LEAST MBOX_FROM_MAX
/* Octets of a separator line that may be padded. */
#define MBOX_PAD_LINE 512u

/**
 * mbox_pad(text, len, line):
 * Is there a pad behind the separator line, which has ${line} octets, at
 * ${text}?  Its octets, or 0.  ${len} octets may be looked at.
 */
size_t mbox_pad(const char *text, size_t len, size_t line);

/**
 * mbox_pad_make(pad, len, nonce, line):
 * Write one of ${len} octets, from MBOX_PAD_LEAST to MBOX_PAD_MAX, for the
 * separator ${line}, which ends in LF.
 */
void mbox_pad_make(
    char *pad, size_t len, uint64_t nonce, struct popper_slice line);

/**
 * mbox_lead(text, len):
 * Does a separator line begin at ${text}?  As mbox_from, but with the pad
 * behind it, if there is one in the ${len} octets that may be looked at.
 */
size_t mbox_lead(const char *text, size_t len);

/** mbox_line_len(text, from_len): of the separator line alone, of a record
 * that begins with ${text}. */
static inline size_t
mbox_line_len(const char *text, size_t from_len)
{
	const char *lf;

	if (from_len <= MBOX_FROM_MAX)
		return from_len;
	lf = memchr(text, '\n', from_len);
	return lf == NULL ? from_len : (size_t)(lf - text) + 1;
}

#endif
