/*
 * bulletins_without_gdbm.c - no database: configured without GDBM.
 *
 * Runs in: the session, as the user; popperctl.
 */
#include "bulletins_db.h"

#include <errno.h>

static int
fail(const struct bulletins_db *db, struct popper_error *e)
{
	return db->host->fail(e, POPPER_TEMPORARY,
	    "%s: this popper was built without GDBM; leave out the option "
	    "bulldb",
	    db->folder);
}

int
bulletins_db_path(const struct bulletins_db *db, char *path, size_t size)
{
	(void)db;
	if (size > 0)
		path[0] = '\0';
	errno = ENOSYS;
	return -1;
}

int
bulletins_db_get(const struct bulletins_db *db, const char *user,
    int64_t *number, struct popper_error *e)
{
	(void)user;
	*number = 0;
	return fail(db, e);
}

int
bulletins_db_put(const struct bulletins_db *db, const char *user,
    int64_t number, struct popper_error *e)
{
	(void)user;
	(void)number;
	return fail(db, e);
}
