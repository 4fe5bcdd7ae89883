/* failure.h - what the log hears of a login that failed. */
#ifndef AUTH_FAILURE_H
#define AUTH_FAILURE_H

#include "auth/exchange.h"

/** failure_tell(x, error): one line: who, from where, how and why. */
void failure_tell(const struct exchange *, const struct popper_error *);

/** failure_tell_untried(x): so many of its source wait that it was not looked
 * at. */
void failure_tell_untried(const struct exchange *);

#endif
