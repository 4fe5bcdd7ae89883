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
	void (*reload)(void); /* SIGHUP */
	void (*renew)(void); /* a file of master/files.h has changed */
};

/** watch_init(error): signals are ready to be waited for. */
int watch_init(struct popper_error *);

/**
 * watch_list(s, used, out, size, error):
 * What modules there are, as text; with ${used}: those in use, as modules.conf
 * would have them.
 */
int watch_list(const struct settings *, bool used, char *out, size_t size,
    struct popper_error *);

/**
 * watch_start(s, sockets, single, error):
 * Start the services and wait until they are ready.  ${single}: the only
 * socket is a connection, to be served alone.  Called again it puts a new
 * set of services in place; the old ones serve what they have to its end.  0,
 * or -1 with ${error} filled and whatever ran before still running.
 */
int watch_start(const struct settings *, const struct sockets *, bool single,
    struct popper_error *);

/** watch_check(s, error): start the services, without a socket, and stop them
 * again. */
int watch_check(const struct settings *, struct popper_error *);

/** watch_run(events): until SIGTERM, SIGINT, or the one connection is over. */
void watch_run(const struct watch_events *);

/** watch_stop(): end all services and sessions; an UPDATE that has begun is
 * waited for. */
void watch_stop(void);

#endif
