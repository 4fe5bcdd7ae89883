/*
 * people.h - who a user is, as the auth modules say.
 */
#ifndef POPPERCTL_PEOPLE_H
#define POPPERCTL_PEOPLE_H

#include <stdbool.h>

#include <popper/auth.h>

#include "base/settings.h"

/** people_start(s, error): fork the child that has the auth modules, which ends
 * with us.  0, or -1 with ${error}. */
int people_start(const struct settings *, struct popper_error *);

/** people_find(user, identity, error): look up the canonical name ${user}.  0,
 * or -1; POPPER_ABSENT if no module knows it. */
int people_find(
    const char *user, struct popper_identity *, struct popper_error *);

/** people_patience(seconds): how long to wait for an answer from now on, or 0:
 * any time.  After that nobody is found any more. */
void people_patience(uint64_t seconds);

/** people_gone(): nobody can be found any more. */
bool people_gone(void);

/** people_leave(): in a child: it has nothing to ask. */
void people_leave(void);

#endif
