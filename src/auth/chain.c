/*
 * chain.c - the auth modules, in the order of modules.conf.
 *
 * Runs in: popper-auth; chain_start in the warm parent, the rest in the gate
 * of one connection, as root.
 */
#include "auth/chain.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "mod/host.h"
#include "mod/loader.h"

int
chain_start(struct chain *c, const char *path, struct popper_error *e)
{
	const struct used_module *u;

	if (modules_read(path, "auth", loader_load, &c->modules, e) == -1)
		return -1;
	if (c->modules.count == 0)
		return error_set(e, POPPER_PERMANENT,
		    "%s names no auth module: nobody could log in", path);
	for (size_t i = 0; i < c->modules.count; i++) {
		u = &c->modules.used[i];
		if (u->module->auth->start(
			&host_services, u->conf, &c->self[i], e) == -1)
			return -1;
	}
	return 0;
}

static bool
offers(const struct popper_auth *a, const char *mechanism)
{
	for (const char *const *m = a->mechanisms; *m != NULL; m++)
		if (strcmp(*m, mechanism) == 0)
			return true;
	return false;
}

static bool
is_sasl(const char *mechanism)
{
	return strcmp(mechanism, "USER") != 0 && strcmp(mechanism, "APOP") != 0;
}

/* Is ${word} in the space separated ${list}? */
static bool
listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += len)
		if ((p == list || p[-1] == ' ') &&
		    (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

void
chain_mechanisms(const struct chain *c, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->modules.count; i++) {
		const char *const *m =
		    c->modules.used[i].module->auth->mechanisms;

		for (; *m != NULL; m++) {
			if (!is_sasl(*m) || listed(out, *m))
				continue;
			if (!text_print(out + len, size - len, "%s%s",
				len > 0 ? " " : "", *m)) {
				out[len] = '\0';
				return; /* no half names */
			}
			len = strlen(out);
		}
	}
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

static void
clear(struct popper_answer *a)
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

enum popper_verdict
chain_begin(struct chain *c, const struct popper_attempt *attempt,
    struct popper_answer *answer)
{
	enum popper_verdict v;
	bool offered = false;
	uint64_t delay = 0; /* the longest that any module asked for */

	for (size_t i = 0; i < c->modules.count; i++) {
		const struct popper_module *m = c->modules.used[i].module;

		if (!offers(m->auth, attempt->mechanism))
			continue;
		offered = true;
		clear(answer);
		c->driver = m->auth;
		c->module = m->name;
		c->exchange = NULL;
		v = m->auth->begin(c->self[i], attempt, &c->exchange, answer);
		if (answer->delay < delay)
			answer->delay = delay;
		if (v != POPPER_AUTH_NEXT)
			return bounded(v, answer);
		delay = answer->delay;
		chain_end(c);
	}
	clear(answer);
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

	clear(answer);
	if (c->driver == NULL || c->driver->step == NULL) {
		error_set(&answer->error, POPPER_INVALID,
		    "a response without an exchange");
		return POPPER_AUTH_NO;
	}
	v = c->driver->step(c->exchange, response, answer);
	/* The exchange has begun: no other module can take it over. */
	return v == POPPER_AUTH_NEXT ? POPPER_AUTH_NO : bounded(v, answer);
}

void
chain_end(struct chain *c)
{
	if (c->driver != NULL && c->driver->end != NULL)
		c->driver->end(c->exchange);
	c->driver = NULL;
	c->module = NULL;
	c->exchange = NULL;
}
