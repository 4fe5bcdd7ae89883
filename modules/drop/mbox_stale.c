/*
 * mbox_stale.c - dot locks whose owner is dead.
 *
 * Runs in: the session, as the user, with the kernel's locks on the mbox held.
 *
 * Mail programs agree that a dot lock which nobody has touched for five minutes
 * is a dead one's.  Many write their pid into it, too: then the kernel of this
 * host knows better, if the file lies on this host.  All times are those of the
 * file system's own clock.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mbox.h"
#include "settled.h"

/* Seconds without a touch, after which a lock is a dead one's. */
#define STALE 300 /* what other programs agree on */
#define STALE_DEAD                                               \
	60 /* its process is gone: from another container it may \
	      only seem so */
#define STALE_ALIVE 3600 /* its number may be another process's by now */
#define PID_DIGITS 9

/* The pid at the beginning of ${text}, or 0.  A host's name may follow. */
static pid_t
parse_pid(const char *text, size_t len)
{
	pid_t pid = 0;
	size_t i = 0;

	while (i < len && i < PID_DIGITS && text[i] >= '0' && text[i] <= '9')
		pid = pid * 10 + (text[i++] - '0');
	if (i < len && strchr("\n: ", text[i]) == NULL)
		return 0;
	return pid;
}

/* How old ${st}, the lock, must be.  One that cannot be read says nothing. */
static time_t
patience(const struct mbox *m, const struct stat *st)
{
	int fd = openat(m->folder, m->lock.name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat opened;
	ssize_t n = -1;
	char text[32];
	pid_t pid;

	if (fd == -1)
		return STALE;
	/* On a network file system it may be another host's process. */
	if (fstat(fd, &opened) == 0 && opened.st_ino == st->st_ino &&
	    has_our_clock(fd))
		n = mbox_read_at(fd, text, sizeof(text), 0);
	(void)close(fd);
	if (n <= 0 || (pid = parse_pid(text, (size_t)n)) <= 1)
		return STALE;
	return kill(pid, 0) == -1 && errno == ESRCH ? STALE_DEAD : STALE_ALIVE;
}

/* What time it is for files in the folder of the mbox, whose clock may be
 * another host's.  False: not to be told. */
static bool
folder_time(const struct mbox *m, const char *name, time_t *now)
{
	struct timespec t;
	struct stat st;
	bool told;

	if (has_our_clock(m->fd)) {
		told = clock_gettime(CLOCK_REALTIME, &t) == 0;
		*now = t.tv_sec;
		return told;
	}
	(void)unlinkat(m->folder, name, 0);
	if (mknodat(m->folder, name, S_IFREG | 0600, 0) == -1)
		return false;
	told = fstatat(m->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	*now = st.st_mtime;
	(void)unlinkat(m->folder, name, 0);
	return told;
}

/*
 * Take the lock that was ${st} away.  Somebody else may do so at this moment
 * and make one of his own; so it is put aside first and looked at there, where
 * nobody changes it, and given back if it is another.
 */
static bool
take_away(const struct mbox *m, const struct stat *st, const char *aside)
{
	struct stat got;

	if (renameat(m->folder, m->lock.name, m->folder, aside) == -1)
		return false;
	if (fstatat(m->folder, aside, &got, AT_SYMLINK_NOFOLLOW) == 0 &&
	    got.st_ino == st->st_ino && got.st_dev == st->st_dev &&
	    got.st_mtim.tv_sec == st->st_mtim.tv_sec &&
	    got.st_mtim.tv_nsec == st->st_mtim.tv_nsec)
		return unlinkat(m->folder, aside, 0) == 0;
	if (renameat2(m->folder, aside, m->folder, m->lock.name,
		RENAME_NOREPLACE) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: %s, a lock of another program's, could not be given "
		    "back (errno %d)",
		    m->path, aside, errno);
	return false;
}

void
mbox_stale(const struct mbox *m)
{
	char aside[sizeof(m->lock.name) + 8];
	struct stat st;
	time_t now;

	(void)snprintf(aside, sizeof(aside), "%s.popper", m->lock.name);
	if (fstatat(m->folder, m->lock.name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode) || !folder_time(m, aside, &now) ||
	    now - st.st_mtime < STALE_DEAD ||
	    now - st.st_mtime < patience(m, &st) || !take_away(m, &st, aside))
		return;
	m->host->log(POPPER_LOG_WARNING,
	    "%s: removed the stale lock %s (%ld minutes old)", m->path,
	    m->lock.name, (long)(now - st.st_mtime) / 60);
}
