/* stls.h - TLS of a connection before its login: STLS (RFC 2595), or at once
 * (RFC 8314). */
#ifndef LOGIN_STLS_H
#define LOGIN_STLS_H

#include "login/authorization.h"

/** stls_is_offered(a): may the client say STLS now? */
bool stls_is_offered(const struct authorization *);

/** stls_command(a, reply): STLS. */
enum outcome stls_command(struct authorization *, struct reply *);

/**
 * stls_begin(a, more):
 * The handshake; ${more}: a line follows at once.  From then on the stream
 * talks TLS, and nothing is known of what was said before.  False: it failed;
 * nothing can be said any more, the connection is to be closed.
 */
bool stls_begin(struct authorization *, bool more);

#endif
