/* talk.h - run a command of an extension (popper/ext.h). */
#ifndef SESSION_TALK_H
#define SESSION_TALK_H

#include <popper/ext.h>

#include "proto/reply.h"
#include "session/messages.h"

/**
 * talk_run(c, self, args, count, m, r):
 * Run ${c} with its arguments.  A command that fails or returns before it has
 * answered is answered -ERR; one that fails behind its answer, or leaves a
 * multi-line reply open, closes the connection: the client could not know
 * where it stands.
 */
enum outcome talk_run(const struct popper_command *, void *self,
    const struct popper_slice *args, size_t count, struct messages *,
    struct reply *);

#endif
