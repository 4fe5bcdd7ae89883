/* lookup.h - the name of a client, checked both ways. */
#ifndef AUTH_LOOKUP_H
#define AUTH_LOOKUP_H

#include <sys/socket.h>

#include "priv/messages.h"

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
