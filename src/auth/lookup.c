/*
 * lookup.c - the name of a client, checked both ways.
 *
 * Runs in: the gate of one connection, as root, after the session has begun:
 * nobody waits for it but the Stats line.
 */
#include "auth/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* IPv4 through an IPv6 socket is IPv4. */
static void
unmap(struct sockaddr_storage *s)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four = { .sin_family = AF_INET };

	memcpy(&six, s, sizeof(six));
	if (s->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		return;
	memcpy(&four.sin_addr, &six.sin6_addr.s6_addr[12], 4);
	four.sin_port = six.sin6_port;
	memset(s, 0, sizeof(*s));
	memcpy(s, &four, sizeof(four));
}

static bool
address_of(int sock, bool peer, struct sockaddr_storage *s)
{
	socklen_t len = sizeof(*s);
	struct sockaddr *a = (struct sockaddr *)s;

	memset(s, 0, sizeof(*s));
	if ((peer ? getpeername(sock, a, &len) : getsockname(sock, a, &len)) ==
	    -1)
		return false;
	unmap(s);
	return s->ss_family == AF_INET || s->ss_family == AF_INET6;
}

bool
lookup_peer(int sock, struct sockaddr_storage *out)
{
	return address_of(sock, true, out);
}

static void
as_text(const struct sockaddr_storage *s, char out[ADDRESS_MAX])
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	const void *a = &four.sin_addr;

	memcpy(&four, s, sizeof(four));
	memcpy(&six, s, sizeof(six));
	if (s->ss_family == AF_INET6)
		a = &six.sin6_addr;
	if (inet_ntop(s->ss_family, a, out, ADDRESS_MAX) == NULL)
		text_copy(out, ADDRESS_MAX, "local");
}

void
lookup_address(int sock, bool peer, char out[ADDRESS_MAX])
{
	struct sockaddr_storage s;

	if (address_of(sock, peer, &s))
		as_text(&s, out);
	else
		text_copy(out, ADDRESS_MAX, "local");
}

/* Is ${address} among the addresses of ${name}?  -1: the name has none. */
static int
leads_back(const char *name, const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all;
	struct sockaddr_storage s;
	char text[ADDRESS_MAX];
	int found = 0;

	if (getaddrinfo(name, NULL, &hints, &all) != 0)
		return -1;
	for (struct addrinfo *a = all; a != NULL && !found; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(s))
			continue;
		memset(&s, 0, sizeof(s));
		memcpy(&s, a->ai_addr, a->ai_addrlen);
		as_text(&s, text);
		found = strcmp(text, address) == 0;
	}
	freeaddrinfo(all);
	return found;
}

void
lookup_host(int sock, const char *address, char name[HOST_MAX])
{
	struct sockaddr_storage s;
	char found[NI_MAXHOST];
	int r;

	text_copy(name, HOST_MAX, address);
	if (!address_of(sock, true, &s))
		return;
	r = getnameinfo((struct sockaddr *)&s, sizeof(s), found, sizeof(found),
	    NULL, 0, NI_NAMEREQD);
	if (r != 0) {
		log_debug("Unable to get canonical name of client %s: %s (%d)",
		    address, gai_strerror(r), r);
		return;
	}
	r = leads_back(found, address);
	if (r == 1 && text_copy(name, HOST_MAX, found))
		return;
	text_copy(name, HOST_MAX, address);
	if (r == -1)
		log_notice("Client at \"%s\" resolves to an unknown host name "
			   "\"%s\"",
		    address, found);
	else
		log_notice("Client address \"%s\" not listed for its host "
			   "name \"%s\"",
		    address, found);
}
