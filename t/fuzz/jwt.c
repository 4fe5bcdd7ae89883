/*
 * jwt.c - fuzz: tokens, and what clients say around them.
 *
 * What is taken for a token has one spelling only; what lies in it is JSON
 * that stays the same when written and read again; no name, scope or time in
 * it breaks the checks of claims.  What is taken for a message of OAUTHBEARER
 * or XOAUTH2 has its parts where they were sent.
 */
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#include "oauth.h"

const char fuzz_corpus[] = "jwt";

#define MOST 20000

static bool
is_inside(struct popper_slice part, struct popper_slice whole)
{
	return part.len == 0 ||
	    (part.ptr >= whole.ptr && part.len <= whole.len &&
		(size_t)(part.ptr - whole.ptr) <= whole.len - part.len);
}

/* Does ${text} spell ${octets} in base64url? */
static bool
spells(struct popper_slice text, const unsigned char *octets, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = 0, have = 0;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		bits = (bits << 8 | octets[i]) & 0xffff;
		have += 8;
		while (have >= 6) {
			have -= 6;
			if (at == text.len ||
			    text.ptr[at++] != digits[bits >> have & 63])
				return false;
		}
	}
	if (have > 0 &&
	    (at == text.len ||
		text.ptr[at++] != digits[bits << (6 - have) & 63]))
		return false;
	return at == text.len;
}

static void
claims(const json_t *j)
{
	static const struct oauth_conf conf = { .issuer = "https://i",
		.audience = "pop",
		.identity = "email",
		.domains = "example.org",
		.scope = "mail x",
		.skew = 60,
		.max_age = 3600,
		.verified = true };
	struct oauth_rules rules = { .conf = &conf, .now = 1700000000 };
	char name[POPPER_USER_MAX + 1];
	const char *problem;
	enum oauth_result strict, lax;

	strict = oauth_claims_check(j, &rules, name, &problem);
	fuzz_check((strict == OAUTH_GOOD) == (problem == NULL));
	fuzz_check(strict != OAUTH_GOOD ||
	    strcasecmp(strchr(name, '@'), "@example.org") == 0);
	rules.introspected = true;
	lax = oauth_claims_check(j, &rules, name, &problem);
	fuzz_check(strict != OAUTH_GOOD || lax == OAUTH_GOOD);
}

static void
json(struct popper_slice input)
{
	const char *problem = NULL;
	json_t *j = oauth_json(input, &problem), *again;
	char *text;

	if (j == NULL) {
		fuzz_check(problem != NULL);
		return;
	}
	claims(j);
	text = json_dumps(j, JSON_COMPACT);
	fuzz_check(text != NULL);
	again = oauth_json(popper_slice_text(text), &problem);
	fuzz_check(again != NULL && json_is_object(again));
	fuzz_check(json_object_size(j) == json_object_size(again));
	free(text);
	json_decref(again);
	json_decref(j);
}

static void
token(struct popper_slice input)
{
	struct oauth_jwt t;
	const char *problem = oauth_jwt_parse(input, &t);
	size_t start = t.signing_input.len + 1;

	if (problem == NULL) {
		fuzz_check(oauth_jwt_looks_so(input));
		fuzz_check(input.len <= OAUTH_TOKEN_MAX);
		fuzz_check(
		    t.algorithm != 0 && (t.algorithm & (t.algorithm - 1)) == 0);
		fuzz_check(json_is_object(t.header));
		fuzz_check(is_inside(t.signing_input, input));
		fuzz_check(
		    spells(popper_slice(input.ptr + start, input.len - start),
			t.signature, t.signature_len));
		claims(t.claims);
	}
	oauth_jwt_clear(&t);
	fuzz_check(t.claims == NULL && t.header == NULL);
}

static void
message(bool bearer, struct popper_slice input)
{
	struct oauth_message m;

	if (oauth_message_parse(bearer, input, &m) != NULL)
		return;
	fuzz_check(m.token.len > 0 && is_inside(m.token, input));
	fuzz_check(memchr(m.token.ptr, 1, m.token.len) == NULL);
	fuzz_check(is_inside(m.host, input) && is_inside(m.port, input));
	fuzz_check(bearer || m.user[0] != '\0');
	for (const char *c = m.user; *c != '\0'; c++)
		fuzz_check((unsigned char)*c >= 0x20 && *c != 0x7f);
	fuzz_check(input.ptr[input.len - 1] == 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct popper_slice input = popper_slice(data, len);
	unsigned char octets[64];
	size_t n;

	if (len > MOST)
		return 0;
	if (oauth_base64url(input, octets, sizeof(octets), &n))
		fuzz_check(spells(input, octets, n));
	token(input);
	json(input);
	message(true, input);
	message(false, input);
	return 0;
}
