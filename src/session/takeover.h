/*
 * takeover.h - a new login ends a session of the same user that is idle.
 *
 * Off unless the option takeover is set; why it works as it does:
 * doc/why/takeover.md.
 */
#ifndef SESSION_TAKEOVER_H
#define SESSION_TAKEOVER_H

#include <stdbool.h>

#include <popper/error.h>

/**
 * takeover_offer(state, client):
 * The session with the state folder ${state} has been idle for long enough: let
 * a new one ask for the lock.  Once one does, nothing more can be read from the
 * connection ${client}.  Where the file system cannot do that, nothing happens.
 */
void takeover_offer(int state, int client);

/** takeover_withdraw(): a command came: not any more.  True: somebody asked
 * before, and was promised the lock. */
bool takeover_withdraw(void);

/** takeover_asked(): has somebody asked? */
bool takeover_asked(void);

/**
 * takeover_lock(state, error):
 * As state_lock(), but ask a session that has the lock and is idle to let go,
 * and wait for it.
 */
int takeover_lock(int state, struct popper_error *);

#endif
