/*
 * oauth_conf.c - the module's options, checked once.
 *
 * Runs in:  the warm parent, as root.
 */
#include <string.h>

#include "oauth.h"

#define SKEW_MAX 600
#define AGE_MAX (3650ull * 24 * 3600)
#define TIMEOUT_MAX 60
/* So that an error fits into a challenge, whatever needs to be escaped. */
#define TOLD_MAX 512

bool
oauth_word(const char **list, struct popper_slice *word)
{
	*list += strspn(*list, " \t,");
	*word = popper_slice(*list, strcspn(*list, " \t,"));
	*list += word->len;
	return word->len > 0;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
oauth_same(struct popper_slice a, struct popper_slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

static int
check_algorithms(struct oauth_self *o, struct popper_error *e)
{
	const char *list = o->conf->algorithms;
	struct popper_slice word;
	unsigned bit;

	o->algorithms = 0;
	while (oauth_word(&list, &word)) {
		bit = oauth_algorithm(word);
		if (bit == 0)
			return o->host->fail(e, POPPER_PERMANENT,
			    "oauth: algorithms: \"%.*s\" is none of RS256, "
			    "PS256, ES256, EdDSA",
			    (int)(word.len > 64 ? 64 : word.len), word.ptr);
		o->algorithms |= bit;
	}
	if (o->algorithms == 0)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: algorithms is empty; RS256, PS256, ES256, EdDSA");
	return 0;
}

static int
check_numbers(const struct oauth_self *o, struct popper_error *e)
{
	const struct oauth_conf *c = o->conf;

	if (c->skew > SKEW_MAX)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: clock-skew = %llu: at most %d s",
		    (unsigned long long)c->skew, SKEW_MAX);
	if (c->max_age > AGE_MAX)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: max-age = %llu: at most %llu s",
		    (unsigned long long)c->max_age, AGE_MAX);
	if (c->timeout < 1 || c->timeout > TIMEOUT_MAX)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: timeout = %llu: must be 1 to %d s",
		    (unsigned long long)c->timeout, TIMEOUT_MAX);
	return 0;
}

/* These are told to clients in an error. */
static int
check_told(const struct oauth_self *o, const char *name, const char *text,
    struct popper_error *e)
{
	size_t len = strlen(text);

	if (len > TOLD_MAX)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: %s: longer than %d octets", name, TOLD_MAX);
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return o->host->fail(e, POPPER_PERMANENT,
			    "oauth: %s: only visible ASCII can be told", name);
	return 0;
}

static int
check_sources(const struct oauth_self *o, struct popper_error *e)
{
	const struct oauth_conf *c = o->conf;

	if (c->jwks[0] == '\0' && c->introspect[0] == '\0')
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: set jwks (a file of keys), introspect (a URL) or "
		    "both");
	if (c->jwks[0] == '\0')
		return 0;
	if (c->issuer[0] == '\0')
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: jwks needs issuer: the \"iss\" of its tokens");
	if (c->audience[0] == '\0')
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: jwks needs audience: without it a token given to "
		    "any other service would open mailboxes here");
	return 0;
}

int
oauth_conf_check(struct oauth_self *o, struct popper_error *e)
{
	const struct oauth_conf *c = o->conf;

	if (check_sources(o, e) == -1 || check_algorithms(o, e) == -1 ||
	    check_numbers(o, e) == -1 ||
	    check_told(o, "scope", c->scope, e) == -1 ||
	    check_told(o, "openid-configuration", c->discovery, e) == -1)
		return -1;
	if (c->identity[0] == '\0')
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: identity is empty; a claim such as email or sub");
	if (c->discovery[0] != '\0' &&
	    strncmp(c->discovery, "https://", strlen("https://")) != 0)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: openid-configuration = \"%s\": must begin with "
		    "https://",
		    c->discovery);
	return 0;
}
