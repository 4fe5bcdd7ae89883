/*
 * header.h - the header of a message, for people and for checks.
 */
#ifndef POPPERCTL_HEADER_H
#define POPPERCTL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#define HEADER_MAX 65536 /* octets that are looked at */

/**
 * header_read(fd, text, size):
 * Read the first ${size} octets of the file, or all of it.  Returns how many,
 * or -1 with errno.
 */
long header_read(int fd, char *text, size_t size);

/**
 * header_field(text, len, name, out, size):
 * Store in ${out} the value of the first field ${name} of the message that
 * begins with ${len} octets at ${text}, unfolded, without blanks around it,
 * cut to fit.  False if the header has none.
 */
bool header_field(
    const char *text, size_t len, const char *name, char *out, size_t size);

#endif
