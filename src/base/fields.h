/*
 * fields.h - one line of the log as an event and key=value fields.
 *
 *	login from=192.0.2.4 user="mary" messages=3
 *
 * Numbers and words of ours stand as they are; every text that somebody else
 * had a say in stands in double quotes, with each quote, backslash, "=" and
 * octet outside printable ASCII written as \xNN.  So a value can neither end
 * its field nor look like another, even to a reader that knows no quotes.
 */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include "base/log.h"

struct fields {
	size_t len;
	char text[LOG_LINE_MAX + 1];
};

void fields_start(struct fields *, const char *event);
/** fields_word(f, key, word): octets that a word cannot have become "_", and
 * an empty one is "-". */
void fields_word(struct fields *, const char *key, const char *word);
/** fields_text(f, key, text): in quotes, at most 300 octets. */
void fields_text(struct fields *, const char *key, const char *text);
void fields_number(struct fields *, const char *key, uint64_t);
/** fields_log(f, level): write it.  A field that did not fit is missing. */
void fields_log(const struct fields *, enum popper_level);

#endif
