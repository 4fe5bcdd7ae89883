/*
 * bulletins_db.c - the database bulldb: who has got which number.
 *
 * Runs in: the session, as the user, once or twice per login; popperctl.
 *
 * The lock is GDBM's own, flock, so that other programs see it; but GDBM gives
 * up at once, and we wait.  The file is open for the time of one look.
 *
 * GDBM trusts its files, so one that an ordinary user could have written is
 * refused.  No mmap: what shrinks under us must be an error, no SIGBUS.
 */
#include "bulletins_db.h"

#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulletins_db_file.h"

#define PATH_LONGEST 1100

int
bulletins_db_path(const struct bulletins_db *db, char *path, size_t size)
{
	static const char *const names[] = { BULLETINS_DB_NAME,
		BULLETINS_DB_PAG };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (snprintf(path, size, "%s/%s", db->folder, names[i]) >=
		    (int)size) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (access(path, F_OK) == 0)
			return 0;
	}
	return -1;
}

static int
check(const struct bulletins_db *db, int fd, const char *path,
    struct popper_error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return db->host->fail_system(e, POPPER_TEMPORARY, "%s", path);
	if (!S_ISREG(st.st_mode))
		return db->host->fail(
		    e, POPPER_TEMPORARY, "%s: not a regular file", path);
	if ((st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & S_IWOTH) == 0)
		return 0;
	return db->host->fail(e, POPPER_TEMPORARY,
	    "%s: uid %lu, mode %03o: must be root's and written by its group "
	    "only (popperctl bulletin init)",
	    path, (unsigned long)st.st_uid, (unsigned)st.st_mode & 0777);
}

static int
open_file(const struct bulletins_db *db, char path[PATH_LONGEST],
    struct popper_error *e)
{
	int fd = -1;

	if (bulletins_db_path(db, path, PATH_LONGEST) == 0)
		fd = open(path,
		    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return db->host->fail_system(e, POPPER_TEMPORARY,
		    "%s/" BULLETINS_DB_NAME
		    " (popperctl bulletin init makes it, for the mail group)",
		    db->folder);
	if (check(db, fd, path, e) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* One look, or one change if ${store}, with the lock held. */
static enum bulletins_db_result
attempt(struct bulletins_db_file *f, bool store)
{
	return store ? bulletins_db_file_put(f) : bulletins_db_file_get(f);
}

static int
tell(const struct bulletins_db *db, const char *path,
    enum bulletins_db_result r, struct popper_error *e)
{
	switch (r) {
	case DB_BUSY:
		return db->host->fail(e, POPPER_TEMPORARY,
		    "%s: somebody else keeps it (bulldb-max-tries)", path);
	case DB_FOREIGN:
		return db->host->fail(e, POPPER_TEMPORARY,
		    "%s: not a GDBM database of this machine (popperctl "
		    "bulletin init takes over what it can read)",
		    path);
	case DB_DAMAGED:
		return db->host->fail(e, POPPER_TEMPORARY,
		    "%s: damaged, and could not be made anew: %s", path,
		    gdbm_strerror(gdbm_errno));
	case DB_FAILED:
	case DB_DONE:
	case DB_ABSENT:
		break;
	}
	return db->host->fail_system(
	    e, POPPER_TEMPORARY, "%s: %s", path, gdbm_strerror(gdbm_errno));
}

static enum bulletins_db_result
repair(const struct bulletins_db *db, struct bulletins_db_file *f, bool store)
{
	size_t kept;

	if (!bulletins_db_lock(f, true))
		return DB_BUSY;
	/* Somebody else may have done it. */
	if (bulletins_db_file_get(f) == DB_DAMAGED &&
	    bulletins_db_file_renew(f, &kept))
		db->host->log(POPPER_LOG_WARNING,
		    "%s: damaged, made anew with %zu users that could be "
		    "read; the others' numbers are in their state folders",
		    f->path, kept);
	return attempt(f, store);
}

static int
run(const struct bulletins_db *db, const char *user, int64_t *number,
    bool store, struct popper_error *e)
{
	char path[PATH_LONGEST];
	struct bulletins_db_file f = { .path = path,
		.user = user,
		.number = *number,
		.rescue = db->rescue,
		.wait = (int64_t)(db->tries < 100000 ? db->tries : 100000) *
		    BULLETINS_DB_TRY };
	enum bulletins_db_result r = DB_BUSY;

	if ((f.fd = open_file(db, path, e)) == -1)
		return -1;
	if (bulletins_db_lock(&f, true))
		r = attempt(&f, store);
	if (r == DB_DAMAGED) {
		bulletins_db_unlock(&f);
		r = repair(db, &f, store);
	}
	*number = f.number;
	if (r != DB_DONE && r != DB_ABSENT)
		(void)tell(db, path, r, e);
	(void)close(f.fd); /* the lock goes with it */
	return r == DB_DONE ? 1 : r == DB_ABSENT ? 0 : -1;
}

int
bulletins_db_get(const struct bulletins_db *db, const char *user,
    int64_t *number, struct popper_error *e)
{
	*number = 0;
	return run(db, user, number, false, e);
}

int
bulletins_db_put(const struct bulletins_db *db, const char *user,
    int64_t number, struct popper_error *e)
{
	return run(db, user, &number, true, e) == -1 ? -1 : 0;
}
