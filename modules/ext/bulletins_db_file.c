/*
 * bulletins_db_file.c - one look into bulldb, and one change of it.
 *
 * Runs in: the session, as the user; popperctl.
 */
#include "bulletins_db_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gdbm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define FLAGS (GDBM_NOLOCK | GDBM_NOMMAP | GDBM_CLOEXEC | GDBM_CLOERROR)
/* All of GDBM's numbers, but for the last octet. */
#define GDBM_MAGIC UINT32_C(0x13579a00)
#define RESCUE_FILE "bulldb.rescue"
#define USER_MAX 255
#define RECORD_LEAST 24 /* octets that a record costs in the file */

/* --- The lock. --- */

static void
wake(int sig)
{
	(void)sig; /* it only ends the wait */
}

static bool
wait_for(struct bulletins_db_file *f, int how)
{
	for (int64_t left = f->wait; flock(f->fd, how) == -1;
	     left -= BULLETINS_DB_TRY)
		if (errno != EINTR || left <= 0)
			return false;
	return true;
}

bool
bulletins_db_lock(struct bulletins_db_file *f, bool exclusive)
{
	const int how = exclusive ? LOCK_EX : LOCK_SH;
	const struct itimerval off = { .it_value = { 0 } };
	const struct itimerval on = { { 0, BULLETINS_DB_TRY * 1000 },
		{ 0, BULLETINS_DB_TRY * 1000 } };
	struct sigaction action = { .sa_handler = wake }, before;
	sigset_t alarm_only, mask;
	bool got;

	if (flock(f->fd, how | LOCK_NB) == 0)
		return true; /* as a rule */
	(void)sigemptyset(&alarm_only);
	(void)sigaddset(&alarm_only, SIGALRM);
	(void)sigaction(SIGALRM, &action, &before);
	(void)sigprocmask(SIG_UNBLOCK, &alarm_only, &mask);
	(void)setitimer(ITIMER_REAL, &on, NULL);
	got = wait_for(f, how);
	(void)setitimer(ITIMER_REAL, &off, NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	return got;
}

void
bulletins_db_unlock(struct bulletins_db_file *f)
{
	(void)flock(f->fd, LOCK_UN);
}

/* --- GDBM. --- */

/* Is it GDBM's at all, and of this machine's byte order? */
static bool
has_magic(const struct bulletins_db_file *f)
{
	uint32_t magic;

	return pread(f->fd, &magic, sizeof(magic), 0) ==
	    (ssize_t)sizeof(magic) &&
	    (magic & ~UINT32_C(0xff)) == GDBM_MAGIC;
}

/* What GDBM's last error means. */
static enum bulletins_db_result
meaning(const struct bulletins_db_file *f)
{
	int saved = errno;

	if (gdbm_errno == GDBM_ITEM_NOT_FOUND)
		return DB_ABSENT;
	/* A disk that fails or is full is no damage. */
	if (gdbm_check_syserr(gdbm_errno) && errno != 0)
		return DB_FAILED;
	if (has_magic(f) && gdbm_errno != GDBM_BAD_FILE_OFFSET)
		return DB_DAMAGED;
	errno = saved;
	return DB_FOREIGN;
}

static bool
is_empty(const struct bulletins_db_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) == 0 && st.st_size == 0;
}

/* It gets a descriptor of its own, and never NULL for one that it kept. */
static GDBM_FILE
open_db(const struct bulletins_db_file *f, int mode)
{
	int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);

	if (fd == -1 || lseek(fd, 0, SEEK_SET) == -1) {
		gdbm_errno = GDBM_FILE_OPEN_ERROR;
		if (fd != -1)
			(void)close(fd);
		return NULL;
	}
	errno = 0;
	return gdbm_fd_open(fd, f->path, 0, mode | FLAGS, NULL);
}

static datum
key_of(const char *user, char name[USER_MAX + 1])
{
	size_t len = strnlen(user, USER_MAX);

	memcpy(name, user, len);
	name[len] = '\0';
	return (datum){ .dptr = name, .dsize = (int)len + 1 };
}

static int64_t
swapped(int64_t n, size_t size)
{
	return size == 4 ? (int32_t)__builtin_bswap32((uint32_t)n)
			 : (int64_t)__builtin_bswap64((uint64_t)n);
}

/*
 * A long of the machine that wrote it, 4 or 8 octets.  Bulletins have no
 * negative numbers and none near the end of the range: such a one was written
 * with the other byte order.
 */
bool
bulletins_db_decode(struct popper_slice value, int64_t *number)
{
	int64_t n = 0, other;
	int32_t half;

	if (value.len == sizeof(half)) {
		memcpy(&half, value.ptr, sizeof(half));
		n = half;
	} else if (value.len == sizeof(n)) {
		memcpy(&n, value.ptr, sizeof(n));
	} else {
		return false;
	}
	other = swapped(n, value.len);
	if (n < 0 || (other >= 0 && other < 65536 && n >= 1 << 24))
		n = other;
	*number = n;
	return n >= 0;
}

static bool
decode(datum value, int64_t *number)
{
	return bulletins_db_decode(
	    popper_slice(value.dptr, (size_t)value.dsize), number);
}

static enum bulletins_db_result
fetch(
    const struct bulletins_db_file *f, GDBM_FILE db, int64_t *number, int *size)
{
	char name[USER_MAX + 1];
	datum value = gdbm_fetch(db, key_of(f->user, name));
	bool sound;

	if (value.dptr == NULL)
		return meaning(f);
	sound = decode(value, number);
	*size = value.dsize;
	free(value.dptr);
	return sound ? DB_DONE : DB_ABSENT;
}

enum bulletins_db_result
bulletins_db_file_get(struct bulletins_db_file *f)
{
	enum bulletins_db_result r;
	GDBM_FILE db;
	int64_t number;
	int size;

	if (is_empty(f))
		return DB_ABSENT;
	if ((db = open_db(f, GDBM_READER | GDBM_XVERIFY)) == NULL)
		return meaning(f);
	r = fetch(f, db, &number, &size);
	(void)gdbm_close(db);
	if (r == DB_DONE)
		f->number = number;
	return r;
}

/* As long as it was; a new one is a long of today. */
static int
store(GDBM_FILE db, const char *user, int64_t number, int size)
{
	char name[USER_MAX + 1], octets[sizeof(number)];
	datum value = { .dptr = octets, .dsize = sizeof(long) };
	int32_t half = (int32_t)number;

	if (size == (int)sizeof(half) && number <= INT32_MAX) {
		memcpy(octets, &half, sizeof(half));
		value.dsize = sizeof(half);
	} else {
		memcpy(octets, &number, sizeof(number));
		value.dsize = sizeof(number);
	}
	return gdbm_store(db, key_of(user, name), value, GDBM_REPLACE);
}

enum bulletins_db_result
bulletins_db_file_put(struct bulletins_db_file *f)
{
	const int mode = is_empty(f) ? GDBM_NEWDB : GDBM_WRITER | GDBM_XVERIFY;
	enum bulletins_db_result r;
	int64_t number;
	int size = 0;
	GDBM_FILE db = open_db(f, mode);

	if (db == NULL)
		return meaning(f);
	r = fetch(f, db, &number, &size);
	if (r == DB_DONE || r == DB_ABSENT)
		r = store(db, f->user, f->number, size) == 0 ? DB_DONE
							     : meaning(f);
	/* All is written; what is left is fsync, which nobody need wait for. */
	bulletins_db_unlock(f);
	if (gdbm_close(db) == -1 && r == DB_DONE)
		r = meaning(f);
	return r;
}

/* --- All users. --- */

static int
visit(datum key, datum value,
    int (*each)(void *arg, const char *user, int64_t number), void *arg)
{
	int64_t number;

	if (value.dptr == NULL || key.dsize < 2 || key.dsize > USER_MAX + 1 ||
	    memchr(key.dptr, '\0', (size_t)key.dsize) !=
		key.dptr + key.dsize - 1 ||
	    !decode(value, &number))
		return 0; /* no record of ours */
	return each(arg, key.dptr, number);
}

static int
walk(const struct bulletins_db_file *f, GDBM_FILE db,
    int (*each)(void *arg, const char *user, int64_t number), void *arg)
{
	datum key, next, value;
	struct stat st;
	int64_t most;
	int result = 0;

	if (fstat(f->fd, &st) == -1)
		return -1;
	most = st.st_size / RECORD_LEAST; /* a damaged one may go in circles */
	for (key = gdbm_firstkey(db); key.dptr != NULL && result == 0;
	     key = next) {
		value = gdbm_fetch(db, key);
		result = visit(key, value, each, arg);
		free(value.dptr);
		if (most-- == 0)
			result = -1;
		next = gdbm_nextkey(db, key);
		free(key.dptr);
	}
	if (key.dptr == NULL && gdbm_errno != GDBM_ITEM_NOT_FOUND)
		result = -1;
	free(key.dptr);
	return result;
}

int
bulletins_db_walk(struct bulletins_db_file *f,
    int (*each)(void *arg, const char *user, int64_t number), void *arg)
{
	GDBM_FILE db;
	int result;

	if (is_empty(f))
		return 0;
	if ((db = open_db(f, GDBM_READER)) == NULL)
		return -1;
	result = walk(f, db, each, arg);
	(void)gdbm_close(db);
	return result;
}

struct records {
	size_t count, room;
	struct bulletins_db_record *list;
};

static int
keep(void *arg, const char *user, int64_t number)
{
	struct records *r = arg;
	struct bulletins_db_record *more;

	if (r->count == r->room) {
		r->room = r->room == 0 ? 256 : r->room * 2;
		more = reallocarray(r->list, r->room, sizeof(*more));
		if (more == NULL)
			return -1;
		r->list = more;
	}
	r->list[r->count].number = number;
	if ((r->list[r->count].user = strdup(user)) == NULL)
		return -1;
	r->count++;
	return 0;
}

/* A copy of the database in the folder ${rescue}: its descriptor, or -1. */
static int
copy_database(const struct bulletins_db_file *f)
{
	int to = openat(f->rescue, RESCUE_FILE,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	char piece[16384];
	off_t at = 0;
	ssize_t n = 1;

	while (to != -1 && n > 0) {
		n = pread(f->fd, piece, sizeof(piece), at);
		if (n > 0 && pwrite(to, piece, (size_t)n, at) != n)
			n = -1;
		at += n > 0 ? n : 0;
	}
	if (to != -1 && n == 0)
		return to;
	if (to != -1)
		(void)close(to);
	return -1;
}

/*
 * GDBM's recovery makes a file beside the one that it was told and renames it.
 * The session could not make one beside the database, and it would be the
 * user's: so a copy is recovered, in the folder ${rescue}.
 */
static bool
salvage_copy(const struct bulletins_db_file *f, struct records *r)
{
	struct bulletins_db_file copy = { .fd = copy_database(f) };
	gdbm_recovery how;
	char name[64];
	bool good = false;
	GDBM_FILE db;

	if (copy.fd == -1)
		return false;
	(void)snprintf(
	    name, sizeof(name), "/proc/self/fd/%d/" RESCUE_FILE, f->rescue);
	copy.path = name;
	if ((db = open_db(&copy, GDBM_WRITER)) != NULL) {
		good =
		    gdbm_recover(db, &how, 0) == 0 && walk(f, db, keep, r) == 0;
		(void)gdbm_close(db);
	}
	(void)close(copy.fd);
	(void)unlinkat(f->rescue, RESCUE_FILE, 0);
	return good;
}

static void
forget(struct records *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->list[i].user);
	free(r->list);
	*r = (struct records){ .count = 0 };
}

bool
bulletins_db_make(struct bulletins_db_file *f,
    const struct bulletins_db_record *list, size_t count)
{
	GDBM_FILE db = open_db(f, GDBM_NEWDB);
	bool good = db != NULL;

	for (size_t i = 0; db != NULL && i < count; i++)
		if (store(db, list[i].user, list[i].number, 0) != 0)
			good = false;
	if (db != NULL && gdbm_close(db) == -1)
		good = false;
	return good;
}

bool
bulletins_db_file_renew(struct bulletins_db_file *f, size_t *kept)
{
	struct records r = { .count = 0 };
	bool good;

	if (f->rescue == -1 || !salvage_copy(f, &r)) {
		forget(&r);
		(void)bulletins_db_walk(f, keep, &r); /* up to the damage */
	}
	good = bulletins_db_make(f, r.list, r.count);
	*kept = r.count;
	forget(&r);
	return good;
}
