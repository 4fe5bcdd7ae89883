/*
 * update.c - the UPDATE state: QUIT removes what DELE has marked.
 *
 * Runs in: a session, as the user.
 */
#include "session/update.h"

#include <signal.h>
#include <string.h>

#include <popper/bulk.h>

#include "base/error.h"
#include "base/log.h"

/* Nobody reads much mail for a line in the log, but Stats has to be right. */
static bool
wants_octets(const struct session *s)
{
	return messages_are_measured(&s->messages) || s->settings->statistics;
}

void
update_abandon(struct session *s, struct tally *t)
{
	struct popper_error e;
	uint64_t octets;
	size_t count;

	*t = (struct tally){ .left = s->maildrop.count };
	if (!(t->measured = wants_octets(s)))
		return;
	t->left = 0;
	for (int deleted = 0; deleted <= 1; deleted++)
		if (messages_total(
			&s->messages, deleted, &count, &octets, &e) == 0) {
			t->left += count;
			t->left_octets += octets;
		}
}

static void
count(struct session *s, struct tally *t)
{
	struct popper_error e;

	*t = (struct tally){ .measured = wants_octets(s) };
	if (messages_total(&s->messages, true, &t->deleted, &t->deleted_octets,
		&e) == -1 ||
	    (t->measured &&
		messages_total(
		    &s->messages, false, &t->left, &t->left_octets, &e) == -1))
		log_failure("sizes for the Stats line", &e);
	if (!t->measured)
		t->left = s->maildrop.count - t->deleted;
}

static bool
has_marks(const struct messages *m)
{
	for (size_t i = 0; m->marked && i < m->maildrop->count; i++)
		if (m->marks[i] != 0)
			return true;
	return false;
}

/* What earlier sessions have put off; no promise of this one. */
static void
tidy(struct session *s)
{
	struct popper_error e;

	error_clear(&e);
	if (s->maildrop.count > 0 &&
	    popper_drop_tidy(s->maildrop.driver, s->maildrop.self, &e) == -1)
		log_failure("what earlier sessions have left to do", &e);
}

/* The module's commit, between the hooks of the extensions. */
static enum popper_outcome
commit(struct session *s, struct popper_error *e)
{
	struct popper_changes c = { .size = sizeof(c),
		.count = s->maildrop.count,
		.marks = s->messages.marks };
	enum popper_outcome o = POPPER_DONE;

	if (extensions_before_update(&s->extensions, &c, e) == -1)
		return POPPER_NOT_DONE;
	if (has_marks(&s->messages))
		o = s->maildrop.driver->commit(s->maildrop.self, &c, e);
	else
		tidy(s);
	if (o != POPPER_DONE && s->messages.deleted == 0) {
		/* Only what was read is not noted: no promise is broken. */
		log_failure("marks of what was read", e);
		o = POPPER_DONE;
	}
	extensions_after_update(&s->extensions, o);
	/* What nobody asked to delete may stay until the next session. */
	s->forgiven = s->expired > 0 && s->messages.deleted == s->expired;
	return o;
}

/* Hold back, or let through, the signals that would end us half-way. */
static void
hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(how, &set, NULL) == -1)
		log_warning("sigprocmask failed");
}

int
update_run(struct session *s, struct tally *t, struct popper_error *e)
{
	enum popper_outcome o;

	count(s, t);
	hold_signals(SIG_BLOCK);
	o = commit(s, e);
	if (o != POPPER_DONE) {
		update_abandon(s, t);
		log_error("deletions of %s: %s: %s", s->opening->identity.user,
		    o == POPPER_NOT_DONE ? "not done"
					 : "not known how much was done",
		    e->text);
		s->expired = 0;
	}
	/* They stay held back: what follows is short, and then comes exit. */
	return o == POPPER_DONE || s->forgiven ? 0 : -1;
}

void
update_answer(int result, const struct popper_error *e, struct reply *r)
{
	if (result == 0)
		reply_ok(r, "bye");
	else
		reply_refuse(r,
		    e->status == POPPER_PERMANENT ? POPPER_PERMANENT
						  : POPPER_TEMPORARY,
		    "some deleted messages not removed");
}
