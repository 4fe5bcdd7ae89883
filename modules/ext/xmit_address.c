/*
 * xmit_address.c - which address is the user's, and which one is in a field.
 *
 * Runs in: a session and its attendant, as the user.
 */
#include "xmit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A character that an address needs no quotes for (RFC 5322 section 3.2.3). */
static bool
is_atom(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool
is_plain(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_atom(s[i]))
			return false;
	return len > 0;
}

/* The next domain of the list; an empty one ends it. */
static struct popper_slice
next_domain(const char **list)
{
	struct popper_slice domain;

	*list += strspn(*list, " ,");
	domain = popper_slice(*list, strcspn(*list, " ,"));
	*list += domain.len;
	return domain;
}

static const char *
domains(const struct xmit *x)
{
	return x->conf->domain[0] != '\0' ? x->conf->domain
					  : x->place->server_name;
}

/* ${user}@${domain}, or the user's name if it has a domain. */
static bool
compose(
    const struct xmit *x, struct popper_slice domain, char *out, size_t size)
{
	const char *user = x->place->identity->user, *at = strrchr(user, '@');
	size_t local = at == NULL ? strlen(user) : (size_t)(at - user);
	int n;

	if (at != NULL)
		domain = popper_slice_text(at + 1);
	if (!is_plain(user, local) || !is_plain(domain.ptr, domain.len))
		return false;
	n = snprintf(out, size, "%.*s@%.*s", (int)local, user, (int)domain.len,
	    domain.ptr);
	return n > 0 && (size_t)n < size;
}

int
xmit_own(
    const struct xmit *x, char *out, size_t size, struct popper_error *error)
{
	const char *list = domains(x);

	if (compose(x, next_domain(&list), out, size))
		return 0;
	return (x->host->fail)(error, POPPER_PERMANENT,
	    "xmit: user %s has no address in \"%s\": see domain",
	    x->place->identity->user, domains(x));
}

bool
xmit_is_own(const struct xmit *x, struct popper_slice address)
{
	const char *list = domains(x);
	char own[XMIT_ADDRESS_MAX];
	struct popper_slice domain;

	while ((domain = next_domain(&list)).len > 0)
		if (compose(x, domain, own, sizeof(own)) &&
		    strlen(own) == address.len &&
		    strncasecmp(own, address.ptr, address.len) == 0)
			return true;
	return false;
}

/* --- Taking a field apart. --- */

struct parse {
	struct popper_slice rest;
	char *out;
	size_t size, len;
	bool bracket; /* there was one: what stood before it is a name */
	bool closed; /* the address is complete */
};

static char
next(struct parse *p)
{
	char c = p->rest.ptr[0];

	p->rest = popper_slice(p->rest.ptr + 1, p->rest.len - 1);
	return c;
}

/* Behind "(": to the ")" of the same depth. */
static bool
skip_comment(struct parse *p)
{
	unsigned depth = 1;
	char c;

	while (p->rest.len > 0 && depth > 0) {
		c = next(p);
		if (c == '\\' && p->rest.len > 0)
			(void)next(p);
		else if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
	}
	return depth == 0;
}

static bool
skip_quoted(struct parse *p)
{
	char c;

	while (p->rest.len > 0) {
		c = next(p);
		if (c == '"')
			return true;
		if (c == '\\' && p->rest.len > 0)
			(void)next(p);
	}
	return false;
}

static bool
add(struct parse *p, char c)
{
	if (p->len + 1 >= p->size)
		return false;
	p->out[p->len++] = c;
	return true;
}

/* Behind "<": an address without any white space, comment or quote. */
static bool
take_bracket(struct parse *p)
{
	char c;

	if (p->bracket)
		return false;
	p->bracket = true;
	p->len = 0;
	while (p->rest.len > 0) {
		c = next(p);
		if (c == '>') {
			p->closed = true;
			return p->len > 0;
		}
		if ((!is_atom(c) && c != '@') || !add(p, c))
			return false;
	}
	return false;
}

/* An octet outside of comments, quotes and brackets. */
static bool
take_octet(struct parse *p, char c, bool *gap)
{
	if (is_space(c)) {
		*gap = p->len > 0;
		return true;
	}
	if (c == ',' || c == ';' || c == ':' || c == '>' || p->closed)
		return false;
	/* Two words, or what needs quotes, without a bracket behind it: no
	 * address, but it may become a name. */
	return add(p, *gap || (!is_atom(c) && c != '@') ? ' ' : c);
}

bool
xmit_address(struct popper_slice value, char *out, size_t size)
{
	struct parse p = { .rest = value, .out = out, .size = size };
	bool gap = false, good = true;
	char c;

	while (good && p.rest.len > 0) {
		c = next(&p);
		if (c == '(')
			good = skip_comment(&p);
		else if (c == '"')
			/* Part of a name, or of an address that is in doubt. */
			good = skip_quoted(&p) && !p.closed && add(&p, '"');
		else if (c == '<')
			good = take_bracket(&p);
		else
			good = take_octet(&p, c, &gap);
	}
	out[p.len] = '\0';
	return good && memchr(out, '@', p.len) != NULL &&
	    memchr(out, ' ', p.len) == NULL && memchr(out, '"', p.len) == NULL;
}
