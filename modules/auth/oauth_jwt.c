/*
 * oauth_jwt.c - JSON Web Tokens as text: see oauth_jwt.h.
 *
 * Runs in:  the gate, as root; all it gets comes from strangers.  jansson reads
 *           the JSON, and keeps no state between calls.
 */
#include "oauth_jwt.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a digit, or 64. */
static unsigned
digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? 64 : (unsigned)(at - digits);
}

bool
oauth_base64url(
    struct popper_slice s, unsigned char *out, size_t room, size_t *len)
{
	unsigned bits = 0, have = 0, value;

	*len = 0;
	for (size_t i = 0; i < s.len; i++) {
		value = digit(s.ptr[i]);
		if (value == 64)
			return false;
		bits = bits << 6 | value;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (*len == room)
			return false;
		out[(*len)++] = (unsigned char)(bits >> have);
		bits &= (1u << have) - 1;
	}
	return have < 6 && bits == 0;
}

/* Before anything recurses. */
static bool
is_flat(struct popper_slice s)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (text && c == '\\')
			i++;
		else if (c == '"')
			text = !text;
		else if (!text && (c == '{' || c == '[') &&
		    ++depth > OAUTH_DEPTH_MAX)
			return false;
		else if (!text && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

json_t *
oauth_json(struct popper_slice s, const char **problem)
{
	json_error_t e;
	json_t *j;

	*problem = "JSON nested too deep";
	if (!is_flat(s))
		return NULL;
	j = json_loadb(s.ptr, s.len, JSON_REJECT_DUPLICATES, &e);
	if (j == NULL) {
		*problem = json_error_code(&e) == json_error_duplicate_key
		    ? "JSON with a name twice in an object"
		    : "no JSON";
		return NULL;
	}
	if (json_is_object(j))
		return j;
	*problem = "JSON, but no object";
	json_decref(j);
	return NULL;
}

/* A part of the token, base64url of a JSON object. */
static json_t *
object(struct popper_slice part, const char **problem)
{
	unsigned char *octets = malloc(part.len + 1);
	json_t *j = NULL;
	size_t len;

	*problem = "no memory";
	if (octets == NULL)
		return NULL;
	*problem = "no base64url";
	if (oauth_base64url(part, octets, part.len, &len))
		j = oauth_json(popper_slice(octets, len), problem);
	free(octets);
	return j;
}

/* Where the ${n}th dot is, or NULL. */
static const char *
dot(struct popper_slice s, unsigned n)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '.' && --n == 0)
			return s.ptr + i;
	return NULL;
}

bool
oauth_jwt_looks_so(struct popper_slice s)
{
	return dot(s, 2) != NULL && dot(s, 3) == NULL;
}

static const struct {
	const char *name;
	unsigned bit;
} algorithms[] = {
	{ "RS256", OAUTH_RS256 },
	{ "PS256", OAUTH_PS256 },
	{ "ES256", OAUTH_ES256 },
	{ "EdDSA", OAUTH_EDDSA },
};

unsigned
oauth_algorithm(struct popper_slice name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strlen(algorithms[i].name) == name.len &&
		    memcmp(algorithms[i].name, name.ptr, name.len) == 0)
			return algorithms[i].bit;
	return 0;
}

/* Tokens of other kinds by the same issuer say so (RFC 8725 section 3.11). */
static bool
is_access_token(const json_t *typ)
{
	static const char *const good[] = { "JWT", "at+jwt",
		"application/at+jwt" };

	if (typ == NULL)
		return true;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (json_is_string(typ) &&
		    strcasecmp(json_string_value(typ), good[i]) == 0)
			return true;
	return false;
}

/* Keys that the token itself brings or names (jwk, jku, x5c ...) are not
 * looked at. */
static const char *
read_header(struct oauth_jwt *t)
{
	const json_t *alg = json_object_get(t->header, "alg");
	const json_t *kid = json_object_get(t->header, "kid");

	if (!json_is_string(alg))
		return "the header has no alg";
	t->algorithm = oauth_algorithm(
	    popper_slice(json_string_value(alg), json_string_length(alg)));
	if (t->algorithm == 0)
		return "an algorithm that is not known here";
	if (json_object_get(t->header, "crit") != NULL)
		return "critical extensions, of which none is known here";
	if (!is_access_token(json_object_get(t->header, "typ")))
		return "a token of another type";
	if (kid != NULL && !json_is_string(kid))
		return "the kid is no text";
	t->kid = json_string_value(kid);
	return NULL;
}

const char *
oauth_jwt_parse(struct popper_slice token, struct oauth_jwt *t)
{
	const char *one, *two, *problem;
	struct popper_slice part;

	*t = (struct oauth_jwt){ .signing_input = popper_slice("", 0) };
	if (token.len > OAUTH_TOKEN_MAX)
		return "too long";
	if (!oauth_jwt_looks_so(token))
		return "not of the three parts of a signed token";
	one = dot(token, 1);
	two = dot(token, 2);
	t->signing_input = popper_slice(token.ptr, (size_t)(two - token.ptr));
	part = popper_slice(two + 1, token.len - t->signing_input.len - 1);
	if (!oauth_base64url(
		part, t->signature, sizeof(t->signature), &t->signature_len))
		return "the signature is no base64url, or too long";
	t->header = object(
	    popper_slice(token.ptr, (size_t)(one - token.ptr)), &problem);
	if (t->header == NULL || (problem = read_header(t)) != NULL)
		return problem;
	t->claims =
	    object(popper_slice(one + 1, (size_t)(two - one - 1)), &problem);
	return t->claims == NULL ? problem : NULL;
}

void
oauth_jwt_clear(struct oauth_jwt *t)
{
	json_decref(t->header);
	json_decref(t->claims);
	*t = (struct oauth_jwt){ .signing_input = popper_slice("", 0) };
}
