/*
 * mbox_file.c - opening the mbox, reading and writing it at an offset.
 *
 * Runs in: the session, as the user.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "mbox.h"

ssize_t
mbox_read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	char *p = buf;
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(fd, p + got, len - got, (off_t)(offset + got));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int
mbox_write_at(int fd, const void *buf, size_t len, uint64_t offset)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = pwrite(fd, p, len, (off_t)offset);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* Is this a file we may take for the user's mail? */
static int
check(const struct mbox *m, const struct stat *st, struct popper_error *e)
{
	const struct popper_host *h = m->host;
	uid_t self = geteuid();

	if (S_ISDIR(st->st_mode))
		return h->fail(e, POPPER_ABSENT, "%s: is a folder", m->path);
	if (!S_ISREG(st->st_mode))
		return h->fail(e, POPPER_PERMANENT,
		    "%s: not a plain file; put an mbox or nothing there",
		    m->path);
	if (self != 0 && st->st_uid != self)
		return h->fail(e, POPPER_PERMANENT,
		    "%s: belongs to uid %lu, not to uid %lu; chown it", m->path,
		    (unsigned long)st->st_uid, (unsigned long)self);
	if (st->st_nlink > 1)
		return h->fail(e, POPPER_PERMANENT,
		    "%s: has %lu names (hard links); remove the others",
		    m->path, (unsigned long)st->st_nlink);
	return 0;
}

/* openat said no: say why as well as can be told. */
static int
refuse(const struct mbox *m, int cause, struct popper_error *e)
{
	struct stat st;

	if (cause == ELOOP)
		return m->host->fail(e, POPPER_PERMANENT,
		    "%s: a symbolic link; name the file itself in path",
		    m->path);
	if (cause == EISDIR)
		return m->host->fail(
		    e, POPPER_ABSENT, "%s: is a folder", m->path);
	if (fstatat(m->folder, m->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    check(m, &st, e) == -1)
		return -1;
	/* Ours, and yet no access: also what a file looks like that was made
	 * after the sandbox was closed, so it may pass. */
	errno = cause;
	return m->host->fail_system(
	    e, POPPER_TEMPORARY, "%s: cannot open (check its mode)", m->path);
}

static int
open_folder(struct mbox *m, struct popper_error *e)
{
	const struct popper_host *h = m->host;
	char parent[POPPER_PATH_MAX + 1];
	size_t len;

	len = (size_t)(m->name - m->path);
	memcpy(parent, m->path, len);
	parent[len] = '\0';
	m->folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->folder != -1)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR)
		return h->fail(e, POPPER_ABSENT, "%s: no such folder", parent);
	return h->fail_system(e, POPPER_TEMPORARY, "%s: cannot open", parent);
}

int
mbox_open_file(struct mbox *m, struct popper_error *e)
{
	const int flags = O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

	if (m->folder == -1 && open_folder(m, e) == -1)
		return -1;
	m->writable = true;
	m->fd = openat(m->folder, m->name, O_RDWR | flags);
	if (m->fd == -1 && (errno == EACCES || errno == EROFS)) {
		m->writable = false;
		m->fd = openat(m->folder, m->name, O_RDONLY | flags);
	}
	if (m->fd == -1 && errno == ENOENT)
		return 0;
	if (m->fd == -1)
		return refuse(m, errno, e);
	if (fstat(m->fd, &m->seen) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", m->path);
	return check(m, &m->seen, e);
}

bool
mbox_is_current(const struct mbox *m)
{
	struct stat named, ours;

	return fstatat(m->folder, m->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(m->fd, &ours) == 0 && named.st_dev == ours.st_dev &&
	    named.st_ino == ours.st_ino;
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
mbox_is_untouched(const struct mbox *m, const struct stat *st)
{
	if (m->remote && !m->lock.kernel)
		return false;
	return m->settled && st->st_size == m->seen.st_size &&
	    is_same_time(st->st_mtim, m->seen.st_mtim) &&
	    is_same_time(st->st_ctim, m->seen.st_ctim);
}
