/*
 * oauth_jwt.h - JSON Web Tokens as text (RFC 7515 section 7.1, RFC 7519).
 *
 * Pure: no file, no clock, no key.  Nothing in here says that a token is
 * genuine; oauth_verify.c does.
 */
#ifndef AUTH_OAUTH_JWT_H
#define AUTH_OAUTH_JWT_H

#include <stdbool.h>

#include <jansson.h>

#include <popper/slice.h>

/* Algorithms of RFC 7518 and RFC 8037 that are known here, as bits. */
#define OAUTH_RS256 1u
#define OAUTH_PS256 2u
#define OAUTH_ES256 4u
#define OAUTH_EDDSA 8u

#define OAUTH_TOKEN_MAX 12288
/* Of RSA with 8192 bits. */
#define OAUTH_SIGNATURE_MAX 1024
/* Objects and arrays within each other. */
#define OAUTH_DEPTH_MAX 16

struct oauth_jwt {
	struct popper_slice signing_input; /* header and payload, as sent */
	unsigned algorithm; /* one OAUTH_ bit */
	const char *kid; /* or NULL; lives in header */
	json_t *header, *claims;
	size_t signature_len;
	unsigned char signature[OAUTH_SIGNATURE_MAX];
};

/** oauth_jwt_looks_so(token): three parts with dots between, as a JWS has. */
bool oauth_jwt_looks_so(struct popper_slice);

/**
 * oauth_jwt_parse(token, jwt):
 * Take a compact JWS apart; ${jwt} points into ${token}.  Returns NULL, or
 * what is wrong with it.  In both cases oauth_jwt_clear ends it.
 */
const char *oauth_jwt_parse(struct popper_slice, struct oauth_jwt *);

void oauth_jwt_clear(struct oauth_jwt *);

/** oauth_algorithm(name): its bit, or 0; names are case-sensitive. */
unsigned oauth_algorithm(struct popper_slice name);

/**
 * oauth_base64url(text, out, room, len):
 * Decode base64url without padding (RFC 7515 section 2).  False for any other
 * octet, for stray bits at the end, and for more than ${room} octets.
 */
bool oauth_base64url(
    struct popper_slice, unsigned char *out, size_t room, size_t *len);

/**
 * oauth_json(text, problem):
 * One JSON object, no deeper than OAUTH_DEPTH_MAX, no name in it twice, all
 * UTF-8.  The caller owns it; NULL with ${problem} set.
 */
json_t *oauth_json(struct popper_slice, const char **problem);

#endif
