/*
 * told.c - which workers are past the login.
 *
 * Runs in: popper-login: told_logged_in in a worker, the rest in the parent,
 * who distrusts it: a number that is no worker's changes nothing.
 */
#include "login/told.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

static int ends[2] = { -1, -1 };

int
told_start(void)
{
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

void
told_logged_in(void)
{
	pid_t pid = getpid();

	/* If it is full we count as one before the login: to our own harm. */
	if (write(ends[1], &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
		log_debug("popper-login does not hear of a login");
}

pid_t
told_next(void)
{
	pid_t pid;

	return read(ends[0], &pid, sizeof(pid)) == (ssize_t)sizeof(pid) ? pid
									: 0;
}
