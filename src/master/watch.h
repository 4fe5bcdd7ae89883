/*
 * watch.h - start the three services, keep them up, stop them.
 */
#ifndef MASTER_WATCH_H
#define MASTER_WATCH_H

#include <stdbool.h>

#include "master/sockets.h"
#include "priv/messages.h"

/* What the master wants to be asked when something happens. */
struct watch_events {
	/* SIGHUP: return true if watch_replace was called. */
	void (*reload)(void);
};

/** watch_init(error): signals are ready to be waited for. */
int watch_init(struct popper_error *);

/**
 * watch_list(s, out, size, error): what modules there are, as text.
 */
int watch_list(const struct settings *, char *out, size_t size,
    struct popper_error *);

/**
 * watch_start(s, sockets, connection, error):
 * Start the services and wait until they are ready.  ${connection}: serve it
 * alone (then ${sockets} may be NULL), else -1.  Called again it puts a new
 * set of services in place; the old ones serve what they have to its end.  0,
 * or -1 with ${error} filled and whatever ran before still running.
 */
int watch_start(const struct settings *, const struct sockets *,
    int connection, struct popper_error *);

/** watch_check(s, error): start popper-auth and popper-session and stop them
 * again. */
int watch_check(const struct settings *, struct popper_error *);

/** watch_run(events): until SIGTERM, SIGINT, or the one connection is over. */
void watch_run(const struct watch_events *);

/** watch_stop(): end all services and sessions; an UPDATE that has begun is
 * waited for. */
void watch_stop(void);

#endif
