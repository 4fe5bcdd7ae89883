/*
 * tls.h - TLS of popper-login: one context for all workers.
 *
 * Everything that costs time or needs a file happens in the warm parent, before
 * it gives up its rights: the workers inherit the result and change only their
 * own copy of it.
 */
#ifndef LOGIN_TLS_H
#define LOGIN_TLS_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/settings.h"

/** tls_start(s): load certificates, keys, CAs and lists of revoked ones, try
 * them once.  Ends the process with a line in the log if ${s} names something
 * that is of no use.  Without tls-certificate nothing happens. */
void tls_start(const struct settings *);

/** tls_context(): what tls_start() has made, or NULL: there is no TLS. */
SSL_CTX *tls_context(void);

/** tls_tend(): in the parent, now and then: new keys for session tickets if
 * their time has come.  True: processes forked before have the old ones. */
bool tls_tend(void);

/** tls_reason(buf, size): take the first entry off OpenSSL's queue of errors,
 * as text, and forget the rest. */
const char *tls_reason(void);

#endif
