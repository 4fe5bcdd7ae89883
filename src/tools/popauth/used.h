/* used.h - when app passwords were last used: what the app module writes. */
#ifndef POPAUTH_USED_H
#define POPAUTH_USED_H

#include <popper/slice.h>

#include "tools/popauth/popauth.h"

#define USED_FILE "/var/lib/popper/.app-last-use"

/**
 * used_open(path, change): the file, locked; for reading unless ${change}.
 * Returns a descriptor, or -1 with errno.
 */
int used_open(const char *path, bool change);

/**
 * used_when(fd, hash):
 * Seconds since 1970 when the app password with ${hash}, as in the file of app
 * passwords, was last used; 0 if it is not known.
 */
uint64_t used_when(int fd, struct popper_slice hash);

/** used_forget(fd, hash): free its record.  Best effort. */
void used_forget(int fd, struct popper_slice hash);

#endif
