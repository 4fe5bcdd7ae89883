/* base64.h - RFC 4648 section 4, strict: nothing is skipped or guessed. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/slice.h>

/* Octets needed to encode ${n} octets, without a NUL. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/** base64_encode(in, out): write BASE64_LEN(in.len) octets, no NUL, to out. */
void base64_encode(struct popper_slice in, char *out);

/**
 * base64_decode(in, out, size, len):
 * Decode all of ${in} into at most ${size} octets.  False for any octet that
 * is not of the alphabet, padding anywhere but at the end, pad bits that are
 * not zero, a length that is no multiple of 4, or lack of room.
 */
bool base64_decode(
    struct popper_slice in, void *out, size_t size, size_t *len);

#endif
