/*
 * chain.h - the auth modules, in the order of modules.conf.
 *
 * This is where a password is checked: chain_begin() asks one module after
 * another.
 */
#ifndef AUTH_CHAIN_H
#define AUTH_CHAIN_H

#include <popper/auth.h>

#include "conf/modules.h"

struct chain {
	struct used_modules modules;
	void *self[MODULES_MAX];
	/* What each offers, by its own word or by its table. */
	const struct popper_mechanism *offers[MODULES_MAX];
	/* The exchange under way, if any. */
	const struct popper_auth *driver;
	const char *module; /* its name, for the log */
	void *exchange;
	bool teller[MODULES_MAX]; /* which have told a secret in it */
};

/** chain_start(c, source, host, error): load and start what modules.conf
 * names; ${host} lives on.  0, or -1 with ${error} filled. */
int chain_start(struct chain *, const struct modules_source *,
    const struct popper_host *, struct popper_error *);

/** chain_mechanisms(c, list, size): append what the modules offer, see
 * priv/mechanisms.h. */
void chain_mechanisms(const struct chain *, char *list, size_t size);

/**
 * chain_lookup(c, user, identity, error), chain_secret(c, user, kind, out,
 * size, error): the services lookup and secret of popper/module.h.
 *
 * Two modules may know two persons of one name: where a secret of one was told
 * in this exchange, the other is not found (POPPER_DENIED).
 */
int chain_lookup(const struct chain *, const char *user,
    struct popper_identity *, struct popper_error *);
int chain_secret(struct chain *, const char *user, const char *kind, char *out,
    size_t size, struct popper_error *);

/**
 * chain_vouch(c, user, identity, stamp, error):
 * The vouch of the first module that offers USER and knows ${user}; stamps of
 * those before it go before its own.  0, or -1 with ${error}: POPPER_ABSENT
 * also if the first to know it cannot vouch.
 */
int chain_vouch(const struct chain *, const char *user,
    struct popper_identity *, struct popper_stamp *, struct popper_error *);

/** chain_is_clean(c): does every module say POPPER_AUTH_CLEAN? */
bool chain_is_clean(const struct chain *);

/**
 * chain_begin(c, attempt, answer):
 * One attempt to log in.  YES, MORE, NO or LATER; the exchange stays until
 * chain_end.
 */
enum popper_verdict chain_begin(
    struct chain *, const struct popper_attempt *, struct popper_answer *);

/** chain_step(c, response, answer): the client's response after MORE. */
enum popper_verdict chain_step(
    struct chain *, struct popper_slice, struct popper_answer *);

/** chain_blank(answer): as every driver finds it. */
void chain_blank(struct popper_answer *);

/** chain_end(c): forget the exchange, if there is one. */
void chain_end(struct chain *);

#endif
