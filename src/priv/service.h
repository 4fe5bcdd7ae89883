/*
 * service.h - what popper-login, popper-auth and popper-session have in common:
 * a warm parent that the master starts, and one forked child per connection.
 */
#ifndef PRIV_SERVICE_H
#define PRIV_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "priv/counters.h"
#include "priv/messages.h"

/* The descriptors a service is started with.  A child keeps 0 to 4. */
enum {
	SERVICE_LOG = 3,
	SERVICE_ONWARD = 4, /* to the next service: login -> auth -> session */
	SERVICE_CONTROL = 5, /* to and from the master */
	SERVICE_COUNTERS = 6,
	SERVICE_INPUT = 7 /* listening sockets, or the previous service */
};

struct service {
	const char *name;
	struct assignment assignment;
	const struct settings *settings; /* in it */
	struct counters *counters;
	size_t children;
	size_t helpers; /* of them; they end when the service does */
	void *context; /* of the functions */
	/* Something can be read or accepted on ${fd}, in the parent. */
	void (*take)(struct service *, int fd);
	/* A child has ended. */
	void (*reaped)(struct service *, pid_t, int status);
	/* Nothing more will be taken.  May be NULL. */
	void (*stopping)(struct service *);
	bool leave_children; /* do not wait for them when told to stop */
	bool input_ended; /* take() saw the end of the only input */
};

/**
 * service_start(s, name):
 * Called first in main(): start the log, take the settings from the master,
 * map the counters, block signals.  Ends the process on failure.
 */
void service_start(struct service *, const char *name);

/** service_ready(s, r): tell the master; in list and print mode end the
 * process. */
void service_ready(struct service *, const struct readiness *);

/** service_run(s): call take and reaped until told to stop or the input has
 * ended and all children are gone. */
void service_run(struct service *);

/**
 * service_fork(s):
 * Fork a child that has none of the parent's descriptors but 0 to 4 and what
 * take() received, and default signals.  Returns as fork does; a failure is
 * logged.
 */
pid_t service_fork(struct service *);

/** service_alone(s): this process serves the one connection itself: it listens
 * to signals as a child does. */
void service_alone(const struct service *);

/** service_exit(status): end this process at once, without the exit handlers
 * that a forked child must not run twice. */
void service_exit(int status) __attribute__((noreturn));

#endif
