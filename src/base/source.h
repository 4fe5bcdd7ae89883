/* source.h - where a client comes from: an address of IPv4, a /64 of IPv6. */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define SOURCE_LEN 8 /* octets that make a source: /64 of IPv6, all of IPv4 */

/** source_key(from, key): the same for all addresses of one source.  IPv4
 * through an IPv6 socket is IPv4; what has no address is one source. */
void source_key(const struct sockaddr_storage *, unsigned char key[SOURCE_LEN]);

/**
 * source_is_in(networks, from):
 * Is the address in one of the space separated ${networks}, as 192.0.2.0/24,
 * 2001:db8::/32 or without a length?
 */
bool source_is_in(const char *networks, const struct sockaddr_storage *);

/** source_wrong(networks, out, size): copy the first word of ${networks} that
 * is no network to ${out}; false if all are. */
bool source_wrong(const char *networks, char *out, size_t size);

#endif
