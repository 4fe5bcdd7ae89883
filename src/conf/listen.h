/* listen.h - addresses to listen on, as text: [address][:port]. */
#ifndef CONF_LISTEN_H
#define CONF_LISTEN_H

#include <stddef.h>
#include <sys/socket.h>

#include <popper/error.h>

#define LISTEN_MAX 48
#define LISTEN_PORT 110 /* RFC 1939 section 3 */

struct listen_address {
	struct sockaddr_storage address;
	socklen_t len;
};

/**
 * listen_parse(text, out, count, error):
 * Take apart a space separated list of "port", ":port", "a.b.c.d",
 * "a.b.c.d:port", "[v6]", "[v6]:port", "*:port" into at most LISTEN_MAX
 * addresses.  Without an address: all, IPv6 and IPv4.  Numbers only: no
 * resolver is asked.  An empty list is port 110 of all addresses.
 */
int listen_parse(const char *text, struct listen_address *out, size_t *count,
    struct popper_error *);

#endif
