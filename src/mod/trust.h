/* trust.h - could anybody but root and us have written this file? */
#ifndef MOD_TRUST_H
#define MOD_TRUST_H

#include <stddef.h>

#include <popper/error.h>

/**
 * trust_path(path, out, size, error):
 * Resolve ${path} and check that it is a regular file and that it and every
 * folder above it belong to root or to us and cannot be written by group or
 * others (a sticky folder such as /tmp may).  Writes the resolved path to
 * ${out}.  0, or -1 with the object and the remedy in ${error}; POPPER_ABSENT
 * if it does not exist.
 */
int trust_path(
    const char *path, char *out, size_t size, struct popper_error *);

#endif
