/*
 * mangle_charset.h - the names of charsets, and characters that others lack.
 */
#ifndef MANGLE_CHARSET_H
#define MANGLE_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#include "mangle_buffer.h"

#define MANGLE_NAME_MAX 64 /* octets of a name with its NUL */

/** mangle_charset_name(label, name): what iconv calls the charset that mails
 * call ${label}: the superset in use where a label is used loosely ("gb2312" is
 * GB18030), "" for labels that say nothing ("unknown-8bit", "us-ascii"). */
void mangle_charset_name(const char *label, char name[MANGLE_NAME_MAX]);

/** mangle_charset_convert(in, octets, out): append ${octets} by iconv's ${in}
 * to UTF-8.  0, or -1: full. */
int mangle_charset_convert(
    void *in, struct popper_slice octets, struct mangle_buffer *out);

/* Text as it will be once it is in another charset: lines are filled and
 * columns aligned with the letters that the reader will see. */
struct mangle_reduce {
	void *out, *in; /* of iconv */
};

/** mangle_reduce_open(charset, r): false: nothing is to be done, for UTF-8 or
 * NULL, or there is no such charset. */
bool mangle_reduce_open(const char *charset, struct mangle_reduce *);

/** mangle_reduce(r, utf8, out): append ${utf8} without what the charset lacks,
 * still as UTF-8.  0, or -1: full. */
int mangle_reduce(const struct mangle_reduce *, struct popper_slice utf8,
    struct mangle_buffer *out);
void mangle_reduce_close(struct mangle_reduce *);

#define MANGLE_INSTEAD_MAX 32

#define MANGLE_WAYS 5
/** mangle_translit(c, way, text): what to write instead of ${c} in one of the
 * MANGLE_WAYS, best first: UTF-8 in ${text}, maybe empty.  False: no such. */
bool mangle_translit(uint32_t c, unsigned way, char text[MANGLE_INSTEAD_MAX]);

#endif
