/* lookup.h - the name of a client, checked both ways. */
#ifndef AUTH_LOOKUP_H
#define AUTH_LOOKUP_H

#include <sys/socket.h>

#include "priv/messages.h"

/** lookup_peer(sock, out): the address of ${sock}'s other side; IPv4 through an
 * IPv6 socket is IPv4.  False, and AF_UNSPEC or another family, if it is none
 * of IP. */
bool lookup_peer(int sock, struct sockaddr_storage *out);

/** lookup_address(sock, peer, out): the address of ${sock}'s other side
 * (${peer}) or its own as text; "local" if it has none. */
void lookup_address(int sock, bool peer, char out[ADDRESS_MAX]);

/**
 * lookup_host(sock, address, name):
 * Ask the resolver for the client's name and whether that name leads back to
 * it; warn in the log if not.  ${name} is the name, or ${address}.  May take
 * as long as the resolver likes.
 */
void lookup_host(int sock, const char *address, char name[HOST_MAX]);

#endif
