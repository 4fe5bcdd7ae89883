/*
 * offer.c - which ways to log in a connection can be offered as it is now.
 *
 * Runs in: a login worker.
 */
#include "login/offer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <popper/auth.h>

#include "base/source.h"

bool
offer_is_local(int client)
{
	struct sockaddr_storage s = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(s);

	if (getpeername(client, (struct sockaddr *)&s, &len) == -1)
		return errno == ENOTSOCK;
	return s.ss_family == AF_UNIX || source_is_in("127.0.0.0/8 ::1", &s);
}

static bool
is_encrypted(const struct authorization *a)
{
	return a->link->ssl != NULL;
}

/* May a secret be shown on this connection, if it is ${encrypted}? */
static bool
may_be_shown(const struct authorization *a, bool encrypted)
{
	const char *rule = a->assignment->settings.clear_text_password;

	if (strcmp(rule, "always") == 0)
		return true;
	if (strcmp(rule, "never") == 0)
		return false;
	if (strcmp(rule, "local") == 0)
		return a->local;
	if (strcmp(rule, "tls") == 0)
		return encrypted;
	return a->local || encrypted;
}

unsigned
offer_have(const struct authorization *a)
{
	unsigned have = 0;

	if (may_be_shown(a, is_encrypted(a)))
		have |= POPPER_MECHANISM_CLEAR;
	if (is_encrypted(a))
		have |= POPPER_MECHANISM_TLS;
	if (tls_link_is_bound(a->link))
		have |= POPPER_MECHANISM_BOUND;
	if (a->certificate[0] != '\0')
		have |= POPPER_MECHANISM_CERTIFICATE;
	return have;
}

unsigned
offer_have_inside_tls(const struct authorization *a)
{
	unsigned have = offer_have(a) | POPPER_MECHANISM_TLS;

	if (may_be_shown(a, true))
		have |= POPPER_MECHANISM_CLEAR;
	return have;
}

const char *
offer_mechanisms(const struct authorization *a)
{
	if (a->assignment->settings.tls_client_required && !a->certified)
		return "";
	return a->assignment->mechanisms;
}
