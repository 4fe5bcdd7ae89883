/*
 * relay.h - after the login: between a client that speaks TLS and its session.
 *
 * TLS cannot be handed to another process, so the worker stays and carries
 * octets; it knows nothing any more of what they mean.
 */
#ifndef LOGIN_RELAY_H
#define LOGIN_RELAY_H

#include <stdint.h>

#include "base/stream.h"
#include "login/tls_link.h"

/**
 * relay_run(link, stream, session, patience):
 * Carry octets between ${link} and the socket ${session} until one side is
 * done.  The session ends: all it has said goes out, then close_notify; a
 * client that takes in nothing for ${patience} ms is given up.  The client says
 * that it is done: the session reads to its end and may still answer.  The
 * connection breaks off: so does the session's, at once.  ${stream} lends its
 * buffers; nothing is left in them.  Both descriptors stay the caller's.
 */
void relay_run(
    struct tls_link *, struct stream *, int session, int64_t patience);

#endif
