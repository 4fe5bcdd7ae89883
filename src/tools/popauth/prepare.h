/* prepare.h - passwords as they are stored: SASLprep (RFC 4013). */
#ifndef POPAUTH_PREPARE_H
#define POPAUTH_PREPARE_H

#include <stddef.h>

#include <popper/error.h>

/**
 * prepare_stored(password, size, e):
 * Prepare ${password}, in place, as a stored string: what a client types in
 * another way of writing the same letters is then the same.  ASCII stays as it
 * is.  Returns 0, or -1: it is not UTF-8, or has characters that are not for
 * passwords.
 */
int prepare_stored(char *password, size_t size, struct popper_error *);

#endif
