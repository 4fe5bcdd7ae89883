/*
 * chain.c - the auth modules, in the order of modules.conf.
 *
 * Runs in: popper-auth; chain_start in the warm parent, the rest in the gate
 * of one connection, as root.
 */
#include "auth/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "mod/loader.h"
#include "priv/mechanisms.h"

/* Has the module, which may be older than we are, this function? */
#define HAS(a, field)                                                       \
	((a)->size >=                                                       \
		offsetof(struct popper_auth, field) + sizeof((a)->field) && \
	    (a)->field != NULL)

/* What the names in a module's plain list need. */
static unsigned
usual_needs(const char *mechanism)
{
	static const char *const clear[] = { "USER", "PLAIN", "LOGIN" };

	for (size_t i = 0; i < sizeof(clear) / sizeof(*clear); i++)
		if (strcmp(mechanism, clear[i]) == 0)
			return POPPER_MECHANISM_CLEAR;
	return 0;
}

/* The module's plain list as a table, for good. */
static const struct popper_mechanism *
table_of(const struct popper_auth *a)
{
	struct popper_mechanism *table;
	size_t n = 0;

	while (a->mechanisms[n] != NULL)
		n++;
	table = calloc(n + 1, sizeof(*table));
	for (size_t i = 0; table != NULL && i < n; i++)
		table[i] = (struct popper_mechanism){ a->mechanisms[i],
			usual_needs(a->mechanisms[i]) };
	return table;
}

static int
start_one(struct chain *c, size_t i, const struct popper_host *host,
    struct popper_error *e)
{
	const struct used_module *u = &c->modules.used[i];
	const struct popper_auth *a = u->module->auth;

	if (a->start(host, u->conf, &c->self[i], e) == -1)
		return -1;
	if (HAS(a, offers))
		c->offers[i] = a->offers(c->self[i]);
	else
		c->offers[i] = table_of(a);
	if (c->offers[i] != NULL)
		return 0;
	return error_set(e, POPPER_TEMPORARY,
	    "the mechanisms of auth module %s are not to be had",
	    u->module->name);
}

int
chain_start(struct chain *c, const struct modules_source *source,
    const struct popper_host *host, struct popper_error *e)
{
	if (modules_read(source, "auth", loader_load, &c->modules, e) == -1)
		return -1;
	if (c->modules.count == 0)
		return error_set(e, POPPER_PERMANENT,
		    "%s names no auth module: nobody could log in",
		    source->path);
	for (size_t i = 0; i < c->modules.count; i++)
		if (start_one(c, i, host, e) == -1)
			return -1;
	return 0;
}

static bool
offers(const struct chain *c, size_t i, const char *mechanism)
{
	const struct popper_mechanism *m = c->offers[i];

	for (; m->name != NULL; m++)
		if (strcmp(m->name, mechanism) == 0)
			return true;
	return false;
}

void
chain_mechanisms(const struct chain *c, char *list, size_t size)
{
	for (size_t i = 0; i < c->modules.count; i++)
		for (const struct popper_mechanism *m = c->offers[i];
		     m->name != NULL; m++)
			if (!mechanisms_add(list, size, m->name, m->needs))
				log_warning("too many mechanisms: %s is not "
					    "offered",
				    m->name);
}

/* The person that module ${i} means by the name: 0, or -1 with ${e}. */
static int
look_up(const struct chain *c, size_t i, const char *user,
    struct popper_identity *id, struct popper_error *e)
{
	const struct popper_auth *a = c->modules.used[i].module->auth;

	error_clear(e);
	memset(id, 0, sizeof(*id));
	id->size = sizeof(*id);
	if (a->lookup == NULL)
		return error_set(e, POPPER_ABSENT, "no accounts");
	return a->lookup(c->self[i], user, id, e);
}

/* Virtual users share a uid, so their maildrops say who they are. */
static bool
is_same(const struct popper_identity *a, const struct popper_identity *b)
{
	return a->uid == b->uid &&
	    ((a->flags & b->flags & POPPER_IDENTITY_VIRTUAL) == 0 ||
		strcmp(a->maildrop, b->maildrop) == 0);
}

/* Did a module behind ${i} tell the secret of another person?  Whom those
 * before it know, they would have found. */
static int
check_tellers(const struct chain *c, size_t i, const char *user,
    const struct popper_identity *id, struct popper_error *e)
{
	struct popper_identity other;

	for (size_t k = i + 1; k < c->modules.count; k++) {
		if (!c->teller[k])
			continue;
		if (look_up(c, k, user, &other, e) == -1) {
			/* It knows secrets, no accounts. */
			if (e->status != POPPER_ABSENT)
				return -1;
		} else if (!is_same(id, &other))
			return error_set(e, POPPER_DENIED,
			    "%s of auth module %s has proved it, but to %s "
			    "that name is somebody else's",
			    user, c->modules.used[k].module->name,
			    c->modules.used[i].module->name);
	}
	error_clear(e);
	return 0;
}

int
chain_lookup(const struct chain *c, const char *user,
    struct popper_identity *id, struct popper_error *e)
{
	for (size_t i = 0; i < c->modules.count; i++) {
		if (look_up(c, i, user, id, e) == 0)
			return check_tellers(c, i, user, id, e);
		if (e->status != POPPER_ABSENT)
			return -1;
	}
	return error_set(
	    e, POPPER_ABSENT, "no module knows an account of that name");
}

int
chain_secret(struct chain *c, const char *user, const char *kind, char *out,
    size_t size, struct popper_error *e)
{
	const struct popper_auth *a;

	for (size_t i = 0; i < c->modules.count; i++) {
		a = c->modules.used[i].module->auth;
		error_clear(e);
		if (!HAS(a, secret))
			continue;
		if (a->secret(c->self[i], user, kind, out, size, e) == 0) {
			c->teller[i] = true;
			return 0;
		}
		if (e->status != POPPER_ABSENT)
			return -1;
	}
	return error_set(
	    e, POPPER_ABSENT, "no module has such a secret of the user");
}

static bool
append(struct popper_stamp *whole, const struct popper_stamp *part)
{
	if (part->len > sizeof(whole->octets) - whole->len)
		return false;
	memcpy(whole->octets + whole->len, part->octets, part->len);
	whole->len += part->len;
	return true;
}

int
chain_vouch(const struct chain *c, const char *user, struct popper_identity *id,
    struct popper_stamp *stamp, struct popper_error *e)
{
	const struct popper_auth *a;
	struct popper_stamp whole = { .len = 0 };
	int known;

	for (size_t i = 0; i < c->modules.count; i++) {
		a = c->modules.used[i].module->auth;
		if (!offers(c, i, "USER"))
			continue;
		if (!HAS(a, vouch))
			break;
		error_clear(e);
		memset(id, 0, sizeof(*id));
		id->size = sizeof(*id);
		stamp->len = 0;
		known = a->vouch(c->self[i], user, id, stamp, e);
		if (known == -1 && e->status != POPPER_ABSENT)
			return -1;
		if (!append(&whole, stamp))
			return error_set(e, POPPER_TEMPORARY,
			    "the stamps of the user are too long");
		*stamp = whole;
		if (known == 0)
			return 0;
	}
	return error_set(e, POPPER_ABSENT, "nobody vouches for the user");
}

bool
chain_is_clean(const struct chain *c)
{
	for (size_t i = 0; i < c->modules.count; i++)
		if ((c->modules.used[i].module->auth->traits &
			POPPER_AUTH_CLEAN) == 0)
			return false;
	return true;
}

void
chain_blank(struct popper_answer *a)
{
	a->size = sizeof(*a);
	a->delay = 0;
	a->challenge_len = 0;
	memset(&a->identity, 0, sizeof(a->identity));
	a->identity.size = sizeof(a->identity);
	error_clear(&a->error);
}

/* A module that writes more than fits has done harm already, but nothing
 * behind the answer shall go to the client as well. */
static enum popper_verdict
bounded(enum popper_verdict v, struct popper_answer *answer)
{
	if (v != POPPER_AUTH_MORE ||
	    answer->challenge_len <= sizeof(answer->challenge))
		return v;
	error_set(&answer->error, POPPER_TEMPORARY,
	    "a challenge of %zu octets is too long", answer->challenge_len);
	return POPPER_AUTH_LATER;
}

/* A driver has said NEVER: the others were asked only for the time it takes. */
static enum popper_verdict
refuse_after_all(struct chain *c, const struct popper_error *why,
    struct popper_answer *answer)
{
	uint64_t delay = answer->delay;

	chain_end(c);
	chain_blank(answer);
	answer->delay = delay;
	answer->error = *why;
	return POPPER_AUTH_NO;
}

/* Ask driver ${i}; its exchange stays open unless the next is to be asked. */
static enum popper_verdict
ask(struct chain *c, size_t i, const struct popper_attempt *attempt,
    struct popper_answer *answer)
{
	const struct popper_module *m = c->modules.used[i].module;
	uint64_t delay = answer->delay; /* the longest that one asked for */
	enum popper_verdict v;

	chain_blank(answer);
	c->driver = m->auth;
	c->module = m->name;
	c->exchange = NULL;
	v = m->auth->begin(c->self[i], attempt, &c->exchange, answer);
	if (answer->delay < delay)
		answer->delay = delay;
	if (v == POPPER_AUTH_NEXT || v == POPPER_AUTH_NEVER)
		chain_end(c);
	return bounded(v, answer);
}

enum popper_verdict
chain_begin(struct chain *c, const struct popper_attempt *attempt,
    struct popper_answer *answer)
{
	enum popper_verdict v = POPPER_AUTH_NEXT;
	struct popper_error why; /* of the first NEVER */
	bool offered = false, never = false;
	uint64_t delay;

	chain_blank(answer);
	for (size_t i = 0; i < c->modules.count; i++) {
		if (!offers(c, i, attempt->mechanism))
			continue;
		offered = true;
		v = ask(c, i, attempt, answer);
		if (v == POPPER_AUTH_NEVER && !never) {
			never = true;
			why = answer->error;
		}
		if (v != POPPER_AUTH_NEXT && v != POPPER_AUTH_NEVER)
			break;
	}
	if (never && v != POPPER_AUTH_LATER)
		return refuse_after_all(c, &why, answer);
	if (v != POPPER_AUTH_NEXT)
		return v;
	delay = answer->delay;
	chain_blank(answer);
	answer->delay = delay;
	error_set(&answer->error, POPPER_DENIED, "%s",
	    offered ? "no module knows the user"
		    : "no module offers the mechanism");
	return POPPER_AUTH_NO;
}

enum popper_verdict
chain_step(
    struct chain *c, struct popper_slice response, struct popper_answer *answer)
{
	enum popper_verdict v;

	chain_blank(answer);
	if (c->driver == NULL || c->driver->step == NULL) {
		error_set(&answer->error, POPPER_INVALID,
		    "a response without an exchange");
		return POPPER_AUTH_NO;
	}
	v = c->driver->step(c->exchange, response, answer);
	/* The exchange has begun: no other module can take it over. */
	if (v == POPPER_AUTH_NEXT || v == POPPER_AUTH_NEVER)
		return POPPER_AUTH_NO;
	return bounded(v, answer);
}

void
chain_end(struct chain *c)
{
	if (c->driver != NULL && c->driver->end != NULL)
		c->driver->end(c->exchange);
	c->driver = NULL;
	c->module = NULL;
	c->exchange = NULL;
	memset(c->teller, 0, sizeof(c->teller));
}
