/*
 * sasl.h - what the tests of the sasl module share: users with stored secrets,
 * one exchange at a time, and the client's side of SCRAM.
 *
 * Users: "alice" has keys of SCRAM and a clear-text secret, "bob" keys only,
 * "carol" a clear-text secret only, "dave" keys but no account, "eve" an
 * account that cannot be looked up now, "a,b=c" keys.  The password of each is
 * SASL_PASSWORD; "long" has a clear-text secret SASL_LONG.  "broken" has
 * secrets that cannot be read now.
 */
#ifndef T_MODULE_SASL_H
#define T_MODULE_SASL_H

#include <popper/auth.h>

#include "modules/auth/sasl.h"

#define SASL_PASSWORD "pencil"
#define SASL_LONG                                  \
	"a secret that is longer than a block of " \
	"the hash, sixty-four octets: it is hashed"
#define SASL_BINDING "0123456789abcdef0123456789abcdef"

extern struct auth_sasl_conf sasl_conf;
extern struct popper_error sasl_error;

/** sasl_defaults(): put the options' defaults into sasl_conf, the key file into
 * the test's folder. */
void sasl_defaults(void);

/** sasl_start(), sasl_stop(): the module with sasl_conf.  0, or -1 with
 * sasl_error. */
int sasl_start(void);
void sasl_stop(void);

/** sasl_restart(): both; must work. */
void sasl_restart(void);

/** sasl_needs(mechanism): what it needs, or -1 if it is not offered. */
int sasl_needs(const char *mechanism);

/** sasl_begin(mechanism, first, binding), sasl_step(response): one attempt;
 * ${first} and ${binding} may be NULL.  The answer is auth_answer, its
 * challenge as text sasl_challenge. */
enum popper_verdict sasl_begin(
    const char *mechanism, const char *first, const char *binding);
enum popper_verdict sasl_step(const char *response);
void sasl_end(void);
extern char sasl_challenge[];

/* The client's side of one SCRAM exchange. */
struct sasl_client {
	const char *mechanism, *header, *user, *password, *binding;
	char bare[256]; /* the first message without its header */
	char nonce[256], salt[128]; /* of the server's first message */
	unsigned iterations;
	char channel[256]; /* "c=..." */
	char proof[128]; /* "p=..." */
	char wanted[128]; /* "v=...", what the server must say */
};

/** sasl_scram(mechanism, header, user): of a client that knows the password. */
struct sasl_client sasl_scram(
    const char *mechanism, const char *header, const char *user);

/** sasl_scram_begin(c): send the first message. */
enum popper_verdict sasl_scram_begin(struct sasl_client *);

/** sasl_scram_prove(c): fill channel, proof and wanted for the nonce. */
void sasl_scram_prove(struct sasl_client *);

/** sasl_scram_end(c): send the last message as it is in ${c}. */
enum popper_verdict sasl_scram_end(struct sasl_client *);

/** sasl_scram_run(c): all of it, the empty line included. */
enum popper_verdict sasl_scram_run(struct sasl_client *);

#endif
