/*
 * mangle_arguments.h - what a client says behind RETR, TOP and LIST:
 *
 *	X-MANGLE(text=plain;headers=to:,subject:;charset=utf-8;wrap=72)
 *
 * X-MANGLE, MANGLE and XMANGLE are the same; the parentheses may be left out
 * with all that is in them.  No letter's case matters.
 */
#ifndef MANGLE_ARGUMENTS_H
#define MANGLE_ARGUMENTS_H

#include "mangle_macros.h"
#include "mangle_text.h"

#define MANGLE_CHARSET_MAX 40
#define MANGLE_HEADERS_MAX 400
#define MANGLE_LANG_MAX 35 /* a tag of RFC 5646 */
#define MANGLE_WRAP_LEAST 20
#define MANGLE_WRAP_MOST 998 /* RFC 5322 section 2.1.1 */

/* Which headers, if the client does not say. */
#define MANGLE_HEADERS \
	"to:,cc:,subject:,from:,date:,reply-to:,x-priority:,x-uidl:"

struct mangle_arguments {
	enum mangle_kind text;
	char charset[MANGLE_CHARSET_MAX + 1]; /* lower case; maybe unknown */
	/* Prefixes of "name:" in lower case, with commas between. */
	char headers[MANGLE_HEADERS_MAX + 1];
	char lang[MANGLE_LANG_MAX + 1]; /* lower case, or "" */
	unsigned wrap; /* columns, or 0 */
};

/** mangle_arguments_are(s): does ${s} begin as such an argument does? */
bool mangle_arguments_are(struct popper_slice);

/** mangle_arguments_default(a): those of X-MANGLE alone. */
void mangle_arguments_default(struct mangle_arguments *);

/**
 * mangle_arguments_parse(s, macros, a):
 * Take ${s} apart.  An element without "=" is the name of one of ${macros}
 * (MDEF), which stands for its value.  Names of attributes and the values of
 * text= may be abbreviated; an attribute that we do not know is passed over,
 * as is a value of wrap= that is no number of columns.  False: the syntax is
 * wrong, or something is too long.
 */
bool mangle_arguments_parse(struct popper_slice, const struct mangle_macros *,
    struct mangle_arguments *);

/** mangle_arguments_match(headers, name): is the header ${name} (without
 * colon) wanted? */
bool mangle_arguments_match(const char *headers, const char *name);

/** mangle_arguments_same(a, b): do they ask for the same? */
bool mangle_arguments_same(
    const struct mangle_arguments *, const struct mangle_arguments *);

#endif
