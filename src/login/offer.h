/* offer.h - which ways to log in a connection can be offered as it is now. */
#ifndef LOGIN_OFFER_H
#define LOGIN_OFFER_H

#include "login/authorization.h"

/** offer_is_local(client): does the client sit on this host?  What is no
 * network connection does. */
bool offer_is_local(int client);

/** offer_have(a): POPPER_MECHANISM_ bits of the connection as it is now, what
 * the administrator allows included. */
unsigned offer_have(const struct authorization *);

/** offer_have_inside_tls(a): what the connection would have over TLS. */
unsigned offer_have_inside_tls(const struct authorization *);

/** offer_mechanisms(a): those of popper-auth, or "" as long as a certificate
 * is wanted that the client has not shown. */
const char *offer_mechanisms(const struct authorization *);

#endif
