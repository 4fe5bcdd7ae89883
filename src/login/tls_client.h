/*
 * tls_client.h - certificates of clients: who is trusted, and whose they are.
 */
#ifndef LOGIN_TLS_CLIENT_H
#define LOGIN_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include <popper/error.h>

#include "base/settings.h"

/**
 * tls_client_start(context, s, error):
 * If ${s} has a tls-client-ca, ask every client for a certificate of it.  One
 * that is not good ends the handshake; to have none is fine.  0, or -1 with
 * ${error} filled.
 */
int tls_client_start(SSL_CTX *, const struct settings *, struct popper_error *);

/**
 * tls_client_name(certificate, kind, out, size):
 * Its owner's name as ${kind} (email, dns, upn, cn) says; "" if there is none,
 * or none that fits or is without control characters.
 */
void tls_client_name(const X509 *, const char *kind, char *out, size_t size);

#endif
