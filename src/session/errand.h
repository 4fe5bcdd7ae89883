/*
 * errand.h - what a session may not do itself, and its attendant does.
 *
 * ERRAND and RESULT of priv/messages.h, both ends.  One errand at a time.
 */
#ifndef SESSION_ERRAND_H
#define SESSION_ERRAND_H

#include "base/deadline.h"
#include "priv/messages.h"

/* Seconds until an attendant is ended, and ms until a session has given it
 * up. */
#define ERRAND_TIME 660
#define ERRAND_PATIENCE ((ERRAND_TIME + 10) * 1000)

/** errand_send(channel, errand, fd): ask; ${fd} (or -1) goes along and stays
 * ours.  0, or -1 if nobody is there. */
int errand_send(int channel, const struct errand *, int fd);

/** errand_wait(channel, deadline, result): 1 with ${result} filled, 0 if the
 * deadline has passed, -1 if no answer will come. */
int errand_wait(int channel, deadline_t, struct popper_error *result);

#endif
