/*
 * account.h - what the log hears of a session.
 */
#ifndef SESSION_ACCOUNT_H
#define SESSION_ACCOUNT_H

#include "session/session.h"
#include "session/update.h"

/** account_start(s): the session is this process's: with log-style qpopper
 * every -ERR is told from now on. */
void account_start(struct session *);

/** account_refused(s, error): the maildrop did not open. */
void account_refused(struct session *, const struct popper_error *);

/** account_login(s, count, octets): it did, and the client has been told.
 * NULL: nobody knows the octets yet. */
void account_login(struct session *, size_t count, const uint64_t *octets);

/**
 * account_end(s, end, result, tally):
 * The session is over; ${result} is update_run's after QUIT.  May wait some
 * seconds for the client's name, if a line needs it.
 */
void account_end(
    struct session *, enum dialog_end, int result, const struct tally *);

#endif
