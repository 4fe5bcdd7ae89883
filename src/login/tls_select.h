/*
 * tls_select.h - what a client asks for in its first message: a host name
 * (RFC 6066 section 3) and a protocol (RFC 7301).
 */
#ifndef LOGIN_TLS_SELECT_H
#define LOGIN_TLS_SELECT_H

#include <openssl/ssl.h>

#include <popper/error.h>

#include "base/settings.h"
#include "login/tls_certificate.h"

/**
 * tls_select_start(context, certificates, s, error):
 * Have ${context} show the certificate that a client's host name asks for, and
 * those of the first one's name if it asks for none or for one we do not have.
 * Keeps ${certificates}.  0, or -1 with ${error} filled.
 */
int tls_select_start(SSL_CTX *, const struct tls_certificates *,
    const struct settings *, struct popper_error *);

#endif
