/* tls.h - do the options of TLS make sense together? */
#ifndef CONF_TLS_H
#define CONF_TLS_H

#include <popper/error.h>

#include "base/settings.h"

/**
 * tls_check(s, error):
 * Values of the tls- options, clear-text-password and listen-tls, and what one
 * of them needs of the others.  The files themselves are read by popper-login.
 */
int tls_check(const struct settings *, struct popper_error *);

#endif
