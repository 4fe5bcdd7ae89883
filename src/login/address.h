/* address.h - where a client is. */
#ifndef LOGIN_ADDRESS_H
#define LOGIN_ADDRESS_H

#include "priv/messages.h"

/** address_of(client, out): its IP address as text, IPv4 as such; "?" if it has
 * none. */
void address_of(int client, char out[ADDRESS_MAX]);

#endif
