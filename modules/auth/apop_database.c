/*
 * apop_database.c - one look into the mailauth database.
 *
 * Runs in:  the gate, as root or the server's own user, once per login, and
 *           once in the warm parent.
 * The layout is the first popper's: the key is the name and a NUL, the value
 * the secret with every bit turned over, a NUL, and what we do not use.
 *
 * No lock: popauth never changes a file that has this name, it renames a new
 * one over it.  No mmap: what shrinks under us must be an error, no SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apop.h"

#define FLAGS                                                     \
	(GDBM_READER | GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC | \
	    GDBM_CLOERROR | GDBM_XVERIFY)

/* Whoever can read it can be everybody in it. */
static int
check_file(const struct apop_self *a, int fd, struct popper_error *e)
{
	const char *file = a->conf->file;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return a->host->fail_system(e, POPPER_TEMPORARY, "%s", file);
	if (!S_ISREG(st.st_mode))
		return a->host->fail(
		    e, POPPER_PERMANENT, "%s: not a regular file", file);
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != a->owner)
		return a->host->fail(e, POPPER_PERMANENT,
		    "%s: owned by uid %lu; must be root's, our own or that of "
		    "the option \"owner\"",
		    file, (unsigned long)st.st_uid);
	if ((st.st_mode & 077) != 0)
		return a->host->fail(e, POPPER_PERMANENT,
		    "%s: mode %03o lets others in; chmod 600 it", file,
		    (unsigned)st.st_mode & 0777);
	return 0;
}

static GDBM_FILE
open_database(const struct apop_self *a, struct popper_error *e)
{
	const char *file = a->conf->file;
	GDBM_FILE db;
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	int fd = open(
	    file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1) {
		(void)a->host->fail_system(e, POPPER_TEMPORARY, "%s%s", file,
		    errno == ELOOP        ? " (a symbolic link is refused)"
			: errno == ENOENT ? " (popauth init makes it)"
					  : "");
		return NULL;
	}
	if (check_file(a, fd, e) == -1) {
		(void)close(fd);
		return NULL;
	}
	db = gdbm_fd_open(fd, file, 0, FLAGS, NULL);
	if (db == NULL)
		(void)a->host->fail(e, POPPER_TEMPORARY,
		    "%s: %s; is it a GDBM database?", file,
		    gdbm_strerror(gdbm_errno));
	return db;
}

static datum
fetch(GDBM_FILE db, const char *user)
{
	char name[POPPER_USER_MAX + 1];
	size_t len = strlen(user);
	datum key = { .dptr = name, .dsize = (int)len + 1 };

	if (len > POPPER_USER_MAX) /* cannot be in it */
		len = 0, key.dsize = 1;
	memcpy(name, user, len);
	name[len] = '\0';
	return gdbm_fetch(db, key);
}

/* Turn the secret over.  False: nobody can have such a one. */
static bool
decode(datum value, char secret[APOP_SECRET_MAX + 1])
{
	size_t size = (size_t)value.dsize, len = 0;

	while (len < size && value.dptr[len] != '\0') {
		if (len == APOP_SECRET_MAX)
			return false;
		secret[len] = (char)~value.dptr[len];
		len++;
	}
	secret[len] = '\0';
	return true;
}

static void
release(const struct apop_self *a, datum d)
{
	if (d.dptr == NULL)
		return;
	a->host->wipe(d.dptr, (size_t)d.dsize);
	free(d.dptr);
}

int
apop_fetch(const struct apop_self *a, const char *user,
    char secret[APOP_SECRET_MAX + 1], struct popper_error *e)
{
	GDBM_FILE db = open_database(a, e);
	datum value;
	int result = -1;

	secret[0] = '\0';
	if (db == NULL)
		return -1;
	value = fetch(db, user);
	if (value.dptr == NULL && gdbm_errno == GDBM_ITEM_NOT_FOUND)
		result = 0;
	else if (value.dptr == NULL)
		(void)a->host->fail(e, POPPER_TEMPORARY,
		    "%s: damaged: %s; put back a copy of it", a->conf->file,
		    gdbm_strerror(gdbm_errno));
	else if (!decode(value, secret))
		(void)a->host->fail(e, POPPER_TEMPORARY,
		    "%s: the secret of \"%s\" is longer than %d octets",
		    a->conf->file, user, APOP_SECRET_MAX);
	else
		result = secret[0] != '\0';
	release(a, value);
	(void)gdbm_close(db);
	return result;
}
