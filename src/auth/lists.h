/* lists.h - who may log in at all: files of names, shells. */
#ifndef AUTH_LISTS_H
#define AUTH_LISTS_H

#include <popper/auth.h>

#include "base/settings.h"

/**
 * lists_ready(s, error):
 * Can auth-file and nonauth-file be read?  If not nobody logs in, whatever the
 * password, so this is asked before it.  0, or -1 with ${error}
 * POPPER_TEMPORARY and a remedy.
 */
int lists_ready(const struct settings *, struct popper_error *);

/**
 * lists_check(s, identity, error):
 * Do auth-file, nonauth-file and check-shell let them in?  Asked after the
 * proof.  0, or -1 with ${error} POPPER_DENIED, or as above.
 */
int lists_check(const struct settings *, const struct popper_identity *,
    struct popper_error *);

#endif
