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

#include <stdbool.h>

#include <popper/error.h>
#include <popper/slice.h>

/* Returns 0 to go on, or -1 with errno. */
typedef int (*pages_each)(
    struct popper_slice key, struct popper_slice value, void *arg);

/** pages_are(fd): does it look like such a file, of either byte order? */
bool pages_are(int fd);

/**
 * pages_walk(fd, path, each, arg, e):
 * Call ${each} for each item; it dies at return.  Closes ${fd}.  Returns 0, or
 * -1 if not all could be read or ${each} said so.
 */
int pages_walk(
    int fd, const char *path, pages_each, void *arg, struct popper_error *);

#endif
