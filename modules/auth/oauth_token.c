/*
 * oauth_token.c - whose token is it?
 *
 * Runs in:  the gate, as root.
 */
#include <time.h>

#include "oauth.h"

/* Keys first: what they say costs no other machine anything. */
static enum oauth_result
verify(struct oauth_self *o, struct popper_slice token,
    char name[POPPER_USER_MAX + 1], struct popper_error *e)
{
	struct oauth_rules rules = { .conf = o->conf,
		.now = (int64_t)time(NULL) };
	enum oauth_result result = OAUTH_INVALID;
	struct oauth_jwt jwt;
	const char *problem;

	if (oauth_file_keys(o, e) == -1)
		return OAUTH_LATER;
	problem = oauth_jwt_parse(token, &jwt);
	if (problem == NULL)
		problem = oauth_verify(o->keys, &jwt, o->algorithms);
	if (problem == NULL)
		result = oauth_claims_check(jwt.claims, &rules, name, &problem);
	o->host->wipe(jwt.signature, jwt.signature_len);
	oauth_jwt_clear(&jwt);
	if (problem != NULL)
		(void)o->host->fail(
		    e, POPPER_DENIED, "oauth: token refused: %s", problem);
	return result;
}

enum oauth_result
oauth_token(struct oauth_self *o, struct popper_slice token,
    char name[POPPER_USER_MAX + 1], struct popper_error *e)
{
	char other[POPPER_USER_MAX + 1];
	enum oauth_result result;
	bool ask = o->conf->introspect[0] != '\0';

	name[0] = '\0';
	if (o->conf->jwks[0] == '\0' || (ask && !oauth_jwt_looks_so(token)))
		return oauth_introspect(o, token, name, e);
	result = verify(o, token, name, e);
	if (result != OAUTH_GOOD || !ask || !o->conf->confirm)
		return result;
	result = oauth_introspect(o, token, other, e);
	if (result != OAUTH_GOOD ||
	    oauth_same(popper_slice_text(name), popper_slice_text(other)))
		return result;
	(void)o->host->fail(e, POPPER_DENIED,
	    "oauth: token refused: the endpoint says it is of %s, the token "
	    "says of %s",
	    other, name);
	return OAUTH_INVALID;
}
