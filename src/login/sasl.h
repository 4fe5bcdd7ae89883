/* sasl.h - AUTH (RFC 5034), as far as the client's side of it goes. */
#ifndef LOGIN_SASL_H
#define LOGIN_SASL_H

#include "login/authorization.h"

/** sasl_command(a, args, r): AUTH [mechanism [initial-response]]. */
enum outcome sasl_command(
    struct authorization *, const struct arguments *, struct reply *);

#endif
