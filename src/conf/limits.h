/* limits.h - do the settings that limit logins make sense? */
#ifndef CONF_LIMITS_H
#define CONF_LIMITS_H

#include <popper/error.h>

#include "base/settings.h"

/** limits_check(s, error): 0, or -1 with the option, the wrong word and what
 * would be right. */
int limits_check(const struct settings *, struct popper_error *);

#endif
