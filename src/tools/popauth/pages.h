/*
 * pages.h - FILE.pag of an ndbm that is not GDBM's.
 *
 * The ndbm of 4BSD and of System V writes pages of 1024 octets: 16-bit numbers
 * in the machine's order, how many items and where each begins; the items, key
 * and value by turns, lie from the page's end down.  FILE.dir only says in
 * which page a key must be: who reads all of it does not need that.
 */
#ifndef POPAUTH_PAGES_H
#define POPAUTH_PAGES_H

#include "tools/popauth/database.h"

/** pages_are(fd): does it look like such a file, of either byte order? */
bool pages_are(int fd);

/** pages_walk(fd, path, each, arg, e): as database_walk_fd(). */
int pages_walk(int fd, const char *path,
    int (*each)(const struct entry *, void *), void *arg,
    struct popper_error *);

#endif
