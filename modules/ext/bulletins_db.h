/*
 * bulletins_db.h - the database bulldb: who has got which number.
 *
 * A GDBM file that all users' sessions share.  The key is the name with a NUL,
 * the value a C long of the machine, as the first poppers have it.  Used by
 * the module bulletins and by popperctl.
 */
#ifndef BULLETINS_DB_H
#define BULLETINS_DB_H

#include <popper/module.h>

#define BULLETINS_DB_NAME "bulldb"
#define BULLETINS_DB_PAG "bulldb.pag" /* of ndbm, if it is GDBM's own */

struct bulletins_db {
	const struct popper_host *host;
	const char *folder;
	uint64_t tries; /* of 250 ms each, until another one lets go */
	int rescue; /* descriptor of a folder to work in, or -1 */
};

/**
 * bulletins_db_path(db, path, size):
 * Store the database's name, of the two that is there.  Returns 0, or -1 with
 * errno.
 */
int bulletins_db_path(const struct bulletins_db *, char *path, size_t size);

/**
 * bulletins_db_get(db, user, number, e): 1 with the number, 0: no record, -1.
 */
int bulletins_db_get(const struct bulletins_db *, const char *user,
    int64_t *number, struct popper_error *);

/**
 * bulletins_db_put(db, user, number, e):
 * Store it.  A database that was damaged, by a process that was killed, is
 * made anew from what can be read of it, in place.  Returns 0 or -1.
 */
int bulletins_db_put(const struct bulletins_db *, const char *user,
    int64_t number, struct popper_error *);

#endif
