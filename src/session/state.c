/*
 * state.c - the user's state folder and the session lock in it.
 *
 * Runs in: state_root in popper-session's parent, state_open in a session
 * before it gives up root, state_lock as the user.
 */
#include "session/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NAME_MAX_OCTETS 255

int
state_root(const char *path, struct popper_error *e)
{
	bool made = mkdir(path, 0711) == 0;
	struct stat st;
	int fd;

	if (!made && errno != EEXIST)
		return error_system(e, POPPER_PERMANENT,
		    "%s (state-folder) cannot be made", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Our umask is 077. */
	if (fd == -1 || (made && fchmod(fd, 0711) == -1))
		return error_system(
		    e, POPPER_PERMANENT, "%s (state-folder)", path);
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return fd;
	fd_close(&fd);
	return error_set(e, POPPER_PERMANENT,
	    "%s (state-folder) must belong to uid %u and be written by "
	    "nobody else",
	    path, (unsigned)geteuid());
}

/*
 * A file name for any user name: odd octets become %XX.  A sub-mailbox has a
 * folder of its own behind "%=", which no user name becomes.
 */
static bool
folder_name(const struct popper_identity *i, char out[NAME_MAX_OCTETS + 1])
{
	const char *user = i->user;
	size_t len = 0;
	bool plain;

	for (; *user != '\0'; user++) {
		plain = isalnum((unsigned char)*user) ||
		    (*user == '.' && len > 0) || strchr("_-+@", *user) != NULL;
		if (plain && len < NAME_MAX_OCTETS)
			out[len++] = *user;
		else if (!plain &&
		    text_print(out + len, NAME_MAX_OCTETS + 1 - len, "%%%02X",
			(unsigned char)*user))
			len += 3;
		else
			return false;
	}
	out[len] = '\0';
	if (i->folder[0] == '\0')
		return len > 0;
	return len > 0 && strchr(i->folder, '/') == NULL &&
	    text_print(
		out + len, NAME_MAX_OCTETS + 1 - len, "%%=%s", i->folder);
}

/* A folder we have just made is root's: give it to the user. */
static int
give(int fd, const struct popper_identity *i)
{
	if (geteuid() != 0)
		return 0;
	return fchown(fd, i->uid, i->gid);
}

static int
check(int fd, const char *name, const struct popper_identity *i,
    struct popper_error *e)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_system(e, POPPER_TEMPORARY, "state %s", name);
	/* Somebody made it a moment ago and was not done, or died. */
	if (st.st_uid == 0 && give(fd, i) == 0 && fstat(fd, &st) == -1)
		return error_system(e, POPPER_TEMPORARY, "state %s", name);
	if (st.st_uid == i->uid && (st.st_mode & 077) == 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "state folder %s belongs to uid %u with mode %04o, it must belong "
	    "to uid %u with mode 0700: chown and chmod it",
	    name, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777),
	    (unsigned)i->uid);
}

/* The reverse of it. */
bool
state_whose(const char *name, struct popper_identity *i)
{
	char out[NAME_MAX_OCTETS + 1];
	const char *mark = strstr(name, "%=");
	size_t len = 0,
	       end = mark == NULL ? strlen(name) : (size_t)(mark - name);
	unsigned octet;

	for (size_t at = 0; at < end; at++) {
		octet = (unsigned char)name[at];
		if (octet == '%' &&
		    (at + 2 >= end ||
			sscanf(name + at + 1, "%2X", &octet) != 1))
			return false;
		if (octet == 0 || len + 1 >= sizeof(i->user))
			return false;
		i->user[len++] = (char)octet;
		at += name[at] == '%' ? 2 : 0;
	}
	i->user[len] = '\0';
	if (!text_copy(
		i->folder, sizeof(i->folder), mark == NULL ? "" : mark + 2))
		return false;
	/* Nothing else becomes this name. */
	return folder_name(i, out) && strcmp(out, name) == 0;
}

static int
make(int root, const char *name, const struct popper_identity *i,
    struct popper_error *e)
{
	int fd;

	if (mkdirat(root, name, 0700) == -1 && errno != EEXIST)
		return error_system(e, POPPER_TEMPORARY,
		    "state folder %s cannot be made", name);
	fd = openat(root, name, FOLDER_FLAGS);
	if (fd == -1 || give(fd, i) == -1) {
		error_system(e, POPPER_TEMPORARY, "state folder %s", name);
		fd_close(&fd);
		return -1;
	}
	return fd;
}

static int
open_state(int root, const struct popper_identity *i, bool makes,
    struct popper_error *e)
{
	char name[NAME_MAX_OCTETS + 1];
	int fd;

	if (!folder_name(i, name))
		return error_set(e, POPPER_PERMANENT,
		    "user name too long for a state folder");
	fd = openat(root, name, FOLDER_FLAGS);
	if (fd == -1 && errno == ENOENT && !makes)
		return error_set(e, POPPER_ABSENT,
		    "no session yet: there is no state folder %s", name);
	if (fd == -1 && errno == ENOENT)
		fd = make(root, name, i, e);
	else if (fd == -1)
		return error_system(
		    e, POPPER_TEMPORARY, "state folder %s", name);
	if (fd != -1 && check(fd, name, i, e) == -1)
		fd_close(&fd);
	return fd;
}

int
state_open(int root, const struct popper_identity *i, struct popper_error *e)
{
	return open_state(root, i, true, e);
}

int
state_find(int root, const struct popper_identity *i, struct popper_error *e)
{
	return open_state(root, i, false, e);
}

/* The lock's file, locked by flock(2) with ${how}. */
static int
lock(int state, int how, struct popper_error *e)
{
	int fd = openat(
	    state, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd == -1)
		return error_system(e, POPPER_TEMPORARY, "session lock");
	if (flock(fd, how) == 0)
		return fd;
	if (errno == EWOULDBLOCK || errno == EINTR)
		error_set(e, POPPER_IN_USE, "another session is active");
	else
		error_system(e, POPPER_TEMPORARY, "session lock");
	fd_close(&fd);
	return -1;
}

int
state_lock(int state, struct popper_error *e)
{
	return lock(state, LOCK_EX | LOCK_NB, e);
}

static void
wake(int signal)
{
	(void)signal;
}

int
state_await(int state, uint64_t seconds, struct popper_error *e)
{
	/* Again and again, since the first may come before flock waits. */
	struct itimerval timer = { .it_interval = { .tv_usec = 100000 },
		.it_value = { .tv_sec = (time_t)seconds, .tv_usec = 1 } };
	const struct sigaction action = { .sa_handler = wake };
	int fd;

	if (sigaction(SIGALRM, &action, NULL) == -1 ||
	    setitimer(ITIMER_REAL, &timer, NULL) == -1)
		return error_system(e, POPPER_TEMPORARY, "timer");
	fd = lock(state, LOCK_EX, e);
	timer = (struct itimerval){ .it_value = { .tv_sec = 0 } };
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	return fd;
}

void
state_note(int state, const char *name)
{
	int fd = openat(state, name,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1 || futimens(fd, NULL) == -1)
		log_warning("%s in the state folder: %s: the time of this "
			    "session is not kept",
		    name, strerror(errno));
	fd_close(&fd);
}

bool
state_noted(int state, const char *name, struct timespec *when)
{
	struct stat st;

	if (fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return false;
	*when = st.st_mtim;
	return true;
}
