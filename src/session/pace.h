/*
 * pace.h - how soon a user may log in again (RFC 2449 section 6.5).
 */
#ifndef SESSION_PACE_H
#define SESSION_PACE_H

#include <popper/auth.h>

#include "base/settings.h"

/** pace_delay(s, identity): seconds between two logins; the user's own value
 * can only be shorter than the server's. */
uint64_t pace_delay(const struct settings *, const struct popper_identity *);

/**
 * pace_left(state, delay, now):
 * Seconds until a login is accepted, ${delay} after the last one that was; 0
 * now.  A last login in the future, by a clock that was wrong, does not count.
 */
uint64_t pace_left(int state, uint64_t delay, const struct timespec *now);

/** pace_note(state): a login was accepted now. */
void pace_note(int state);

#endif
