/* tls_bio.h - how OpenSSL reads and writes for a tls_link. */
#ifndef LOGIN_TLS_BIO_H
#define LOGIN_TLS_BIO_H

#include <openssl/bio.h>

struct tls_link;

/** tls_bio_new(l): a BIO that gathers what is written in ${l}, and sends it
 * before it reads.  NULL: out of memory. */
BIO *tls_bio_new(struct tls_link *);

/** tls_bio_start(): in the parent, so that no worker has to. */
void tls_bio_start(void);

#endif
