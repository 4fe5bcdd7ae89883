/* scram.h - keys of SCRAM (RFC 5802) and hashes of crypt(3). */
#ifndef POPAUTH_SCRAM_H
#define POPAUTH_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <popper/error.h>
#include <popper/slice.h>

#define SCRAM_ROUNDS 15000 /* unless asked for others */
#define SCRAM_ROUNDS_MIN 4096
#define SCRAM_ROUNDS_MAX 10000000

enum scram_kind { SCRAM_SHA_1, SCRAM_SHA_256, SCRAM_SHA_512, SCRAM_KINDS };

#define SCRAM_KEY_SIZE 320 /* of the longest, and a NUL */

/**
 * scram_make(kind, password, rounds, out, e):
 * Store in ${out}, SCRAM_KEY_SIZE octets, the key of ${password} with a fresh
 * salt, as the passwd module's file holds it.  Returns 0, or -1.
 */
int scram_make(enum scram_kind, const char *password, uint32_t rounds,
    char *out, struct popper_error *);

/** scram_is(item): is it such a key, and no hash of crypt(3)? */
bool scram_is(struct popper_slice item);

/**
 * scram_crypt_of(field): the part of a hash field that is a hash of crypt(3);
 * empty if there is none.  Such a hash may hold commas itself.
 */
struct popper_slice scram_crypt_of(struct popper_slice field);

#endif
