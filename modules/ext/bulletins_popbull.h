/*
 * bulletins_popbull.h - a file that holds one user's number.
 *
 * As the first poppers write it: the number and a line end.  Used by the module
 * bulletins and by popperctl; needs no library.
 */
#ifndef BULLETINS_POPBULL_H
#define BULLETINS_POPBULL_H

#include <stdint.h>
#include <sys/types.h>

enum popbull {
	POPBULL_ERROR = -1, /* errno */
	POPBULL_NONE, /* no file, or no number in it */
	POPBULL_EMPTY, /* a file without an octet */
	POPBULL_NUMBER
};

/**
 * bulletins_popbull_read(path, owner, number):
 * EPERM: the file is not ${owner}'s alone, or not a regular one.
 */
enum popbull bulletins_popbull_read(
    const char *path, uid_t owner, int64_t *number);

/**
 * bulletins_popbull_make(path): make the file, mode 0600, without a number,
 * unless it is there.  Returns 0, or -1 with errno and no file made.
 */
int bulletins_popbull_make(const char *path);

/**
 * bulletins_popbull_write(path, number): put it into the file that is there,
 * which is at no moment without a number.  Returns 0, or -1 with errno.
 */
int bulletins_popbull_write(const char *path, int64_t number);

#endif
