/*
 * replace.c - change a file so that it is always whole.
 *
 * Runs in: popauth, as root or as the owner of the file.
 */
#include "tools/popauth/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"

/* Whoever else may write here could put another file in place of ours. */
static int
check_folder(int fd, const char *path, struct popper_error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_system(e, POPPER_TEMPORARY, "folder of %s", path);
	if ((st.st_uid != 0 && geteuid() != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & 022) != 0)
		return error_set(e, POPPER_PERMANENT,
		    "folder of %s: owned by uid %lu, mode %03o: it must belong "
		    "to root or the file's owner and be written by no other; "
		    "chmod go-w it",
		    path, (unsigned long)st.st_uid,
		    (unsigned)st.st_mode & 0777);
	return 0;
}

static int
check_file(int fd, const char *path, struct popper_error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_system(e, POPPER_TEMPORARY, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(
		    e, POPPER_PERMANENT, "%s: not a regular file", path);
	if (st.st_uid != geteuid() && geteuid() != 0)
		return error_set(e, POPPER_PERMANENT,
		    "%s: owned by uid %lu; only the owner and root use it",
		    path, (unsigned long)st.st_uid);
	if ((st.st_mode & 077) != 0)
		return error_set(e, POPPER_PERMANENT,
		    "%s: mode %03o lets others in; chmod 600 it", path,
		    (unsigned)st.st_mode & 0777);
	return 0;
}

/* Open the folder of ${path} and copy the name in it. */
static int
open_folder(const char *path, char *name, size_t size, struct popper_error *e)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	int fd;

	if (len >= sizeof(folder) || path[len] == '\0' ||
	    !text_copy(name, size, path + len))
		return error_set(
		    e, POPPER_INVALID, "%s: no name of a file", path);
	if (len > 0) {
		memcpy(folder, path, len);
		folder[len] = '\0';
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return error_system(e, POPPER_PERMANENT, "%s", folder);
	if (check_folder(fd, path, e) == -1)
		fd_close(&fd);
	return fd;
}

static int
open_old(int folder, const char *name, const char *path, struct popper_error *e)
{
	int fd = openat(folder, name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		return error_system(e,
		    errno == ENOENT ? POPPER_ABSENT : POPPER_PERMANENT, "%s%s",
		    path,
		    errno == ELOOP ? " (a symbolic link is refused)" : "");
	if (check_file(fd, path, e) == -1)
		fd_close(&fd);
	return fd;
}

int
replace_open(const char *path, int *folder, char *name, size_t size,
    struct popper_error *e)
{
	int fd;

	*folder = open_folder(path, name, size, e);
	if (*folder == -1)
		return -1;
	fd = open_old(*folder, name, path, e);
	if (fd == -1)
		fd_close(folder);
	return fd;
}

static int
block_signals(sigset_t *mask)
{
	static const int later[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP,
		SIGTTIN, SIGTTOU };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++)
		sigaddset(&set, later[i]);
	return sigprocmask(SIG_BLOCK, &set, mask);
}

/* The lock and the new file are the owner's, whoever of the two makes them. */
static int
give(int fd, const struct stat *to)
{
	return geteuid() != 0 || to->st_uid == 0
	    ? 0
	    : fchown(fd, to->st_uid, to->st_gid);
}

/* A second name of some other file, which root would give away? */
static bool
is_own(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static int
lock(struct replacement *r, const struct stat *owner, struct popper_error *e)
{
	int n;

	r->lock = openat(r->folder, r->lock_name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	if (r->lock != -1 && !is_own(r->lock))
		return error_set(e, POPPER_PERMANENT,
		    "%s.lock: no file of its own, but a link to another; "
		    "remove it",
		    r->path);
	if (r->lock == -1 || give(r->lock, owner) == -1)
		return error_system(e, POPPER_PERMANENT, "%s.lock", r->path);
	do {
		n = flock(r->lock, LOCK_EX);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return error_system(e, POPPER_TEMPORARY, "%s.lock", r->path);
	return 0;
}

/* What a killed one left goes; then ours is the only one. */
static int
make_fresh(
    struct replacement *r, const struct stat *owner, struct popper_error *e)
{
	if (unlinkat(r->folder, r->fresh, 0) == -1 && errno != ENOENT)
		return error_system(e, POPPER_PERMANENT, "%s.new", r->path);
	r->fd = openat(r->folder, r->fresh,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->fd == -1 || give(r->fd, owner) == -1)
		return error_system(e, POPPER_PERMANENT, "%s.new", r->path);
	return 0;
}

int
replace_begin(struct replacement *r, const char *path, struct popper_error *e)
{
	struct stat owner;

	*r = (struct replacement){
		.path = path, .folder = -1, .lock = -1, .old = -1, .fd = -1
	};
	r->folder = open_folder(path, r->name, sizeof(r->name) - 5, e);
	if (r->folder == -1)
		return -1;
	(void)text_print(r->fresh, sizeof(r->fresh), "%s.new", r->name);
	(void)text_print(
	    r->lock_name, sizeof(r->lock_name), "%s.lock", r->name);
	if (block_signals(&r->mask) == -1) {
		fd_close(&r->folder);
		return error_system(e, POPPER_TEMPORARY, "sigprocmask");
	}
	/* The owner of what is there, or of the place where it will be. */
	if (fstatat(r->folder, r->name, &owner, AT_SYMLINK_NOFOLLOW) == -1 &&
	    fstat(r->folder, &owner) == -1) {
		(void)error_system(e, POPPER_TEMPORARY, "%s", path);
		goto err0;
	}
	if (lock(r, &owner, e) == -1)
		goto err0;
	r->old = open_old(r->folder, r->name, path, e);
	if (r->old == -1 && e->status != POPPER_ABSENT)
		goto err0;
	if (make_fresh(r, &owner, e) == -1)
		goto err0;
	return 0;
err0:
	replace_end(r);
	return -1;
}

int
replace_commit(struct replacement *r, struct popper_error *e)
{
	if (fsync(r->fd) == -1)
		return error_system(e, POPPER_TEMPORARY, "%s.new", r->path);
	if (renameat(r->folder, r->fresh, r->folder, r->name) == -1)
		return error_system(e, POPPER_PERMANENT, "%s", r->path);
	r->fresh[0] = '\0';
	if (fsync(r->folder) == -1)
		return error_system(e, POPPER_TEMPORARY,
		    "%s is changed, but its folder could not be synced",
		    r->path);
	return 0;
}

void
replace_end(struct replacement *r)
{
	int saved = errno;

	if (r->folder == -1)
		return;
	if (r->fd != -1 && r->fresh[0] != '\0')
		(void)unlinkat(r->folder, r->fresh, 0);
	fd_close(&r->fd);
	fd_close(&r->old);
	fd_close(&r->lock);
	fd_close(&r->folder);
	(void)sigprocmask(SIG_SETMASK, &r->mask, NULL);
	errno = saved;
}
