/* verdict.h - may this identity have a session at all? */
#ifndef AUTH_VERDICT_H
#define AUTH_VERDICT_H

#include <popper/auth.h>

#include "base/settings.h"

/**
 * verdict_check(s, identity, error):
 * Never root, no uid below min-uid, a name and paths that cannot do harm, and
 * nobody else than ourselves if we are not root.  0, or -1 with ${error}
 * filled: POPPER_DENIED for what is policy, POPPER_PERMANENT for our own
 * trouble.
 */
int verdict_check(const struct settings *, const struct popper_identity *,
    struct popper_error *);

#endif
