/* secure.h - TLS of the load generator: 1.3, ECDSA P-256, never resumed. */
#ifndef BENCH_SECURE_H
#define BENCH_SECURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct client;

/** secure_prepare(): once, before the first session. */
void secure_prepare(void);

/** secure_start(c): speak TLS on its connection. */
void secure_start(struct client *);

/**
 * secure_handshake(c, events):
 * Go on with the handshake.  1: done; 0: wait for ${events}; -1: failed.
 */
int secure_handshake(struct client *, uint32_t *events);

/** secure_send(c, data, len): octets taken, or -1 if it must be tried again. */
ssize_t secure_send(struct client *, const char *, size_t);

/** secure_receive(c, buffer, size): octets, 0 at the end, or -1 and EAGAIN. */
ssize_t secure_receive(struct client *, char *, size_t);

/** secure_end(c): without a word. */
void secure_end(struct client *);

#endif
