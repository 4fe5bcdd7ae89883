/*
 * plain.c - PLAIN (RFC 4616) and LOGIN: USER and PASS in other words.
 *
 * Runs in: the gate of one connection, as root.
 */
#include "auth/plain.h"

#include <string.h>

#include "auth/prepare.h"
#include "base/text.h"

bool
plain_is(const char *mechanism)
{
	return strcmp(mechanism, "PLAIN") == 0 ||
	    strcmp(mechanism, "LOGIN") == 0;
}

static enum plain_result
wrong(struct plain *p)
{
	p->stage = PLAIN_IDLE;
	return PLAIN_WRONG;
}

static enum plain_result
more(struct plain *p, enum plain_stage stage, const char *words,
    const char **challenge)
{
	p->stage = stage;
	*challenge = words;
	return PLAIN_MORE;
}

static bool
equal(struct popper_slice a, struct popper_slice b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Are two names the same, prepared if need be (RFC 5034 section 4)? */
static bool
is_same(struct popper_slice a, struct popper_slice b)
{
	char one[POPPER_USER_MAX + 1], other[POPPER_USER_MAX + 1];
	struct popper_error e;

	return equal(a, b) ||
	    (prepare(one, sizeof(one), a, &e) == 0 &&
		prepare(other, sizeof(other), b, &e) == 0 &&
		strcmp(one, other) == 0);
}

/* [authzid] NUL authcid NUL passwd: exactly two NULs. */
static enum plain_result
take_message(struct plain *p, struct popper_slice s)
{
	const char *end = s.ptr + s.len, *one, *two;
	struct popper_slice acts_as, name;

	if (s.len == 0 || (one = memchr(s.ptr, '\0', s.len)) == NULL)
		return wrong(p);
	two = memchr(one + 1, '\0', (size_t)(end - one - 1));
	if (two == NULL || two + 1 == end ||
	    memchr(two + 1, '\0', (size_t)(end - two - 1)) != NULL)
		return wrong(p);
	acts_as = popper_slice(s.ptr, (size_t)(one - s.ptr));
	name = popper_slice(one + 1, (size_t)(two - one - 1));
	if ((acts_as.len > 0 && !is_same(acts_as, name)) || name.len == 0 ||
	    !text_from_slice(p->user, sizeof(p->user), name))
		return wrong(p);
	p->secret = popper_slice(two + 1, (size_t)(end - two - 1));
	p->stage = PLAIN_IDLE;
	return PLAIN_READY;
}

static enum plain_result
take_name(struct plain *p, struct popper_slice s, const char **challenge)
{
	if (s.len == 0 || !text_from_slice(p->user, sizeof(p->user), s))
		return wrong(p);
	return more(p, PLAIN_SECRET, "Password:", challenge);
}

enum plain_result
plain_begin(
    struct plain *p, const struct popper_attempt *a, const char **challenge)
{
	if (strcmp(a->mechanism, "PLAIN") == 0) {
		if (a->initial)
			return take_message(p, a->secret);
		return more(p, PLAIN_MESSAGE, "", challenge);
	}
	if (a->initial)
		return take_name(p, a->secret, challenge);
	return more(p, PLAIN_NAME, "Username:", challenge);
}

enum plain_result
plain_step(
    struct plain *p, struct popper_slice response, const char **challenge)
{
	switch (p->stage) {
	case PLAIN_MESSAGE:
		return take_message(p, response);
	case PLAIN_NAME:
		return take_name(p, response, challenge);
	case PLAIN_SECRET:
		p->stage = PLAIN_IDLE;
		p->secret = response;
		return PLAIN_READY;
	case PLAIN_IDLE:
		break;
	}
	return wrong(p);
}
