/*
 * generation.h - the three services that work together, and their channels.
 */
#ifndef MASTER_GENERATION_H
#define MASTER_GENERATION_H

#include <sys/types.h>

#include "base/deadline.h"
#include "master/sockets.h"
#include "priv/messages.h"

enum role { ROLE_AUTH, ROLE_SESSION, ROLE_LOGIN, ROLES };

extern const char *const role_name[];

#define BACKOFF_LEAST 100 /* ms until a service is started again, at first */

struct child {
	pid_t pid; /* 0: not running */
	int control;
	deadline_t started;
	deadline_t restart; /* when, if pid is 0 */
	int64_t backoff;
};

/* The master keeps both ends of the channels: what waits in one outlives a
 * service that dies. */
struct generation {
	struct assignment assignment;
	struct sockets sockets;
	int counters; /* its own: old sessions do not count in a new one */
	int knock[2], onward[2];
	struct child child[ROLES];
};

/* Services get no standard error: a terminal is to be let go. */
extern bool generation_silent;

/**
 * generation_prepare(g, s, sockets, single, error):
 * Make the channels; nothing runs yet.  ${sockets} may be NULL: none.
 * ${single}: it is a connection, to be served alone.  0, or -1 with nothing
 * left open.
 */
int generation_prepare(struct generation *, const struct settings *,
    const struct sockets *, bool single, struct popper_error *);

/** generation_start(g, role, error): start one service and send it its
 * settings. */
int generation_start(struct generation *, enum role, struct popper_error *);

/** generation_await(g, role, ready, error): wait for its READY, writing the
 * log meanwhile. */
int generation_await(
    struct generation *, enum role, struct readiness *, struct popper_error *);

/** generation_start_back(g, error): popper-auth and popper-session, and what
 * they can do noted for popper-login. */
int generation_start_back(struct generation *, struct popper_error *);

/** generation_close(g): close the channels and counters. */
void generation_close(struct generation *);

#endif
