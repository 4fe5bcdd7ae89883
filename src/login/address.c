/*
 * address.c - where a client is.
 *
 * Runs in: a login worker.
 */
#include "login/address.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

void
address_of(int client, char out[ADDRESS_MAX])
{
	struct sockaddr_storage s = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(s);
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	const void *address = &six.sin6_addr;
	int family;

	text_copy(out, ADDRESS_MAX, "?");
	if (getpeername(client, (struct sockaddr *)&s, &len) == -1 ||
	    (s.ss_family != AF_INET && s.ss_family != AF_INET6))
		return;
	family = s.ss_family;
	memcpy(&four, &s, sizeof(four));
	memcpy(&six, &s, sizeof(six));
	if (family == AF_INET)
		address = &four.sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
		family = AF_INET;
		address = &six.sin6_addr.s6_addr[12];
	}
	if (inet_ntop(family, address, out, ADDRESS_MAX) == NULL)
		text_copy(out, ADDRESS_MAX, "?");
}
