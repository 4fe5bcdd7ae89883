/*
 * expire.h - removing mail that is old enough (RFC 2449 section 6.7).
 */
#ifndef SESSION_EXPIRE_H
#define SESSION_EXPIRE_H

#include "session/session.h"

/**
 * expire_mark(s):
 * QUIT was received: mark what the settings let go: with auto-delete what RETR
 * has sent whole in this session, with enforce-expire what is too old.
 */
void expire_mark(struct session *);

/**
 * expire_is_due(received, days, witness):
 * Was a message that was delivered at ${received} older than ${days} days
 * already at the time ${witness} of an earlier session?  Never if either is 0:
 * not known.
 */
bool expire_is_due(int64_t received, uint64_t days, int64_t witness);

/**
 * expire_witness(state, now):
 * The time of an earlier session, at least a day before ${now}, as kept in the
 * state folder, or 0 if there was none or the clock has gone back since.  Keeps
 * ${now} when it is time to.
 */
int64_t expire_witness(int state, int64_t now);

#endif
