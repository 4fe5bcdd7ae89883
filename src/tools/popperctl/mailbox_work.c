/*
 * mailbox_work.c - work on the maildrop of one user: the work itself.
 *
 * Runs as:  the user, in a child that is shut off from all else as a session
 * is; enter() begins as root, or as the user.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/deadline.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "mod/host.h"
#include "priv/identity.h"
#include "session/maildrop.h"
#include "session/state.h"
#include "tools/popperctl/mailbox_parts.h"
#include "tools/popperctl/people.h"

#define MOMENT 50000000 /* ns between two tries */

static bool
has_slot(const struct popper_drop *d, size_t offset)
{
	void (*slot)(void);

	if (offset + sizeof(slot) > d->size)
		return false;
	memcpy(&slot, (const char *)d + offset, sizeof(slot));
	return slot != NULL;
}

int
mailbox_open(const struct mailbox *m, void **self, struct popper_error *e)
{
	return m->drop->open(&host_services, m->conf, m->place, self, e);
}

/* A module that cannot do it: is it the one that has the mail? */
static int
lacks_slot(const struct mailbox *m, const char *name,
    const struct mailbox_work *w, struct popper_error *e)
{
	void *self;

	if (mailbox_open(m, &self, e) == -1)
		return -1;
	m->drop->close(self);
	return error_set(e, POPPER_PERMANENT,
	    "drop module %s, which has the mail of %s, has no %s", name,
	    mailbox_shown(m->place->identity), w->slot);
}

/* Ask the drop modules in order, as maildrop_open does. */
static int
ask(const struct popper_place *place, const struct mailbox_work *w,
    struct popper_error *e)
{
	const char *wanted = place->identity->drop;
	bool asked = false;
	int result;

	for (size_t i = 0; i < mailbox_server.drops.count; i++) {
		const struct used_module *u = &mailbox_server.drops.used[i];
		const struct mailbox m = { u->module->drop, u->conf, place };

		if (wanted[0] != '\0' && strcmp(wanted, u->module->name) != 0)
			continue;
		asked = true;
		error_clear(e);
		if (has_slot(m.drop, w->offset))
			result = w->run(w->arg, &m, e);
		else if (w->instead != NULL)
			result = w->instead(w->arg, &m, e);
		else
			result = lacks_slot(&m, u->module->name, w, e);
		if (result != -1 || e->status != POPPER_ABSENT)
			return result;
	}
	if (asked)
		return -1;
	return error_set(e, POPPER_PERMANENT,
	    "drop module \"%s\" of user %s is not in modules.conf", wanted,
	    mailbox_shown(place->identity));
}

/* A program that a module starts would inherit the enclosure. */
static bool
may_enclose(void)
{
	return mailbox_server.settings.sandbox &&
	    (mailbox_needs() & POPPER_NEEDS_EXEC) == 0;
}

/* Whoever has to wait is told so, once. */
static void
tell_waiting(const struct popper_place *place, const struct mailbox_work *w)
{
	static bool told;

	if (!told)
		popperctl_say("%s is logged in: waiting up to %llus for that "
			      "session to end",
		    mailbox_shown(place->identity),
		    (unsigned long long)w->wait);
	told = true;
}

/* The session lock. */
static int
lock(const struct popper_place *place, const struct mailbox_work *w,
    struct popper_error *e)
{
	int fd = state_lock(place->state, e);

	if (fd != -1 || e->status != POPPER_IN_USE || w->wait == 0)
		return fd;
	tell_waiting(place, w);
	return state_await(place->state, w->wait, e);
}

/* Where is the folder that ${e} names? */
static int
no_state(struct popper_error *e)
{
	char text[sizeof(e->text)];

	(void)text_copy(text, sizeof(text), e->text);
	(void)text_print(e->text, sizeof(e->text), "%s (state-folder is %s)",
	    text, mailbox_server.settings.state_folder);
	return -1;
}

/* The order is a session's: session/session.c. */
static int
enter(struct popper_place *place, const struct mailbox_work *w,
    struct popper_error *e)
{
	static const struct used_modules no_exts;
	const struct popper_identity *i = place->identity;

	place->state = w->makes ? state_open(mailbox_server.states, i, e)
				: state_find(mailbox_server.states, i, e);
	if (place->state == -1)
		return no_state(e);
	fd_close(
	    &mailbox_server.states); /* it would show the names of all users */
	if (identity_become(i->uid, i->gid, &mailbox_server.mail_group,
		mailbox_server.has_mail_group ? 1 : 0, e) == -1 ||
	    (may_enclose() &&
		maildrop_enclose(&mailbox_server.drops, &no_exts, place, e) ==
		    -1))
		return -1;
	identity_no_dump();
	return lock(place, w, e);
}

/* Why it could not be done. */
static int
refused(const struct popper_identity *i, const struct mailbox_work *w,
    const struct popper_error *e)
{
	const char *name = mailbox_shown(i);

	if (w->each &&
	    (e->status == POPPER_IN_USE || e->status == POPPER_ABSENT))
		return POPPERCTL_DONE;
	mailbox_refusal(name, e->text);
	if (e->status == POPPER_IN_USE)
		popperctl_say("%s is logged in (%s): %s", name, e->text,
		    w->wait == 0 ? "try again when that session has ended, or "
				   "give --wait"
				 : "that session has not ended");
	else
		popperctl_say("%s: %s", name, e->text);
	return POPPERCTL_FAILED;
}

/* A module may have a lock of its own, which another user's session holds: it
 * alone knows when that is free. */
static int
ask_until(const struct popper_place *place, const struct mailbox_work *w,
    deadline_t end, struct popper_error *e)
{
	const struct timespec moment = { .tv_nsec = MOMENT };
	int result;

	while ((result = ask(place, w, e)) == -1 &&
	    e->status == POPPER_IN_USE && deadline_left(end) > 0) {
		tell_waiting(place, w);
		(void)nanosleep(&moment, NULL);
	}
	return result;
}

int
mailbox_work(const struct popper_identity *i, const struct mailbox_work *w)
{
	struct popper_place place = { .size = sizeof(place),
		.identity = i,
		.client = "",
		.state = -1,
		.server_name = mailbox_server.settings.server_name,
		.suffix = "" };
	const deadline_t end = deadline_in((int64_t)w->wait * 1000);
	struct popper_error e;
	int result;

	(void)umask(077);
	people_leave();
	error_clear(&e);
	if (enter(&place, w, &e) == -1)
		return refused(i, w, &e);
	if ((result = ask_until(&place, w, end, &e)) == -1)
		return refused(i, w, &e);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		popperctl_say("standard output cannot be written");
		return POPPERCTL_FAILED;
	}
	return result == 0 ? POPPERCTL_DONE : POPPERCTL_FAILED;
}
