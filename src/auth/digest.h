/* digest.h - what stands for a password in memory: a digest with a key that
 * only popper-auth and its gates know. */
#ifndef AUTH_DIGEST_H
#define AUTH_DIGEST_H

#include <popper/slice.h>

#define DIGEST_LEN 32

/** digest_start(): make the key, once, before any gate is forked. */
void digest_start(void);

/** digest_of(purpose, user, octets, out): HMAC-SHA-256 over all three.
 * Digests of different purposes have nothing to do with each other. */
void digest_of(const char *purpose, const char *user, struct popper_slice,
    unsigned char out[DIGEST_LEN]);

#endif
