/*
 * watch.c - wait for a child, but not for ever.
 *
 * Runs as:  root, or the user who calls popperctl.
 *
 * A child that waits for a file server of the network can be beyond even
 * SIGKILL until that answers.
 */
#define _GNU_SOURCE
#include "tools/popperctl/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/fd.h"

#define KILL_PATIENCE 5000 /* ms */

/* True if what ${fd} stands for has ended before ${end}. */
static bool
ends_before(int fd, deadline_t end)
{
	return fd_wait(fd, POLLIN, end) > 0;
}

static enum watch
reap(pid_t pid, int *status, enum watch how)
{
	while (waitpid(pid, status, 0) == -1)
		if (errno != EINTR)
			return WATCH_LOST;
	return how;
}

enum watch
watch(pid_t pid, uint64_t seconds, int *status)
{
	enum watch how = WATCH_ENDED;
	int fd = -1;

	if (seconds > 0)
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd == -1) /* or the kernel is older than 5.3 */
		return reap(pid, status, how);
	if (!ends_before(fd, deadline_in((int64_t)seconds * 1000))) {
		how = WATCH_KILLED;
		if (kill(pid, SIGKILL) == -1 ||
		    !ends_before(fd, deadline_in(KILL_PATIENCE)))
			how = WATCH_STUCK;
	}
	fd_close(&fd);
	return how == WATCH_STUCK ? how : reap(pid, status, how);
}
