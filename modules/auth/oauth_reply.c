/*
 * oauth_reply.c - what a client hears of a token that is refused.
 *
 * Runs in:  the gate, as root.
 */
#include <stdlib.h>
#include <string.h>

#include "oauth.h"

/* RFC 6750 section 3.1. */
static const char *const statuses[] = {
	[OAUTH_GOOD] = "",
	[OAUTH_INVALID] = "invalid_token",
	[OAUTH_SCOPE] = "insufficient_scope",
	[OAUTH_REQUEST] = "invalid_request",
	[OAUTH_LATER] = "",
};

/* RFC 7628 section 3.2.2. */
static json_t *
bearer_error(const struct oauth_conf *c, enum oauth_result result)
{
	json_t *j = json_pack("{s:s}", "status", statuses[result]);

	if (j == NULL ||
	    (c->scope[0] != '\0' &&
		json_object_set_new(j, "scope", json_string(c->scope)) == -1) ||
	    (c->discovery[0] != '\0' &&
		json_object_set_new(j, "openid-configuration",
		    json_string(c->discovery)) == -1)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

/* A status of HTTP, as a text. */
static json_t *
xoauth2_error(const struct oauth_conf *c, enum oauth_result result)
{
	return json_pack("{s:s, s:s, s:s}", "status",
	    result == OAUTH_INVALID ? "401" : "400", "schemes", "bearer",
	    "scope", c->scope);
}

bool
oauth_reply(const struct oauth_self *o, bool bearer, enum oauth_result result,
    struct popper_answer *answer)
{
	json_t *j = bearer ? bearer_error(o->conf, result)
			   : xoauth2_error(o->conf, result);
	size_t len = 0;

	if (j != NULL)
		len = json_dumpb(j, (char *)answer->challenge,
		    sizeof(answer->challenge), JSON_COMPACT);
	json_decref(j);
	answer->challenge_len = len;
	return len > 0 && len <= sizeof(answer->challenge);
}
