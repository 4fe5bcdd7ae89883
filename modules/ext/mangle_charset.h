/*
 * mangle_charset.h - the names of charsets, and characters that others lack.
 */
#ifndef MANGLE_CHARSET_H
#define MANGLE_CHARSET_H

#include <stdbool.h>
#include <stdint.h>

#define MANGLE_CHARSET_MAX 64 /* octets of a name with its NUL */

/** mangle_charset_name(label, name): what iconv calls the charset that mails
 * call ${label}: the superset in use where a label is used loosely ("gb2312" is
 * GB18030), "" for labels that say nothing ("unknown-8bit", "us-ascii"). */
void mangle_charset_name(const char *label, char name[MANGLE_CHARSET_MAX]);

#define MANGLE_INSTEAD_MAX 32

#define MANGLE_WAYS 5
/** mangle_translit(c, way, text): what to write instead of ${c} in one of the
 * MANGLE_WAYS, best first: UTF-8 in ${text}, maybe empty.  False: no such. */
bool mangle_translit(uint32_t c, unsigned way, char text[MANGLE_INSTEAD_MAX]);

#endif
