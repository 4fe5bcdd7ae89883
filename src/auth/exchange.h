/*
 * exchange.h - one attempt to log in, whatever the mechanism.
 *
 * The server's own mechanisms are PLAIN and LOGIN (a password for the chain)
 * and EXTERNAL; all others are the modules'.
 */
#ifndef AUTH_EXCHANGE_H
#define AUTH_EXCHANGE_H

#include "auth/chain.h"
#include "auth/digest.h"
#include "auth/plain.h"
#include "base/settings.h"
#include "priv/messages.h"

struct exchange {
	struct chain *chain;
	const struct settings *settings;
	const char *client, *server; /* addresses as text */
	char timestamp[TIMESTAMP_MAX]; /* of the greeting, or "" */
	char given[POPPER_USER_MAX + 1]; /* the name, for the log, or "" */
	char suffix[NAME_SUFFIX_MAX + 1]; /* in it, of a YES; or "" */
	char mechanism[MECHANISM_MAX + 1]; /* of the attempt, or "" */
	struct manners manners; /* of the attempt under way */
	char certificate[CERTIFICATE_MAX];
	struct plain plain;
	bool external; /* EXTERNAL has begun */
	bool password; /* ${digest} stands for the name and password given */
	unsigned char digest[DIGEST_LEN];
	bool stained; /* a password is left in memory that was given back */
};

/**
 * exchange_begin(x, attempt, answer), exchange_step(x, response, answer):
 * YES, MORE, NO or LATER.  A YES has the identity as a session gets it, but
 * for verdict_check().
 */
enum popper_verdict exchange_begin(
    struct exchange *, const struct attempt *, struct popper_answer *);
enum popper_verdict exchange_step(
    struct exchange *, struct popper_slice, struct popper_answer *);

/** exchange_end(x): forget the attempt. */
void exchange_end(struct exchange *);

/** exchange_mechanisms(c, s, list, size): all there are, priv/mechanisms.h. */
void exchange_mechanisms(
    const struct chain *, const struct settings *, char *list, size_t size);

/** exchange_stamp(x): make a timestamp for APOP: of the form of a message-id,
 * from the kernel's random numbers, never the same again. */
void exchange_stamp(struct exchange *);

#endif
