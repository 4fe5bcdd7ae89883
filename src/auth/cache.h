/*
 * cache.h - passwords that were right a moment ago.
 *
 * Off by default.  Holds no password, only digests with a key of this
 * generation, in memory of popper-auth and its gates.  A password is known once
 * it has been verified twice: before the second time the module has vouched
 * for the account and given a stamp, so a change of the password between is
 * seen.  See doc/why/credential-cache.md.
 */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include <popper/auth.h>

#include "auth/digest.h"
#include "base/deadline.h"
#include "base/settings.h"

enum cache_state {
	CACHE_OFF, /* there is no cache */
	CACHE_UNKNOWN, /* not right lately, or for the first time */
	CACHE_SEEN, /* was right: ask for a stamp before it is verified */
	CACHE_KNOWN /* was right with a stamp: fits if that is still the same */
};

/* One attempt's name and password. */
struct credential {
	enum cache_state state;
	unsigned char tag[DIGEST_LEN];
	unsigned char stamp[DIGEST_LEN]; /* KNOWN */
};

/** cache_start(s): make it, in the warm parent, if cache-lifetime says so. */
void cache_start(const struct settings *);

/** cache_ask(c, user, secret, now): what is known of them. */
void cache_ask(
    struct credential *, const char *user, struct popper_slice, deadline_t now);

/** cache_fits(c, user, stamp): KNOWN, and with this stamp? */
bool cache_fits(
    const struct credential *, const char *user, const struct popper_stamp *);

/** cache_learn(c, user, stamp, now): they have been verified just now;
 * ${stamp}, or NULL, is from before that. */
void cache_learn(const struct credential *, const char *user,
    const struct popper_stamp *, deadline_t now);

#endif
