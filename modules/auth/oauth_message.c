/*
 * oauth_message.c - what a client says in OAUTHBEARER and XOAUTH2.
 *
 * Runs in:  the gate, as root; all it gets comes from strangers.
 */
#include "oauth_message.h"

#include <string.h>
#include <strings.h>

#define SEPARATOR '\1'

static bool
is_key(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < 'a' || s.ptr[i] > 'z') &&
		    (s.ptr[i] < 'A' || s.ptr[i] > 'Z'))
			return false;
	return s.len > 0;
}

/* Visible ASCII and blanks; only a name may hold more. */
static bool
is_value(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') ||
		    c > 0x7e)
			return false;
	}
	return true;
}

static bool
is(struct popper_slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0;
}

/* Cut what lies before ${end} off ${rest}, and ${end} too. */
static bool
cut(struct popper_slice *rest, char end, struct popper_slice *out)
{
	const char *at =
	    rest->len == 0 ? NULL : memchr(rest->ptr, end, rest->len);

	if (at == NULL)
		return false;
	*out = popper_slice(rest->ptr, (size_t)(at - rest->ptr));
	*rest = popper_slice(at + 1, rest->len - out->len - 1);
	return true;
}

/* Names have no control characters, so no NUL. */
static bool
put(struct oauth_message *m, size_t at, char c)
{
	if (at >= POPPER_USER_MAX || (unsigned char)c < 0x20 || c == 0x7f)
		return false;
	m->user[at] = c;
	m->user[at + 1] = '\0';
	return true;
}

static const char *
take_user(struct popper_slice s, struct oauth_message *m)
{
	if (m->user[0] != '\0')
		return "the user is given twice";
	for (size_t i = 0; i < s.len; i++)
		if (!put(m, i, s.ptr[i]))
			return "no such form of a name";
	return s.len > 0 ? NULL : "the user is empty";
}

/* A saslname of RFC 5801 section 4: "=2C" is a comma, "=3D" an equals sign. */
static const char *
take_authzid(struct popper_slice s, struct oauth_message *m)
{
	size_t at = 0;
	char c;

	for (size_t i = 0; i < s.len; i++) {
		c = s.ptr[i];
		if (c == '=' && s.len - i > 2 && s.ptr[i + 1] == '2' &&
		    s.ptr[i + 2] == 'C')
			c = ',';
		else if (c == '=' && s.len - i > 2 && s.ptr[i + 1] == '3' &&
		    s.ptr[i + 2] == 'D')
			c = '=';
		else if (c == '=')
			return "a bad escape in the authzid";
		if (!put(m, at++, c))
			return "no such form of an authzid";
		if (s.ptr[i] == '=')
			i += 2;
	}
	return at > 0 ? NULL : "the authzid is empty";
}

/* "n,," or "n,a=name,".  Bearer tokens bind to no channel, so "p" is wrong;
 * "y" says that the client could and thinks we cannot, which is true. */
static const char *
take_gs2_header(struct popper_slice *rest, struct oauth_message *m)
{
	struct popper_slice flag, name;

	if (!cut(rest, ',', &flag) || !cut(rest, ',', &name))
		return "no GS2 header";
	if (!is(flag, "n") && !is(flag, "y"))
		return "a GS2 header with channel binding or an unknown flag";
	if (rest->len == 0 || rest->ptr[0] != SEPARATOR)
		return "no separator behind the GS2 header";
	*rest = popper_slice(rest->ptr + 1, rest->len - 1);
	if (name.len == 0)
		return NULL;
	if (name.len < 2 || memcmp(name.ptr, "a=", 2) != 0)
		return "no authzid where one should be";
	return take_authzid(popper_slice(name.ptr + 2, name.len - 2), m);
}

/* The characters of b64token, RFC 6750 section 2.1. */
static bool
is_token(struct popper_slice s)
{
	size_t i = 0;

	while (i < s.len &&
	    ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') ||
		(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
		(s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
		(s.ptr[i] != '\0' && strchr("-._~+/", s.ptr[i]) != NULL)))
		i++;
	if (i == 0)
		return false;
	while (i < s.len && s.ptr[i] == '=')
		i++;
	return i == s.len;
}

static const char *
take_auth(struct popper_slice value, struct oauth_message *m)
{
	static const char scheme[] = "Bearer ";
	size_t at = sizeof(scheme) - 1;

	if (m->token.len > 0)
		return "auth is given twice";
	if (value.len < at || strncasecmp(value.ptr, scheme, at) != 0)
		return "the scheme is not Bearer";
	while (at < value.len && value.ptr[at] == ' ')
		at++;
	m->token = popper_slice(value.ptr + at, value.len - at);
	return is_token(m->token) ? NULL : "no such form of a token";
}

static const char *
take_once(struct popper_slice value, struct popper_slice *out)
{
	if (out->len > 0)
		return "host or port is given twice";
	*out = value;
	return value.len > 0 ? NULL : "host or port is empty";
}

/* A decimal positive number without leading zeros. */
static const char *
take_port(struct popper_slice value, struct oauth_message *m)
{
	unsigned long n = 0;

	for (size_t i = 0; i < value.len && n <= 65535; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return "the port is no number";
		n = n * 10 + (unsigned long)(value.ptr[i] - '0');
	}
	if (n == 0 || n > 65535 || value.ptr[0] == '0')
		return "the port is out of range";
	return take_once(value, &m->port);
}

/* Unknown keys are passed over (RFC 7628 section 3.1). */
static const char *
take_pair(bool bearer, struct popper_slice pair, struct oauth_message *m)
{
	struct popper_slice key;

	if (!cut(&pair, '=', &key) || !is_key(key))
		return "a pair without a key";
	if (!bearer && is(key, "user"))
		return take_user(pair, m);
	if (!is_value(pair))
		return "a value with octets that none may hold";
	if (is(key, "auth"))
		return take_auth(pair, m);
	if (is(key, "host"))
		return take_once(pair, &m->host);
	if (is(key, "port"))
		return take_port(pair, m);
	return NULL;
}

const char *
oauth_message_parse(
    bool bearer, struct popper_slice rest, struct oauth_message *m)
{
	const char *problem = NULL;
	struct popper_slice pair;

	*m = (struct oauth_message){ .user = "",
		.token = popper_slice("", 0),
		.host = popper_slice("", 0),
		.port = popper_slice("", 0) };
	if (bearer)
		problem = take_gs2_header(&rest, m);
	while (problem == NULL && rest.len > 0 && rest.ptr[0] != SEPARATOR) {
		if (!cut(&rest, SEPARATOR, &pair))
			return "a pair without its end";
		problem = take_pair(bearer, pair, m);
	}
	if (problem != NULL)
		return problem;
	if (rest.len != 1)
		return "no end, or something behind it";
	if (!bearer && m->user[0] == '\0')
		return "no user";
	return m->token.len > 0 ? NULL : "no auth";
}
