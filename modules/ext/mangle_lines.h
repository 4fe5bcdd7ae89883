/*
 * mangle_lines.h - columns on a screen, and text filled into lines.
 */
#ifndef MANGLE_LINES_H
#define MANGLE_LINES_H

#include <stdint.h>

#include "mangle_buffer.h"

/* Text that has no lines of its own (HTML, format=flowed) gets this many
 * columns if no number was asked for. */
#define MANGLE_COLUMNS 76
/* No line is longer than this, in octets of UTF-8: RFC 5322, 2.1.1 allows 998,
 * and other charsets may need some more. */
#define MANGLE_LINE_OCTETS 900

#define MANGLE_REPLACEMENT "\357\277\275" /* U+FFFD */

/** mangle_character(s, at): the character at ${at} of the UTF-8 text ${s}, and
 * ${at} moved behind it; octets that are no UTF-8 give U+FFFD one by one. */
uint32_t mangle_character(struct popper_slice s, size_t *at);

/** mangle_put(b, c): append the character ${c}.  0, or -1: full. */
int mangle_put(struct mangle_buffer *, uint32_t c);

/** mangle_columns(s): how many columns ${s} takes: wide characters two,
 * combining and invisible ones none. */
size_t mangle_columns(struct popper_slice);

struct mangle_fill {
	struct popper_slice first, rest; /* what lines begin with */
	size_t columns; /* including that; 0: any number */
	size_t octets; /* likewise; 0: MANGLE_LINE_OCTETS */
	bool plain_space; /* write U+00A0 as a space */
};

/** mangle_fill(f, text, out): append ${text}, which has no LF, as lines: broken
 * at spaces and between CJK characters, never in a word unless it is too long
 * for a mail.  0, or -1: full. */
int mangle_fill(const struct mangle_fill *, struct popper_slice text,
    struct mangle_buffer *out);

/** mangle_clean(utf8, out): append ${utf8} with LF as line ends and without
 * what no reader should see: controls, zero-width spaces, characters that
 * reorder text.  0, or -1: full. */
int mangle_clean(struct popper_slice utf8, struct mangle_buffer *out);

/** mangle_next_line(text, line): cut the first line off ${text}, without its
 * LF. False: there is none. */
bool mangle_next_line(struct popper_slice *text, struct popper_slice *line);

/** mangle_inline(text, out): append the lines of ${text}, but notes instead of
 * uuencoded files in it.  0, or -1: full. */
int mangle_inline(struct popper_slice text, struct mangle_buffer *out);

#endif
