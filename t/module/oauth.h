/*
 * oauth.h - the oauth module with an issuer of the test's own: keys made at
 * test time, tokens signed by them, and three accounts.
 */
#ifndef T_MODULE_OAUTH_H
#define T_MODULE_OAUTH_H

#include <openssl/evp.h>

#include "auth.h"
#include "modules/auth/oauth.h"

#define OA_ISSUER "https://id.example.org"
#define OA_AUDIENCE "pop"

enum oa_key {
	OA_RSA,
	OA_RSA_OTHER,
	OA_RSA_WEAK,
	OA_EC,
	OA_EC_OTHER,
	OA_EC_384,
	OA_ED,
	OA_KEYS
};

extern const struct popper_module oauth_LTX_popper_module;
extern struct oauth_conf oa_conf;
extern void *oa_self;

/* What host->canonical does with names. */
extern bool oa_trim; /* cuts the domain off */
extern bool oa_replace; /* puts example.org in its place */
extern bool oa_separate; /* cuts off what is behind a "+" */
/* What host->lookup says of everybody, if not POPPER_OK. */
extern enum popper_status oa_trouble;
extern unsigned oa_lookups;

/** oa_setup, oa_teardown: around each test; the options are good ones. */
int oa_setup(void **state);
int oa_teardown(void **state);
/** oa_group_setup, oa_group_teardown: make the keys, free them. */
int oa_group_setup(void **state);
int oa_group_teardown(void **state);

/** oa_pkey(key): the pair. */
EVP_PKEY *oa_pkey(enum oa_key);

/** oa_jwk(key, more): the public key as JWK; ${more} are further members,
 * such as ",\"kid\":\"a\"".  Good until the program ends, as all texts here. */
const char *oa_jwk(enum oa_key, const char *more);

/** oa_keys(list): write the file of keys; ${list} is what stands in []. */
void oa_keys(const char *list);

/** oa_start(): start the module.  oa_refuse_start(why): it does not. */
void oa_start(void);
void oa_refuse_start(const char *why);

/** oa_encode(octets): base64url. */
const char *oa_encode(struct popper_slice);

/** oa_sign(key, alg, header, claims): a token; ${alg} says how it is signed,
 * ${header} and ${claims} are JSON. */
const char *oa_sign(
    enum oa_key, const char *alg, const char *header, const char *claims);

/** oa_claims(exp, more): good claims of carol@example.org that expire in
 * ${exp} seconds, with ${more} at their end. */
const char *oa_claims(long exp, const char *more);

/** oa_good(): a good token of key OA_RSA, kid "r". */
const char *oa_good(void);

/** oa_begin(mechanism, message, exchange): AUTH with a first response, or
 * without if it is NULL. */
enum popper_verdict oa_begin(
    const char *mechanism, const char *message, void **exchange);
enum popper_verdict oa_step(void *exchange, const char *response);

/** oa_try(token): a whole OAUTHBEARER; a refusal must come in two steps. */
enum popper_verdict oa_try(const char *token);
/** oa_refused(token, why): it is refused, and the log would say ${why}. */
void oa_refused(const char *token, const char *why);

/** oa_print(format, ...): a new text. */
const char *oa_print(const char *format, ...) POPPER_PRINTF(1, 2);

#endif
