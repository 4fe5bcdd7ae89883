/* listen.h - addresses to listen on, as text: [address][:port]. */
#ifndef CONF_LISTEN_H
#define CONF_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <popper/error.h>

#include "base/settings.h"

#define LISTEN_MAX 48
#define LISTEN_PORT 110 /* RFC 1939 section 3 */
#define LISTEN_PORT_TLS 995 /* RFC 8314 section 7.3 */

struct listen_address {
	struct sockaddr_storage address;
	socklen_t len;
	bool tls; /* from the first octet */
};

struct listen_list {
	size_t count;
	struct listen_address address[LISTEN_MAX];
};

/**
 * listen_parse(option, text, tls, list, error):
 * Take apart a space separated list of "port", ":port", "a.b.c.d",
 * "a.b.c.d:port", "[v6]", "[v6]:port", "*:port" and add it to ${list}.
 * Without an address: all, IPv6 and IPv4.  Without a port: 110, or 995 if
 * ${tls}.  Numbers only: no resolver is asked.  An empty text adds nothing.
 * ${option} stands in messages.
 */
int listen_parse(const char *option, const char *text, bool tls,
    struct listen_list *, struct popper_error *);

/**
 * listen_wanted(s, list, error):
 * All that the settings ask for; if they say nothing: port 110 of all
 * addresses, and port 995 with TLS if there is a certificate and tls-support
 * does not say otherwise.  They have been checked (server_check).
 */
int listen_wanted(
    const struct settings *, struct listen_list *, struct popper_error *);

#endif
