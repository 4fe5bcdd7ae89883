/* lang.h - LANG (RFC 6856 section 3), in both states. */
#ifndef PROTO_LANG_H
#define PROTO_LANG_H

#include "proto/command.h"
#include "proto/reply.h"

/** lang_run(args, r): list the languages, or switch to the one in the range
 * given and answer in it. */
enum outcome lang_run(const struct arguments *, struct reply *);

#endif
