/*
 * worker.c - one connection before its login.
 *
 * Runs in: popper-login, one process per connection, as the login user, in an
 * empty root directory, without files or sockets of its own.
 */
#include "login/worker.h"

#include "base/fd.h"
#include "base/log.h"
#include "login/authorization.h"
#include "proto/dialog.h"

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

void
worker_run(const struct service *s, int client)
{
	static struct stream stream;
	static struct authorization a;
	struct dialog d = { .stream = &stream, .context = &a };
	enum dialog_end end;

	stream_start(&stream, client, (int64_t)s->settings->timeout * 1000);
	authorization_start(&a, &s->assignment, &stream, client);
	d.commands = authorization_commands;
	d.elsewhere = authorization_elsewhere;
	d.before = authorization_before;
	d.idle = (int64_t)s->settings->timeout * 1000;
	d.limit = a.limit;
	d.lengthy = "AUTH";
	if (authorization_stamp(&a)) {
		greet(s->settings, a.timestamp, &stream);
		end = dialog_run(&d);
	} else
		end = turn_away(&stream);
	authorization_end(&a);
	if (end == DIALOG_QUIT || end == DIALOG_CLOSE)
		stream_close(&stream, LINGER);
	fd_close(&client);
}
