/* update.h - the UPDATE state (RFC 1939 section 6). */
#ifndef SESSION_UPDATE_H
#define SESSION_UPDATE_H

#include "session/session.h"

/* What a session did, for the Stats line. */
struct tally {
	size_t deleted, left;
	uint64_t deleted_octets, left_octets;
	bool measured; /* ${left_octets} is known */
};

/**
 * update_run(s, tally, error):
 * QUIT was received, or update-on-abort says it is as good: remove what is
 * marked.  0 once it is on stable storage (or there was nothing to do), -1 with
 * ${error} filled otherwise.  Signals that would end the process wait until it
 * is done.
 */
int update_run(struct session *, struct tally *, struct popper_error *);

/** update_abandon(s, tally): the session ended otherwise: nothing is removed
 * (RFC 1939 section 6). */
void update_abandon(struct session *, struct tally *);

/** update_answer(result, error, r): QUIT's reply. */
void update_answer(int result, const struct popper_error *, struct reply *);

#endif
