/*
 * replace.h - change a file so that it is always whole.
 *
 * The new file is made beside the old one, written, synced and renamed over
 * it, all under a lock on FILE.lock.  Whoever is killed leaves the old file or
 * the new one, and at most a FILE.new that the next change removes.
 */
#ifndef POPAUTH_REPLACE_H
#define POPAUTH_REPLACE_H

#include <signal.h>

#include "tools/popauth/popauth.h"

struct replacement {
	const char *path; /* the caller's */
	char name[256], fresh[256], lock_name[256]; /* within the folder */
	int folder, lock;
	int old; /* the file as it was, or -1: there is none */
	int fd; /* FILE.new: write to it */
	sigset_t mask; /* of before */
};

/**
 * replace_open(path, folder, name, size, e):
 * Open the folder of ${path} (${folder}, the caller closes it) and the file in
 * it for reading, as replace_begin() does.  The folder must belong to root or
 * to us and be closed to writers of other groups; the file must be a regular
 * one without rights for group and others, ours or root's, or anybody's if we
 * are root.  Returns a descriptor, -1 with POPPER_ABSENT if there is no file,
 * or -1 with another status.
 */
int replace_open(const char *path, int *folder, char *name, size_t size,
    struct popper_error *);

/**
 * replace_begin(r, path, e):
 * Wait for the lock and make FILE.new, empty, of the old file's owner, with
 * mode 600.  Signals that stop or end us wait until replace_end().  Returns 0,
 * or -1 with the error filled and nothing left open.
 */
int replace_begin(
    struct replacement *, const char *path, struct popper_error *);

/**
 * replace_commit(r, e): sync FILE.new, rename it over FILE, sync the folder.
 * Returns 0, or -1: the old file is still there, unless the text says that
 * only the folder could not be synced.
 */
int replace_commit(struct replacement *, struct popper_error *);

/** replace_end(r): remove FILE.new if it is still there, let the lock go. */
void replace_end(struct replacement *);

#endif
