/* retention.h - do the settings about how long mail stays make sense? */
#ifndef CONF_RETENTION_H
#define CONF_RETENTION_H

#include <popper/error.h>

#include "base/settings.h"

/** retention_check(s, error): expire, enforce-expire, auto-delete and what is
 * announced, together (RFC 2449 section 6.7).  0 or -1. */
int retention_check(const struct settings *, struct popper_error *);

#endif
