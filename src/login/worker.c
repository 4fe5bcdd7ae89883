/*
 * worker.c - one connection before its login.
 *
 * Runs in: popper-login, one process per connection, as the login user, in an
 * empty root directory, without files or sockets of its own.
 */
#include "login/worker.h"

#include <stddef.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/secret.h"
#include "login/authorization.h"
#include "login/relay.h"
#include "login/stls.h"
#include "login/tell.h"
#include "login/told.h"
#include "proto/dialog.h"
#include "proto/language.h"

/* How long we wait for a client to take in our last line. */
#define LINGER 2000

static void
greet(const struct settings *s, const char *timestamp, struct stream *stream)
{
	const char *gap = timestamp[0] == '\0' ? "" : " ";
	struct reply r;

	reply_start(&r, stream);
	if (s->shy)
		reply_exact(&r, "ready%s%s", gap, timestamp);
	else
		reply_exact(&r, "%s ready%s%s", s->server_name, gap, timestamp);
}

/* popper-auth is not there: better a word than a greeting without APOP. */
static enum dialog_end
turn_away(struct stream *stream)
{
	struct reply r;

	log_error("no timestamp from popper-auth: a client is turned away");
	reply_start(&r, stream);
	reply_refuse(&r, POPPER_TEMPORARY, "not ready, try again later");
	return DIALOG_CLOSE;
}

static enum dialog_end
converse(const struct service *s, struct authorization *a)
{
	struct dialog d = { .stream = a->stream, .context = a };

	if (!authorization_stamp(a))
		return turn_away(a->stream);
	greet(s->settings, a->timestamp, a->stream);
	d.commands = authorization_commands;
	d.elsewhere = authorization_elsewhere;
	d.before = authorization_before;
	d.idle = (int64_t)s->settings->timeout * 1000;
	d.limit = a->limit;
	d.lengthy = "AUTH";
	return dialog_run(&d);
}

/* The session has a plain connection; TLS needs us to the end of it. */
static void
attend(struct authorization *a, int64_t patience)
{
	int relay = a->relay;

	a->relay = -1;
	authorization_end(a);
	told_logged_in();
	relay_run(a->link, a->stream, relay, patience);
	fd_close(&relay);
}

/* This process may be given another connection: nothing of this one stays. */
static void
forget(struct authorization *a)
{
	stream_wipe(a->stream);
	wire_wipe(&a->wire);
	secret_wipe(a, offsetof(struct authorization, wire));
	language_use("");
}

void
worker_run(const struct service *s, int client, bool tls)
{
	static struct stream stream;
	static struct authorization a;
	int64_t patience = (int64_t)s->settings->timeout * 1000;
	enum dialog_end end;

	stream_start(&stream, client, patience);
	authorization_start(&a, &s->assignment, &stream, client);
	tell_start(&a);
	end = tls && !stls_begin(&a, true) ? DIALOG_GONE : converse(s, &a);
	tell_end(&a, end);
	if (end == DIALOG_HANDED_OVER && a.relay != -1)
		attend(&a, patience);
	authorization_end(&a);
	if (end == DIALOG_QUIT || end == DIALOG_CLOSE)
		stream_close(&stream, LINGER);
	else if (end == DIALOG_EXPIRED && a.link->ssl != NULL)
		stream_close(&stream, 0);
	tls_link_free(a.link);
	fd_close(&client);
	if (s->settings->worker_uses > 1)
		forget(&a);
}
