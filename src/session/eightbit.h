/* eightbit.h - messages for clients that gave UTF8 (RFC 6856 section 2.1). */
#ifndef SESSION_EIGHTBIT_H
#define SESSION_EIGHTBIT_H

#include "session/session.h"

/**
 * eightbit_check(s, i, error):
 * May message ${i} go to this client?  0, or -1 with ${error} filled: its
 * header has octets above 127, the client has not given UTF8, and the
 * administrator wants such messages refused.
 */
int eightbit_check(struct session *, size_t i, struct popper_error *);

#endif
