/*
 * mbox_lock.c - locks on the mbox as delivery and mail programs take them.
 *
 * Runs in: the session, as the user.  Held while scanning and while committing,
 * never for a whole session.
 *
 * Three locks, in Debian's order: an fcntl lock (open file description: closing
 * another descriptor of the file does not drop it), flock, which is all that
 * dma takes, then "NAME.lock".  A program that takes them the other way round
 * must not be waited for with one of them in the hand, so each try takes all at
 * once or lets go of all.
 *
 * The dot lock is made with mknodat: one step, and it needs only the right to
 * make a file in the folder, not to write to one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "mbox.h"

#define FIRST_WAIT 10 /* milliseconds */
#define LONGEST_WAIT 250
#define REFRESH 60 /* seconds */

enum attempt { TAKEN, BUSY, BROKEN };

static int64_t
milliseconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
kernel_lock(const struct mbox *m, short kind)
{
	struct flock l = { .l_type = kind, .l_whence = SEEK_SET };
	int r;

	do
		r = fcntl(m->fd, F_OFD_SETLK, &l);
	while (r == -1 && errno == EINTR);
	return r;
}

/* Over NFS the kernel makes of flock the very lock that we hold by fcntl, and
 * would refuse us for our own sake. */
static int
whole_lock(const struct mbox *m, int operation)
{
	struct statfs fs;
	int r;

	if (fstatfs(m->fd, &fs) == 0 && fs.f_type == NFS_SUPER_MAGIC)
		return 0;
	do
		r = flock(m->fd, operation | LOCK_NB);
	while (r == -1 && errno == EINTR);
	return r;
}

static enum attempt
dot_lock(struct mbox *m)
{
	struct mbox_lock *l = &m->lock;
	struct stat st;
	int cause;

	if (!m->conf->dotlock)
		return TAKEN;
	if (mknodat(m->folder, l->name, S_IFREG | 0600, 0) == 0) {
		if (fstatat(m->folder, l->name, &st, AT_SYMLINK_NOFOLLOW) ==
		    -1) {
			cause = errno;
			(void)unlinkat(m->folder, l->name, 0);
			errno = cause;
			return BROKEN;
		}
		l->dotted = true;
		l->inode = st.st_ino;
		l->made = st.st_ctim;
		(void)clock_gettime(CLOCK_MONOTONIC, &l->touched);
		return TAKEN;
	}
	if (errno == EEXIST) {
		mbox_stale(m);
		return BUSY;
	}
	/* No right, or no room: a user over quota must still be able to
	 * remove mail.  The kernel locks have to do. */
	if (errno != EACCES && errno != EPERM && errno != EROFS &&
	    errno != ENOSPC && errno != EDQUOT)
		return BROKEN;
	if (!l->told)
		m->host->log(POPPER_LOG_INFO,
		    "%s: no dot lock (errno %d), kernel locks only", m->path,
		    errno);
	l->told = true;
	return TAKEN;
}

static enum attempt
try_all(struct mbox *m, short kind)
{
	enum attempt got;
	int cause;

	m->lock.made.tv_sec = 0;
	if (kernel_lock(m, kind) == -1)
		return errno == EAGAIN || errno == EACCES ? BUSY : BROKEN;
	m->lock.kernel = true;
	if (whole_lock(m, kind == F_RDLCK ? LOCK_SH : LOCK_EX) == 0)
		got = dot_lock(m);
	else
		got = errno == EWOULDBLOCK ? BUSY : BROKEN;
	if (got != TAKEN) {
		cause = errno;
		mbox_unlock(m);
		errno = cause;
	}
	return got;
}

int
mbox_lock(struct mbox *m, short kind, struct popper_error *e)
{
	int64_t now = milliseconds();
	int64_t end = now + (int64_t)m->conf->lock_timeout * 1000;
	int64_t wait = FIRST_WAIT;
	struct timespec t;
	enum attempt got;

	while ((got = try_all(m, kind)) == BUSY) {
		now = milliseconds();
		if (now >= end)
			return m->host->fail(e, POPPER_TEMPORARY,
			    "%s: locked by another program for %lu seconds "
			    "(see %s.lock and /proc/locks)",
			    m->path, (unsigned long)m->conf->lock_timeout,
			    m->path);
		if (wait > end - now)
			wait = end - now;
		t.tv_sec = 0;
		t.tv_nsec = (long)wait * 1000000;
		(void)nanosleep(&t, NULL);
		wait = wait * 2 < LONGEST_WAIT ? wait * 2 : LONGEST_WAIT;
	}
	if (got == BROKEN)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot lock", m->path);
	return 0;
}

void
mbox_lock_keep(struct mbox *m)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!m->lock.dotted || now.tv_sec - m->lock.touched.tv_sec < REFRESH)
		return;
	if (utimensat(m->folder, m->lock.name, NULL, AT_SYMLINK_NOFOLLOW) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot refresh the dot lock (errno %d)", m->path,
		    errno);
	m->lock.touched = now;
}

void
mbox_unlock(struct mbox *m)
{
	struct mbox_lock *l = &m->lock;
	struct stat st;
	int cause = errno;

	/* Not if somebody took ours for dead and made one of his own. */
	if (l->dotted &&
	    fstatat(m->folder, l->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == l->inode && unlinkat(m->folder, l->name, 0) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot remove the dot lock (errno %d)", m->path,
		    errno);
	if (l->kernel) {
		(void)whole_lock(m, LOCK_UN);
		(void)kernel_lock(m, F_UNLCK);
	}
	l->dotted = l->kernel = false;
	errno = cause;
}
