/*
 * oauth_claims.c - what a genuine token says: for us, now, and about whom.
 *
 * Runs in:  the gate, as root.  Pure: the clock comes in the rules.
 */
#include <string.h>

#include "oauth.h"

/* Integers that a double holds exactly. */
#define EXACT 9007199254740992.0

/* A NumericDate: 1 with ${out}, 0 if there is none, -1 if it is no time. */
static int
get_time(const json_t *claims, const char *name, int64_t *out)
{
	const json_t *j = json_object_get(claims, name);
	double d;

	if (j == NULL)
		return 0;
	if (json_is_integer(j)) {
		*out = json_integer_value(j);
		return 1;
	}
	if (!json_is_real(j))
		return -1;
	d = json_real_value(j);
	if (!(d > -EXACT && d < EXACT))
		return -1;
	*out = (int64_t)d;
	return 1;
}

/* Options are checked to be far smaller than time is. */
static const char *
check_times(const json_t *claims, const struct oauth_rules *rules)
{
	int64_t early = rules->now - (int64_t)rules->conf->skew;
	int64_t late = rules->now + (int64_t)rules->conf->skew;
	int64_t age = (int64_t)rules->conf->max_age;
	int64_t expires = 0, begins = 0, issued = 0;
	int has_exp = get_time(claims, "exp", &expires);
	int has_nbf = get_time(claims, "nbf", &begins);
	int has_iat = get_time(claims, "iat", &issued);

	if (has_exp == -1 || has_nbf == -1 || has_iat == -1)
		return "exp, nbf or iat is no time";
	if (has_exp == 0 && !rules->introspected)
		return "it has no exp";
	if (has_exp == 1 && expires <= early)
		return "it has expired";
	if (has_nbf == 1 && begins > late)
		return "it is not valid yet";
	if (has_iat == 1 && issued > late)
		return "it was issued in the future";
	if (age > 0 && has_iat == 0)
		return "it has no iat, which \"max-age\" needs";
	if (age > 0 && issued < early - age)
		return "it is older than \"max-age\"";
	return NULL;
}

static bool
is_text(const json_t *j, const char *text)
{
	return json_is_string(j) && strcmp(json_string_value(j), text) == 0;
}

/* A text, or a list with it: "aud" may be either. */
static bool
names(const json_t *j, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach(j, i, one) if (is_text(one, text)) return true;
	return is_text(j, text);
}

static const char *
check_source(const json_t *claims, const struct oauth_rules *rules)
{
	const json_t *iss = json_object_get(claims, "iss");
	const json_t *aud = json_object_get(claims, "aud");
	const struct oauth_conf *conf = rules->conf;

	if (conf->issuer[0] != '\0' && !is_text(iss, conf->issuer) &&
	    (iss != NULL || !rules->introspected))
		return "another issuer";
	if (conf->audience[0] != '\0' && !names(aud, conf->audience))
		return "it is for another audience";
	return NULL;
}

static bool
has_word(const char *list, struct popper_slice word)
{
	struct popper_slice w;

	while (oauth_word(&list, &w))
		if (w.len == word.len && memcmp(w.ptr, word.ptr, w.len) == 0)
			return true;
	return false;
}

/* RFC 8693 has words in a text; some issuers use "scp", some make a list. */
static bool
grants(const json_t *j, struct popper_slice word)
{
	const json_t *one;
	size_t i;

	json_array_foreach(j, i, one) if (grants(one, word)) return true;
	return json_is_string(j) && has_word(json_string_value(j), word);
}

static bool
has_scope(const json_t *claims, const char *wanted)
{
	struct popper_slice word;

	while (oauth_word(&wanted, &word))
		if (!grants(json_object_get(claims, "scope"), word) &&
		    !grants(json_object_get(claims, "scp"), word))
			return false;
	return true;
}

/* Is the end of ${name}, behind its "@", one of the domains? */
static bool
is_of_domain(const char *name, const char *domains)
{
	const char *at = strrchr(name, '@');
	struct popper_slice word;

	if (domains[0] == '\0')
		return true;
	while (at != NULL && oauth_word(&domains, &word))
		if (oauth_same(popper_slice_text(at + 1), word))
			return true;
	return false;
}

/* Whoever may register any address with an issuer could claim anybody's. */
static bool
is_verified(const json_t *claims)
{
	const json_t *j = json_object_get(claims, "email_verified");

	return json_is_true(j) || is_text(j, "true");
}

static const char *
get_identity(const json_t *claims, const struct oauth_conf *conf,
    char name[POPPER_USER_MAX + 1])
{
	const json_t *j = json_object_get(claims, conf->identity);
	size_t len = json_string_length(j);

	if (!json_is_string(j) || len == 0 || len > POPPER_USER_MAX)
		return "the claim of \"identity\" is missing, empty, no text "
		       "or too long";
	memcpy(name, json_string_value(j), len + 1);
	if (strcmp(conf->identity, "email") == 0 && conf->verified &&
	    !is_verified(claims))
		return "email_verified is not true";
	if (strchr(name, '@') != strrchr(name, '@'))
		return "the identity has more than one @";
	if (!is_of_domain(name, conf->domains))
		return "the identity is of no domain of \"domains\"";
	return NULL;
}

enum oauth_result
oauth_claims_check(const json_t *claims, const struct oauth_rules *rules,
    char name[POPPER_USER_MAX + 1], const char **problem)
{
	name[0] = '\0';
	*problem = check_source(claims, rules);
	if (*problem == NULL)
		*problem = check_times(claims, rules);
	if (*problem == NULL)
		*problem = get_identity(claims, rules->conf, name);
	if (*problem != NULL)
		return OAUTH_INVALID;
	if (has_scope(claims, rules->conf->scope))
		return OAUTH_GOOD;
	*problem = "it lacks the scope";
	return OAUTH_SCOPE;
}
