/*
 * wire.h - messages between our processes, field by field.
 *
 * No struct is ever cast from octets.  A getter that runs short, a text with a
 * NUL in it and a message with something left over are all failures, and a
 * failure sticks: check once, with wire_end().
 */
#ifndef PRIV_WIRE_H
#define PRIV_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <popper/slice.h>

#define WIRE_MAX 49152 /* octets in one message */

struct wire {
	size_t len; /* octets in it */
	size_t at; /* read so far */
	size_t used; /* octets of ${bytes} that were ever written */
	bool failed; /* too much was put, or something wrong was got */
	unsigned char bytes[WIRE_MAX];
};

/* Build.  wire_start touches only the head of the struct. */
void wire_start(struct wire *);
void wire_put_number(struct wire *, uint64_t);
void wire_put_text(struct wire *, const char *);
void wire_put_slice(struct wire *, struct popper_slice);

/**
 * wire_send(w, sock, fds, count):
 * Send it with descriptors, which stay ours.  0, or -1 with errno (EMSGSIZE if
 * it did not fit).
 */
int wire_send(const struct wire *, int sock, const int *fds, size_t count);

/**
 * wire_receive(w, sock, fds, most, count):
 * Receive one.  1, 0 when the other side is gone, -1 with errno.
 */
int wire_receive(
    struct wire *, int sock, int *fds, size_t most, size_t *count);

/* Take apart.  After a failure they return 0, "" and empty slices. */
uint64_t wire_get_number(struct wire *, uint64_t max);
/* Copies with a NUL; fails if it does not fit. */
void wire_get_text(struct wire *, char *out, size_t size);
/* Points into the message. */
struct popper_slice wire_get_slice(struct wire *);
/** wire_end(w): true if everything was right and nothing is left over. */
bool wire_end(const struct wire *);

/** wire_wipe(w): overwrite all that ${w} held since it was zero or wiped. */
void wire_wipe(struct wire *);

#endif
