/*
 * bulletins_db_file.h - one look into bulldb, and one change of it.
 *
 * Between bulletins_db.c, which knows who waits and what is told, and GDBM.
 */
#ifndef BULLETINS_DB_FILE_H
#define BULLETINS_DB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <popper/slice.h>

#define BULLETINS_DB_TRY 250 /* milliseconds */

struct bulletins_db_file {
	int fd; /* open for reading and writing */
	const char *path;
	const char *user;
	int64_t number; /* found, or to be stored */
	int64_t wait; /* milliseconds, for a lock */
	int rescue; /* a folder to make a file in, or -1 */
};

enum bulletins_db_result {
	DB_DONE,
	DB_ABSENT, /* no such user */
	DB_BUSY, /* somebody else has the lock */
	DB_FOREIGN, /* not GDBM's, or of another machine: not to be touched */
	DB_DAMAGED,
	DB_FAILED /* errno */
};

/**
 * bulletins_db_lock(f, exclusive): wait for the lock, at most f->wait.  False:
 * not got.  It goes when f->fd is closed, or by bulletins_db_unlock.
 */
bool bulletins_db_lock(struct bulletins_db_file *, bool exclusive);
void bulletins_db_unlock(struct bulletins_db_file *);

/* With the lock; put and renew with the exclusive one.  An empty file is an
 * empty database.  put lets go of the lock. */
enum bulletins_db_result bulletins_db_file_get(struct bulletins_db_file *);
enum bulletins_db_result bulletins_db_file_put(struct bulletins_db_file *);

/**
 * bulletins_db_file_renew(f, kept): make the database anew, in place, from
 * what can be read of it; ${kept} says how many.  False: it could not be.
 */
bool bulletins_db_file_renew(struct bulletins_db_file *, size_t *kept);

struct bulletins_db_record {
	char *user;
	int64_t number;
};

/**
 * bulletins_db_make(f, records, count): begin the database anew, in place,
 * with the records.  With the exclusive lock.
 */
bool bulletins_db_make(struct bulletins_db_file *,
    const struct bulletins_db_record *, size_t count);

/** bulletins_db_decode(value, number): a long of 4 or 8 octets, of either byte
 * order. */
bool bulletins_db_decode(struct popper_slice value, int64_t *number);

/**
 * bulletins_db_walk(f, each, arg): call ${each} for each user.  Returns 0, or
 * -1 if not all could be read or ${each} said so.
 */
int bulletins_db_walk(struct bulletins_db_file *,
    int (*each)(void *arg, const char *user, int64_t number), void *arg);

#endif
