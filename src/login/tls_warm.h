/* tls_warm.h - one handshake with ourselves, before the first client comes. */
#ifndef LOGIN_TLS_WARM_H
#define LOGIN_TLS_WARM_H

#include <openssl/ssl.h>

/** tls_warm(context): handshakes in memory, for each version that ${context}
 * has, so that the library has loaded and computed what every worker would
 * have to do for itself.  What goes wrong goes to the log. */
void tls_warm(SSL_CTX *);

#endif
