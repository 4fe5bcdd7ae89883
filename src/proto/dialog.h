/*
 * dialog.h - the loop: a line, a command, its handler, one reply.
 *
 * Runs in: a login worker (AUTHORIZATION) and a session (TRANSACTION).
 */
#ifndef PROTO_DIALOG_H
#define PROTO_DIALOG_H

#include <stdint.h>

#include "base/stream.h"
#include "proto/command.h"
#include "proto/reply.h"

/* After so many wrong commands in a row the client is sent away. */
#define DIALOG_FAULTS_MAX 50

struct dialog {
	struct stream *stream;
	struct reply reply;
	void *context; /* of the handlers */
	const struct command *commands; /* of this state */
	/* Commands of the other state, for a better word; may be NULL. */
	const struct command *elsewhere;
	/* A keyword whose lines may be longer than others; may be NULL. */
	const char *lengthy;
	int64_t idle; /* ms to wait for a command */
	deadline_t limit; /* and for all of them together */
	/* Called for a command that is in no table: extensions.  Returns true
	 * if it was one and has set ${outcome}.  May be NULL. */
	bool (*extra)(void *context, struct popper_slice line, struct reply *,
	    enum outcome *);
	/* Called after every command line, with the keyword's table entry or
	 * NULL, before it is run: AUTHORIZATION forgets the USER name here.
	 * May be NULL. */
	void (*before)(void *context, const struct command *);
	/* Called with the keyword of the command that is run, or "" if nobody
	 * knows it, and with NULL before the next one is waited for.  May be
	 * NULL. */
	void (*working)(void *context, const char *keyword);
	/* Called between commands, and during silence, once a minute; -1 ends
	 * the session.  May be NULL. */
	int (*minute)(void *context);
	/* After ${lull} ms without a command, once for each of them; 0: never.
	 * May be NULL. */
	int64_t lull;
	void (*lulled)(void *context);
	/* Called after each wait, with true if a command, or the end of the
	 * connection, has come: may we go on?  May be NULL. */
	bool (*woken)(void *context, bool over);
	deadline_t beat; /* when minute is due; set by dialog_run */
};

enum dialog_end {
	DIALOG_QUIT, /* a handler said OUTCOME_QUIT */
	DIALOG_CLOSE, /* a handler said OUTCOME_CLOSE, or too many faults */
	DIALOG_HANDED_OVER,
	DIALOG_EXPIRED, /* silence: close without a word (RFC 1939 section 3) */
	DIALOG_WOKEN, /* woken said no */
	DIALOG_GONE /* the client closed, or the line broke */
};

/** dialog_run(d): talk until one of the ends above. */
enum dialog_end dialog_run(struct dialog *);

#endif
