/*
 * authorization.h - the AUTHORIZATION state (RFC 1939 section 4).
 */
#ifndef LOGIN_AUTHORIZATION_H
#define LOGIN_AUTHORIZATION_H

#include "base/stream.h"
#include "login/tls_link.h"
#include "priv/messages.h"
#include "proto/command.h"

struct authorization {
	const struct assignment *assignment;
	struct stream *stream;
	int client;
	struct tls_link *link; /* its ssl is NULL until there is TLS */
	int relay; /* -1, or our end of what the session will talk to */
	bool certified; /* the client has shown a good certificate */
	char certificate[CERTIFICATE_MAX]; /* name in it, or "" */
	int channel; /* to the gate; -1: nobody has tried to log in yet */
	uint64_t tries; /* that have failed */
	deadline_t limit; /* for all of this state */
	bool local; /* the client is on this host */
	struct manners manners; /* but for ${have}: offer_have() */
	char timestamp[TIMESTAMP_MAX]; /* of the greeting, or "" */
	bool named; /* a USER was accepted, PASS may follow */
	char user[POPPER_USER_MAX + 1];
	struct wire wire; /* the last: it is wiped apart */
};

extern const struct command authorization_commands[];
/* Commands of the TRANSACTION state. */
extern const struct command authorization_elsewhere[];

void authorization_start(struct authorization *, const struct assignment *,
    struct stream *, int client);

/** authorization_stamp(a): have the gate make the greeting's timestamp, if
 * APOP is offered.  False: there is no gate to be had. */
bool authorization_stamp(struct authorization *);

/** authorization_before(context, command): the dialog's hook: any command but
 * PASS forgets the name that USER gave. */
void authorization_before(void *context, const struct command *);

/**
 * authorization_ask(a, attempt, verdict, reply):
 * Send ${attempt} to the gate (knocking for one first) and wait for its
 * ${verdict}, whose challenge points into ${a->wire}; it is never WAIT, that
 * is waited for here.  Wipes the secret.
 * False: there was no answer; the client has got -ERR and the connection is to
 * be closed.
 */
bool authorization_ask(
    struct authorization *, struct attempt *, struct verdict *, struct reply *);

/** authorization_failed(a): one more try has failed.  CLOSE if it was the
 * last, else REFUSED; the client is told by the caller. */
enum outcome authorization_failed(struct authorization *);

/** authorization_conclude(a, verdict, reply): tell the client of a REFUSED,
 * once its time has come; nothing of an OPENED. */
enum outcome authorization_conclude(
    struct authorization *, const struct verdict *, struct reply *);

void authorization_end(struct authorization *);

#endif
