/*
 * recall.c - a name and a password: the cache, or the modules.
 *
 * Runs in: the gate of one connection, as root.
 */
#include "auth/recall.h"

#include <string.h>

#include "auth/cache.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"

/* Is it the same, but for what the name asked for? */
static bool
is_same(const struct popper_identity *a, const struct popper_identity *b)
{
	return a->flags == b->flags && a->uid == b->uid && a->gid == b->gid &&
	    a->login_delay == b->login_delay && strcmp(a->user, b->user) == 0 &&
	    strcmp(a->home, b->home) == 0 && strcmp(a->drop, b->drop) == 0 &&
	    strcmp(a->maildrop, b->maildrop) == 0;
}

/* Does a module vouch for whoever gave this password lately?  One that stays
 * for a session of its own has to see each login. */
static bool
vouched(struct chain *chain, const struct credential *c, const char *user,
    struct popper_identity *id, struct popper_stamp *stamp)
{
	struct popper_error e;

	if (c->state != CACHE_SEEN && c->state != CACHE_KNOWN)
		return false;
	error_clear(&e);
	if (chain_vouch(chain, user, id, stamp, &e) == 0)
		return (id->flags & POPPER_IDENTITY_KEEP) == 0;
	log_debug("credential cache: %s", e.text);
	return false;
}

enum popper_verdict
recall_begin(struct chain *chain, const struct popper_attempt *p,
    struct popper_answer *answer)
{
	static struct popper_identity id;
	enum popper_verdict v = POPPER_AUTH_YES;
	struct popper_stamp stamp = { .len = 0 };
	struct credential c;
	bool known;

	cache_ask(&c, p->user, p->secret, deadline_in(0));
	known = vouched(chain, &c, p->user, &id, &stamp);
	if (known && cache_fits(&c, p->user, &stamp)) {
		log_debug("credential cache: hit");
		answer->identity = id;
		goto done;
	}
	if (c.state != CACHE_OFF)
		log_debug("credential cache: miss");
	v = chain_begin(chain, p, answer);
	if (v == POPPER_AUTH_YES && (!known || is_same(&id, &answer->identity)))
		cache_learn(&c, p->user, known ? &stamp : NULL, deadline_in(0));
done:
	secret_wipe(&c, sizeof(c));
	secret_wipe(&stamp, sizeof(stamp));
	return v;
}
