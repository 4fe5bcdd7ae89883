/*
 * prepare.h - names and passwords as they are compared: SASLprep (RFC 4013).
 */
#ifndef AUTH_PREPARE_H
#define AUTH_PREPARE_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/error.h>
#include <popper/slice.h>

/**
 * prepare(out, size, text, error):
 * Prepare ${text} as a query string into ${size} octets at ${out}, with a NUL.
 * ASCII without control characters stays as it is.  0, or -1 with ${error}
 * POPPER_DENIED and ${out} wiped: ${text} is not well-formed UTF-8, has a
 * prohibited character, mixes directions, is empty in the end, or too long.
 */
int prepare(
    char *out, size_t size, struct popper_slice text, struct popper_error *);

/**
 * prepare_leaves(text):
 * Does preparing ${text} leave copies of it in memory that was given back?
 */
bool prepare_leaves(struct popper_slice text);

#endif
