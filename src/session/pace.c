/*
 * pace.c - how soon a user may log in again.
 *
 * Runs in: a session, as the user, with the session lock.  The time of the
 * file "last-login" in the state folder is that of the last login, so it is
 * kept across restarts.
 */
#include "session/pace.h"

#include <time.h>

#include "session/state.h"

#define LAST "last-login"

uint64_t
pace_delay(const struct settings *s, const struct popper_identity *i)
{
	if ((i->flags & POPPER_IDENTITY_DELAY) != 0 &&
	    i->login_delay < s->login_delay)
		return i->login_delay;
	return s->login_delay;
}

uint64_t
pace_left(int state, uint64_t delay, const struct timespec *now)
{
	struct timespec last;
	uint64_t gone;

	if (delay == 0 || !state_noted(state, LAST, &last))
		return 0;
	if (now->tv_sec < last.tv_sec ||
	    (now->tv_sec == last.tv_sec && now->tv_nsec < last.tv_nsec))
		return 0;
	/* Whole seconds that have gone by. */
	gone = (uint64_t)(now->tv_sec - last.tv_sec) -
	    (now->tv_nsec < last.tv_nsec);
	return gone < delay ? delay - gone : 0;
}

void
pace_note(int state)
{
	state_note(state, LAST);
}
