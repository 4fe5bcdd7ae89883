/*
 * spawn.c - start a service with exactly these descriptors.
 *
 * Runs in: the master, as root (or whoever started it).
 */
#include "priv/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"

#define FIRST 3

/* For the title of a process; see session/title.h. */
#define ROOM                                   \
	"                                    " \
	"                                    "

/* Of the environment a root process was started with, only this goes on. */
static const char *const kept[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS",
	"LSAN_OPTIONS", "GCOV_PREFIX", "GCOV_PREFIX_STRIP", "TZ", NULL };

static char **
environment(void)
{
	static char *clean[16];
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	size_t n = 0, len;

	if (geteuid() != 0)
		return environ;
	clean[n++] = path;
	for (char **e = environ; e != NULL && *e != NULL; e++)
		for (const char *const *k = kept; *k != NULL; k++) {
			len = strlen(*k);
			if (strncmp(*e, *k, len) == 0 && (*e)[len] == '=' &&
			    n < sizeof(clean) / sizeof(*clean) - 1)
				clean[n++] = *e;
		}
	clean[n] = NULL;
	return clean;
}

/* In the child: every descriptor to its place, by way of numbers that are
 * behind all places and free.  0, or -1 with errno. */
static int
arrange(const struct spawn *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), above[SPAWN_MAX];

	if (null == -1)
		return -1;
	for (size_t i = 0; i < s->count; i++) {
		above[i] = fcntl(s->fd[i] == -1 ? null : s->fd[i],
		    F_DUPFD_CLOEXEC, FIRST + SPAWN_MAX);
		if (above[i] == -1)
			return -1;
	}
	if (dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
	    (s->silent && dup2(null, 2) == -1))
		return -1;
	for (size_t i = 0; i < s->count; i++)
		if (dup2(above[i], FIRST + (int)i) == -1)
			return -1;
	return close_range(FIRST + (unsigned)s->count, ~0u, 0);
}

static void
child(const struct spawn *s)
{
	char *argv[] = { strdup(s->name), strdup(ROOM), NULL };
	sigset_t none;

	sigemptyset(&none);
	if (argv[0] == NULL || argv[1] == NULL || setpgid(0, 0) == -1 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1 || arrange(s) == -1)
		_exit(126);
	execve(s->path, argv, environment());
	_exit(127);
}

pid_t
spawn_service(const struct spawn *s, struct popper_error *e)
{
	pid_t pid;

	if (access(s->path, X_OK) == -1)
		return error_system(e, POPPER_PERMANENT,
		    "%s cannot be executed (program-folder)", s->path);
	pid = fork();
	if (pid == -1)
		return error_system(e, POPPER_TEMPORARY, "fork");
	if (pid == 0)
		child(s);
	/* Both sides set it: nobody can be signalled too early. */
	if (setpgid(pid, pid) == -1 && errno != EACCES && errno != ESRCH)
		log_warning("setpgid of %s: %s", s->name, strerror(errno));
	return pid;
}
