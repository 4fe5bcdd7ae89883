/* euidl.h - EUIDL: number, unique-id, size and From of messages. */
#ifndef SESSION_EUIDL_H
#define SESSION_EUIDL_H

#include "session/session.h"

/** euidl_run(s, args, r): all messages, or the one of ${args}. */
enum outcome euidl_run(
    struct session *, const struct arguments *, struct reply *);

#endif
