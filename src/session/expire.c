/*
 * expire.c - removing mail that is old enough (RFC 2449 section 6.7).
 *
 * Runs in: a session, as the user, with the session lock, after QUIT.
 *
 * A clock may be wrong, and then all mail looks old.  So a message goes only if
 * it was too old already at another session, a day or more ago by the same
 * clock: the time of the file "expire-witness" in the state folder is that of
 * such a session.  Whoever has mail that is due saw it in a session since then.
 * A date in the future or none at all makes no message old.
 */
#include "session/expire.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/number.h"
#include "session/state.h"

#define WITNESS "expire-witness"
#define DAY 86400

bool
expire_is_due(int64_t received, uint64_t days, int64_t witness)
{
	return received > 0 && witness > received &&
	    (uint64_t)(witness - received) / DAY >= days;
}

int64_t
expire_witness(int state, int64_t now)
{
	struct timespec then;

	if (!state_noted(state, WITNESS, &then) || then.tv_sec > now) {
		state_note(state, WITNESS);
		return 0;
	}
	if (now - then.tv_sec < DAY)
		return 0;
	state_note(state, WITNESS);
	return then.tv_sec;
}

/* Has the client had it, in an earlier session? */
static bool
may_go(struct session *s, const struct popper_message *m)
{
	return strcmp(s->settings->enforce_expire, "any") == 0 ||
	    (m->flags & POPPER_MESSAGE_SEEN) != 0;
}

static void
mark_old(struct session *s, uint64_t days, int64_t witness)
{
	const struct maildrop *m = &s->maildrop;
	struct popper_error e;

	for (size_t i = 0; i < m->count; i++) {
		struct popper_message d = { .received = 0 };

		if (messages_is_deleted(&s->messages, i))
			continue;
		if (m->driver->describe(m->self, i,
			POPPER_WANT_RECEIVED | POPPER_WANT_FLAGS, &d,
			&e) == -1) {
			log_failure("the age of a message", &e);
			return;
		}
		if (!expire_is_due(d.received, days, witness) || !may_go(s, &d))
			continue;
		messages_delete(&s->messages, i);
		s->expired++;
	}
}

void
expire_mark(struct session *s)
{
	struct timespec now;
	uint64_t days;
	int64_t witness;

	if (s->settings->auto_delete)
		s->expired =
		    messages_delete_fetched(&s->messages, s->stream->octets_in);
	if (strcmp(s->settings->enforce_expire, "no") == 0 ||
	    !number_parse(
		popper_slice_text(s->settings->expire), UINT32_MAX, &days) ||
	    clock_gettime(CLOCK_REALTIME, &now) == -1)
		return;
	witness = expire_witness(s->place.state, now.tv_sec);
	if (witness > 0)
		mark_old(s, days, witness);
}
