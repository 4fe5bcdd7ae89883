/*
 * takeover.c - a new login ends a session of the same user that is idle.
 *
 * Runs in: a session, as the user, on both sides.
 *
 * An idle session holds a lease (fcntl(2), F_SETLEASE) on a file in the state
 * folder.  A new session opens that file for writing: the kernel refuses it
 * and signals the holder.  No pid is involved, nothing has to be looked at now
 * and then, and who cannot write to the state folder cannot ask.
 */
#define _GNU_SOURCE
#include "session/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "session/state.h"

#define FILE_NAME "takeover" /* always empty */

#define PATIENCE 5000 /* ms, for an idle session to let go */
#define FIRST_WAIT 500000 /* ns */
#define LONGEST_WAIT 50000000

static volatile sig_atomic_t asked;
static volatile sig_atomic_t connection = -1;
static int lease = -1;

/* Whatever waits for the client sees its end, now or when it looks. */
static void
hear(int signal)
{
	int cause = errno;

	(void)signal;
	asked = 1;
	(void)shutdown(connection, SHUT_RD); /* unless it is gone anyway */
	errno = cause;
}

void
takeover_offer(int state, int client)
{
	struct sigaction action = { .sa_handler = hear };

	if (lease != -1)
		return;
	connection = client;
	lease = openat(state, FILE_NAME,
	    O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (lease != -1 && sigaction(SIGIO, &action, NULL) == 0 &&
	    fcntl(lease, F_SETLEASE, F_RDLCK) == 0)
		return;
	log_debug("no lease on %s in the state folder: %s", FILE_NAME,
	    strerror(errno));
	fd_close(&lease);
}

bool
takeover_withdraw(void)
{
	/* Who has asked looks whether it is still there.  Else: a signal comes
	 * before this returns, or never. */
	if (asked == 0)
		fd_close(&lease);
	return asked != 0;
}

bool
takeover_asked(void)
{
	return asked != 0;
}

/* True: the session that has the lock is idle and will let go at once, unless
 * it is stopped. */
static bool
ask(int state)
{
	int fd = openat(
	    state, FILE_NAME, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool refused = fd == -1 && errno == EWOULDBLOCK;

	fd_close(&fd);
	return refused;
}

int
takeover_lock(int state, struct popper_error *e)
{
	struct timespec wait = { .tv_nsec = FIRST_WAIT };
	deadline_t end = deadline_in(PATIENCE);
	int fd = state_lock(state, e);

	while (fd == -1 && e->status == POPPER_IN_USE && ask(state) &&
	    deadline_left(end) > 0) {
		if (nanosleep(&wait, NULL) == 0 && wait.tv_nsec < LONGEST_WAIT)
			wait.tv_nsec *= 2;
		error_clear(e);
		fd = state_lock(state, e);
	}
	return fd;
}
