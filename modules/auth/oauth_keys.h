/* oauth_keys.h - a set of public keys (JWK Set, RFC 7517). */
#ifndef AUTH_OAUTH_KEYS_H
#define AUTH_OAUTH_KEYS_H

#include <openssl/evp.h>

#include "oauth_jwt.h"

#define OAUTH_KEYS_MAX 64
#define OAUTH_KEYS_FILE_MAX (256u << 10)
#define OAUTH_KID_MAX 255

struct oauth_key {
	char kid[OAUTH_KID_MAX + 1]; /* or "" */
	unsigned algorithms; /* what it may verify, OAUTH_ bits */
	EVP_PKEY *key;
};

struct oauth_keys {
	size_t count, ignored;
	const char *why; /* the last one was ignored */
	struct oauth_key key[OAUTH_KEYS_MAX];
};

/**
 * oauth_keys_parse(text, problem):
 * Read a JWK Set.  Keys for other uses, of other kinds, weak or private ones
 * are ignored and counted.  The caller frees it with oauth_keys_free.  NULL
 * with ${problem} if it is none, or has no key that can be used.
 */
struct oauth_keys *oauth_keys_parse(
    struct popper_slice text, const char **problem);

/** oauth_keys_free(keys): takes NULL. */
void oauth_keys_free(struct oauth_keys *);

#endif
