/* worker.h - one connection before its login. */
#ifndef LOGIN_WORKER_H
#define LOGIN_WORKER_H

#include "priv/service.h"

/**
 * worker_run(s, client, tls):
 * Greet the client on ${client}, after a TLS handshake if ${tls}, hold the
 * AUTHORIZATION dialog, and return when the connection is closed or a
 * session's.
 */
void worker_run(const struct service *, int client, bool tls);

#endif
