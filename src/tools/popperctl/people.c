/*
 * people.c - who a user is, as the auth modules say.
 *
 * Runs as:  root, or the user who calls popperctl.  The modules are loaded in a
 * child, so that no secret they know is in the memory of a process that looks
 * at mail.
 */
#include "tools/popperctl/people.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/chain.h"
#include "auth/services.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "mod/loader.h"
#include "priv/identity.h"
#include "priv/messages.h"

static struct wire wire;
static int channel = -1;
static pid_t child;
static uint64_t patience; /* seconds, or 0 */
static bool gone;

/* --- The child. --- */

static int
tell_error(int fd, const struct popper_error *e)
{
	result_put(&wire, e);
	return wire_send(&wire, fd, NULL, 0);
}

static int
answer(int fd, const struct chain *c)
{
	static struct opening o;
	char user[POPPER_USER_MAX + 1];
	struct popper_error e;

	error_clear(&e);
	wire_get_text(&wire, user, sizeof(user));
	if (!wire_end(&wire))
		return -1;
	if (chain_lookup(c, user, &o.identity, &e) == -1)
		return tell_error(fd, &e);
	error_clear(&e);
	if (tell_error(fd, &e) == -1)
		return -1;
	opening_put(&wire, &o);
	return wire_send(&wire, fd, NULL, 0);
}

static void
serve(int fd, const struct settings *s)
{
	static struct chain chain;
	const struct modules_source source = { s->modules, s->overlay };
	struct popper_error e;
	size_t count;
	int result;

	identity_no_dump();
	error_clear(&e);
	result = chain_start(&chain, &source, services_of(&chain, s), &e);
	if (result == 0)
		error_clear(&e); /* of a file that was looked for elsewhere */
	if (tell_error(fd, &e) == -1 || result == -1)
		return;
	while (wire_receive(&wire, fd, NULL, 0, &count) == 1)
		if (answer(fd, &chain) == -1)
			return;
}

/* --- The others. --- */

static int
lost(struct popper_error *e, const char *how)
{
	gone = true;
	return error_set(
	    e, POPPER_TEMPORARY, "the process with the auth modules %s", how);
}

/* Its channel is closed: it has ended, or is about to. */
static int
ended(struct popper_error *e)
{
	char how[64] = "has ended";
	int status;

	fd_close(&channel);
	if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
		(void)text_print(how, sizeof(how), "was ended by signal %d",
		    WTERMSIG(status));
	return lost(e, how);
}

static int
hear(struct popper_error *e)
{
	deadline_t end = patience == 0 ? DEADLINE_NEVER
				       : deadline_in((int64_t)patience * 1000);
	size_t count;

	if (fd_wait(channel, POLLIN, end) <= 0) {
		(void)kill(child, SIGKILL); /* an answer would come too late */
		return lost(e, "does not answer");
	}
	if (wire_receive(&wire, channel, NULL, 0, &count) != 1)
		return ended(e);
	if (!result_get(&wire, e))
		return lost(e, "sent nonsense");
	return e->status == POPPER_OK ? 0 : -1;
}

static void
people_stop(void)
{
	fd_close(&channel);
	(void)waitpid(child, NULL, 0);
}

int
people_start(const struct settings *s, struct popper_error *e)
{
	int pair[2];

	if (fd_pair(pair) == -1)
		return error_system(e, POPPER_TEMPORARY, "socketpair");
	child = fork();
	if (child == 0) {
		fd_close(&pair[0]);
		serve(pair[1], s);
		_exit(0);
	}
	fd_close(&pair[1]);
	channel = pair[0];
	if (child == -1)
		return error_system(e, POPPER_TEMPORARY, "fork");
	(void)atexit(people_stop);
	return hear(e);
}

int
people_find(
    const char *user, struct popper_identity *id, struct popper_error *e)
{
	static struct opening o;
	size_t count;

	wire_start(&wire);
	wire_put_text(&wire, user);
	if (wire_send(&wire, channel, NULL, 0) == -1)
		return ended(e);
	if (hear(e) == -1)
		return -1;
	if (wire_receive(&wire, channel, NULL, 0, &count) != 1 ||
	    !opening_get(&wire, &o))
		return error_set(e, POPPER_PERMANENT,
		    "the auth modules gave no usable identity");
	*id = o.identity;
	return 0;
}

void
people_patience(uint64_t seconds)
{
	patience = seconds;
}

bool
people_gone(void)
{
	return gone;
}

void
people_leave(void)
{
	fd_close(&channel);
}
