/*
 * session.c - one login, from the open maildrop to the last octet.
 *
 * Runs in: popper-session, one process per login.  session_run() begins as
 * root (or as whoever started popper), becomes the user in enter() and stays
 * the user.
 */
#include "session/session.h"

#include <string.h>
#include <malloc.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "priv/identity.h"
#include "proto/language.h"
#include "session/account.h"
#include "session/expire.h"
#include "session/pace.h"
#include "session/state.h"
#include "session/takeover.h"
#include "session/title.h"
#include "session/transaction.h"
#include "session/update.h"

/* How long we wait for a client to take in our last line. */
#define LINGER 2000

/* Tell the login worker, who is silent from then on if the maildrop is open,
 * and otherwise tells the client. */
static int
report(struct session *s, const struct popper_error *e)
{
	static struct wire w;
	struct verdict v = { .kind = VERDICT_OPENED };

	if (e != NULL) {
		v.kind = VERDICT_REFUSED;
		v.apart = true;
		v.status = e->status;
		v.wait = s->wait;
		text_copy(v.reply, sizeof(v.reply), e->reply);
		account_refused(s, e);
	}
	verdict_put(&w, &v);
	return wire_send(&w, s->worker, NULL, 0);
}

/* What option files say holds for this session. */
static void
adopt(struct session *s, struct option_files *f)
{
	if (f->own == -1 && f->spool == -1)
		return;
	s->own = *s->settings;
	options_read(f, &s->own);
	s->settings = &s->own;
	s->stream->patience = (int64_t)s->own.timeout * 1000;
	log_debugging(s->own.debug);
}

/* Become the user, shut off everything else, lock. */
static int
enter(struct session *s, struct popper_error *e)
{
	const struct equipment *q = s->equipment;
	const struct popper_identity *i = &s->opening->identity;
	struct option_files files;
	bool root = geteuid() == 0;

	s->place = session_place(s->settings, s->opening);
	s->place.state = state_open(q->state_root, i, e);
	if (s->place.state == -1)
		return -1;
	close(q->state_root); /* it would show the names of all users */
	if (identity_become(i->uid, i->gid, &q->mail_group,
		q->has_mail_group ? 1 : 0, e) == -1)
		return -1;
	options_open(&files, s->settings, i, root);
	if (q->enclose &&
	    maildrop_enclose(&q->drops, &q->exts, &s->place, e) == -1)
		return -1;
	adopt(s, &files);
	s->lock = q->service->settings->takeover > 0
	    ? takeover_lock(s->place.state, e)
	    : state_lock(s->place.state, e);
	return s->lock == -1 ? -1 : 0;
}

/* Has it been long enough since the last login? */
static int
keep_pace(struct session *s, struct popper_error *e)
{
	uint64_t delay = pace_delay(s->settings, &s->opening->identity);
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) == -1)
		return error_system(e, POPPER_TEMPORARY, "clock");
	s->wait = pace_left(s->place.state, delay, &now);
	if (s->wait == 0)
		return 0;
	return error_set(e, POPPER_TOO_SOON,
	    "the last login was less than %llu seconds ago (login-delay)",
	    (unsigned long long)delay);
}

/* Lock and scan the maildrop, start the extensions. */
static int
open_maildrop(struct session *s, struct popper_error *e)
{
	if (enter(s, e) == -1 || keep_pace(s, e) == -1 ||
	    maildrop_open(&s->maildrop, &s->equipment->drops, &s->place, e) ==
		-1)
		return -1;
	if (extensions_start(&s->extensions, &s->equipment->exts, &s->place,
		&s->maildrop, e) == -1 ||
	    messages_start(&s->messages, &s->maildrop, e) == -1)
		return -1;
	return s->settings->auto_delete ? messages_watch(&s->messages, e) : 0;
}

/* Locks go before the client hears of it: it may come back at once. */
static void
let_go(struct session *s)
{
	/* A wrapper around the maildrop is an extension's. */
	maildrop_close(&s->maildrop);
	extensions_stop(&s->extensions);
	fd_close(&s->lock);
}

static void
greet(struct session *s)
{
	struct popper_error e;
	struct reply r;
	size_t count = s->maildrop.count;
	uint64_t octets = 0;
	bool measured = messages_are_measured(&s->messages);

	reply_start(&r, s->stream);
	if (!measured)
		transaction_count(&r, count);
	else if (messages_total(&s->messages, false, &count, &octets, &e) == 0)
		transaction_total(&r, count, octets);
	else
		reply_ok(&r, "maildrop is open");
	account_login(s, count, measured ? &octets : NULL);
	if (s->settings->process_titles)
		title_set(s->opening->identity.user, s->opening->client);
}

/* Without QUIT nothing is removed (RFC 1939 section 6), unless the settings
 * say that a client which just went away has meant it. */
static void
abort_session(struct session *s, enum dialog_end end, struct tally *t)
{
	struct popper_error e;

	error_clear(&e);
	if (s->settings->update_on_abort &&
	    (end == DIALOG_GONE || end == DIALOG_EXPIRED))
		update_run(s, t, &e);
	else
		update_abandon(s, t);
	let_go(s);
}

/* TRANSACTION, and UPDATE if it ends in QUIT: RFC 1939 sections 5 and 6. */
static void
serve(struct session *s)
{
	enum dialog_end end = transaction_run(s);
	struct popper_error e;
	struct tally t;
	struct reply r;
	int result = 0;

	s->ending = deadline_in(0);
	error_clear(&e);
	reply_start(&r, s->stream);
	if (end == DIALOG_QUIT) {
		expire_mark(s);
		result = update_run(s, &t, &e);
		let_go(s);
		update_answer(result, &e, &r);
	} else
		abort_session(s, end, &t);
	if (end == DIALOG_WOKEN)
		reply_refuse(&r, POPPER_TEMPORARY,
		    "another session has taken over, nothing was deleted");
	if (end == DIALOG_QUIT && stream_is_quiet(s->stream))
		stream_flush(s->stream);
	else if (end == DIALOG_QUIT || end == DIALOG_CLOSE ||
	    end == DIALOG_WOKEN)
		stream_close(s->stream, LINGER);
	fd_close(&s->client);
	account_end(s, end, result, &t);
}

void
session_run(const struct equipment *q, const struct opening *o,
    const int fds[SESSION_FDS])
{
	/* Neighbours: what each command touches is on one page, which the
	 * kernel has to make for each session. */
	static struct {
		struct session session;
		struct stream stream;
	} all;
	struct session *s = &all.session;
	struct popper_error e;

	/* They are all zero: no session has run in this process. */
	s->equipment = q;
	s->settings = q->service->settings;
	s->opening = o;
	s->stream = &all.stream;
	s->client = fds[0];
	s->worker = fds[1];
	s->gate = fds[2];
	s->lock = -1;
	s->extensions.attendant = fds[3];
	stream_start(
	    s->stream, s->client, (int64_t)s->settings->timeout * 1000);
	language_use(o->manners.language);
	account_start(s);
	error_clear(&e);
	if (!stream_preload(s->stream, o->ahead)) {
		error_set(&e, POPPER_TEMPORARY, "too much was read ahead");
		report(s, &e);
		return;
	}
	if (open_maildrop(s, &e) == -1) {
		let_go(s);
		report(s, &e);
		return;
	}
	if (report(s, NULL) == -1) {
		let_go(s); /* the gate is gone, and with it the login */
		return;
	}
	if (s->settings->login_delay > 0)
		pace_note(s->place.state);
	greet(s);
	serve(s);
	messages_free(&s->messages);
}
