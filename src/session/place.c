/*
 * place.c - where and for whom modules work.
 *
 * Runs in: a session and its attendants.
 */
#include "session/session.h"

struct popper_place
session_place(const struct settings *settings, const struct opening *o)
{
	return (struct popper_place){ .size = sizeof(struct popper_place),
		.identity = &o->identity,
		.client = o->client,
		.state = -1,
		.server_name = settings->server_name,
		.suffix = o->suffix };
}
