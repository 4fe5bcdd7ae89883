/* text.h - C strings with a known room, and octets made fit for the log. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <popper/slice.h>

/** text_copy(out, size, text): copy with its NUL; false if it does not fit. */
bool text_copy(char *out, size_t size, const char *text);

/**
 * text_from_slice(out, size, s):
 * Copy ${s} and end it with NUL.  False, and an empty ${out}, if it does not
 * fit or holds a NUL.
 */
bool text_from_slice(char *out, size_t size, struct popper_slice s);

/**
 * text_escape(out, size, s):
 * Copy ${s} into ${out} with every octet outside 0x20 to 0x7e, and every
 * backslash, written as \xNN; cut at a whole octet; always ends with NUL.
 */
void text_escape(char *out, size_t size, struct popper_slice s);

/**
 * text_is_visible(s): every octet is in 0x21 to 0x7e, and there is one.
 */
bool text_is_visible(struct popper_slice s);

/** text_is(s, word): ${s} spells ${word}, ASCII letters in any case. */
bool text_is(struct popper_slice s, const char *word);

/** text_print(out, size, format, ...): snprintf that says if it all fitted. */
bool text_print(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
