/*
 * gates.h - a few gates that serve one connection after another.
 *
 * Only where every auth module says that it leaves nothing behind
 * (POPPER_AUTH_CLEAN) and no resolver is asked: a gate that is used again
 * spares a login a third of its processor time.  Everywhere else a gate dies
 * with its connection.  See doc/why/gates-used-again.md.
 */
#ifndef AUTH_GATES_H
#define AUTH_GATES_H

#include "auth/chain.h"
#include "priv/service.h"

/**
 * gates_knock(s, chain, fds):
 * Give the connection ${fds} (the channel to its worker, itself) to a gate: one
 * that is idle, or a new one.  The descriptors stay the caller's.
 */
void gates_knock(struct service *, struct chain *, const int fds[2]);

/** gates_ended(pid): a gate has ended. */
void gates_ended(pid_t pid);

/** gates_leave(): in a gate that serves a connection: be no longer one that is
 * kept, so that the parent keeps another; it ends with its connection. */
void gates_leave(void);

/** gates_close(): let idle gates end; called when the service stops. */
void gates_close(void);

#endif
