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
	/* The exchange under way, if any. */
	const struct popper_auth *driver;
	const char *module; /* its name, for the log */
	void *exchange;
};

/** chain_start(c, path, error): load and start what modules.conf at ${path}
 * names.  0, or -1 with ${error} filled. */
int chain_start(struct chain *, const char *path, struct popper_error *);

/** chain_mechanisms(c, out, size): the SASL mechanisms, space separated. */
void chain_mechanisms(const struct chain *, char *out, size_t size);

/** chain_is_clean(c): does every module say POPPER_AUTH_CLEAN? */
bool chain_is_clean(const struct chain *);

/**
 * chain_begin(c, attempt, answer):
 * One attempt to log in.  YES, MORE, NO or LATER; the exchange stays until
 * chain_end.
 */
enum popper_verdict chain_begin(struct chain *, const struct popper_attempt *,
    struct popper_answer *);

/** chain_step(c, response, answer): the client's response after MORE. */
enum popper_verdict chain_step(
    struct chain *, struct popper_slice, struct popper_answer *);

/** chain_end(c): forget the exchange, if there is one. */
void chain_end(struct chain *);

#endif
