/*
 * errand.c - what a session may not do itself, and its attendant does.
 *
 * Runs in: a session, as the user in its sandbox.
 */
#include "session/errand.h"

#include <poll.h>

#include "base/fd.h"

int
errand_send(int channel, const struct errand *x, int fd)
{
	static struct wire w;

	errand_put(&w, x);
	return wire_send(&w, channel, &fd, fd == -1 ? 0 : 1);
}

int
errand_wait(int channel, deadline_t until, struct popper_error *result)
{
	static struct wire w;
	size_t count;
	int events = fd_wait(channel, POLLIN, until);

	if (events == 0)
		return 0;
	if (events > 0 && wire_receive(&w, channel, NULL, 0, &count) == 1 &&
	    result_get(&w, result))
		return 1;
	return -1;
}
