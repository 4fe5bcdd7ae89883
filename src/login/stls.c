/*
 * stls.c - TLS of a connection before its login.
 *
 * Runs in: a login worker.
 */
#include "login/stls.h"

#include <string.h>

#include "login/tls.h"
#include "proto/language.h"
#include "proto/reply.h"

bool
stls_is_offered(const struct authorization *a)
{
	const char *support = a->assignment->settings.tls_support;

	return a->link->ssl == NULL && tls_context() != NULL &&
	    (strcmp(support, "default") == 0 || strcmp(support, "stls") == 0);
}

/* All that somebody on the way may have said or changed (RFC 2595 section 4).
 * The timestamp stays: the greeting is not repeated. */
static void
forget(struct authorization *a)
{
	stream_forget(a->stream);
	a->named = false;
	a->user[0] = '\0';
	a->manners = (struct manners){ .have = 0 };
	language_use("");
}

bool
stls_begin(struct authorization *a, bool more)
{
	const struct settings *s = &a->assignment->settings;

	forget(a);
	if (!tls_link_accept(a->link, a->client, a->limit, more)) {
		a->stream->broken = true;
		return false;
	}
	stream_wrap(a->stream, &a->link->transport);
	tls_link_describe(a->link, a->manners.tls, sizeof(a->manners.tls));
	a->certified = tls_link_certificate(a->link, s->tls_client_name,
	    a->certificate, sizeof(a->certificate));
	return true;
}

enum outcome
stls_command(struct authorization *a, struct reply *r)
{
	if (a->link->ssl != NULL)
		return reply_refuse(r, POPPER_INVALID, "TLS is active already");
	if (!stls_is_offered(a))
		return reply_refuse(
		    r, POPPER_INVALID, "STLS is not offered here");
	reply_ok(r, "begin TLS");
	stream_flush(a->stream);
	if (!stls_begin(a, false))
		return OUTCOME_CLOSE;
	return OUTCOME_DONE;
}
