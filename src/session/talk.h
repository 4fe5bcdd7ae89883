/* talk.h - run a command of an extension (popper/ext.h). */
#ifndef SESSION_TALK_H
#define SESSION_TALK_H

#include <popper/ext.h>

#include "proto/reply.h"
#include "session/messages.h"

/* A command of an extension, and who runs it. */
struct part {
	const struct popper_command *command;
	void *self;
	const char *module;
	int attendant; /* channel to the session's, or -1 */
};

/**
 * talk_run(part, args, count, m, r):
 * Run ${part->command} with its arguments.  A command that fails or returns
 * before it has answered is answered -ERR; one that fails behind its answer, or
 * leaves a multi-line reply open, closes the connection: the client could not
 * know where it stands.
 */
enum outcome talk_run(const struct part *, const struct popper_slice *args,
    size_t count, struct messages *, struct reply *);

#endif
