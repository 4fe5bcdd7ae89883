/*
 * database.h - the mailauth database: who has which secret for APOP.
 *
 * A GDBM file in the layout of the first popper's popauth, so that a file of
 * either serves both: the key is the name and a NUL; the value is the secret
 * with every bit turned over, a NUL, a SCRAM-MD5 verifier (which we keep but do
 * not use) and a NUL.  Turned over is not encrypted: the mode protects it.
 */
#ifndef POPAUTH_DATABASE_H
#define POPAUTH_DATABASE_H

#include "tools/popauth/popauth.h"

#define DATABASE_SECRET_MAX 255

struct entry {
	char user[POPPER_USER_MAX + 1];
	char secret[DATABASE_SECRET_MAX + 1]; /* "": none for APOP */
	bool scram; /* it has a SCRAM-MD5 verifier */
	bool kept; /* database_import(): it was there already */
};

/**
 * database_init(path, safe, e):
 * An empty one, in place of one that is there; ${safe}: unless there is one.
 * Returns 1 if it was made, 0 if not, -1 with the error filled.
 */
int database_init(const char *path, bool safe, struct popper_error *);

/**
 * database_get(path, user, entry, e):
 * Fill ${entry}, which the caller wipes.  POPPER_ABSENT if there is no
 * database or nobody of that name.
 */
int database_get(
    const char *path, const char *user, struct entry *, struct popper_error *);

/**
 * database_set(path, user, secret, had, e):
 * Give ${user} a ${secret}, or remove him if it is NULL; ${had} says if he was
 * there.  Returns 0, or -1 with the error filled and nothing changed.
 */
int database_set(const char *path, const char *user, const char *secret,
    bool *had, struct popper_error *);

/**
 * database_walk(path, each, arg, e):
 * Call ${each} for all entries, in no order, until it returns other than 0.
 * Records that make no sense are passed by, and ${each} gets NULL for them.
 */
int database_walk(const char *path, int (*each)(const struct entry *, void *),
    void *arg, struct popper_error *);

/**
 * database_import(path, entries, count, e):
 * Put ${count} entries in, in one change.  Who has a secret already keeps it,
 * and is marked so.
 */
int database_import(
    const char *path, struct entry *, size_t count, struct popper_error *);

/** database_decode(key, value, entry): false if that is no record. */
bool database_decode(
    struct popper_slice key, struct popper_slice value, struct entry *);

/** database_walk_fd(fd, path, each, arg, e): database_walk() for an open file
 * of another place; ${fd} is used up. */
int database_walk_fd(int fd, const char *path,
    int (*each)(const struct entry *, void *), void *arg,
    struct popper_error *);

#endif
