/* gate.h - the trusted side of one connection. */
#ifndef AUTH_GATE_H
#define AUTH_GATE_H

#include "auth/chain.h"
#include "base/settings.h"

/* Exit status of a gate whose time was up. */
#define GATE_EXPIRED 75

/**
 * gate_run(c, s, channel, client):
 * Serve the login worker at the other end of ${channel} until it hangs up:
 * judge its attempts, hand the connection ${client} over to a session, tell
 * the worker the outcome.  False if this process must not serve another
 * connection: it has stayed for a module's session, or its memory holds what
 * it must forget.
 */
bool gate_run(struct chain *, const struct settings *, int channel, int client);

#endif
