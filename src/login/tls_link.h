/*
 * tls_link.h - one connection over TLS, as a transport for a stream.
 *
 * Records are gathered and sent many at a time; what is gathered goes out
 * before anything is read, and at the end of each write.
 */
#ifndef LOGIN_TLS_LINK_H
#define LOGIN_TLS_LINK_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/deadline.h"
#include "base/stream.h"
#include "priv/messages.h"

#define TLS_RECORD_MAX 16384
#define TLS_LINK_RECORDS 4
/* What a record is longer than its content, and some control messages. */
#define TLS_LINK_EXTRA 256

struct tls_link {
	SSL *ssl; /* NULL: there is no TLS */
	int fd;
	struct stream_transport transport;
	size_t owed; /* octets taken, but not all sent yet */
	bool starved; /* what has come is no whole record */
	bool failed; /* nothing can be said any more */
	size_t out_at, out_end;
	char out[TLS_LINK_RECORDS * (TLS_RECORD_MAX + TLS_LINK_EXTRA)];
};

/**
 * tls_link_accept(l, fd, deadline, more):
 * Be the server of a handshake on ${fd}, which is non-blocking and stays the
 * caller's.  ${more}: something will be written at once; the last of the
 * handshake may then wait for it.  False: it failed, the reason is in the log,
 * the client has been told, and nothing more may be sent.
 */
bool tls_link_accept(struct tls_link *, int fd, deadline_t, bool more);

/** tls_link_describe(l, out, size): "TLSv1.3 TLS_AES_128_GCM_SHA256". */
void tls_link_describe(const struct tls_link *, char *out, size_t size);

/** tls_link_is_bound(l): has it a channel binding? */
bool tls_link_is_bound(const struct tls_link *);

/** tls_link_binding(l, out): "tls-exporter" of RFC 9266; the octets, or 0 if
 * this connection has none that is safe. */
size_t tls_link_binding(const struct tls_link *, char out[BINDING_MAX]);

/** tls_link_certificate(l, kind, name, size): has the client shown a
 * certificate, which then was a good one?  Its ${name} as tls_client_name(). */
bool tls_link_certificate(
    const struct tls_link *, const char *kind, char *name, size_t size);

/** tls_link_flush(l): send what is gathered, as far as it goes now.  False if
 * the connection is broken; ${l->out_end} != 0 while there is something left.
 */
bool tls_link_flush(struct tls_link *);

/** tls_link_free(l): forget keys and all; nothing is sent. */
void tls_link_free(struct tls_link *);

#endif
