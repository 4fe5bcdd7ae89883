/* recall.h - a name and a password: the cache, or the modules. */
#ifndef AUTH_RECALL_H
#define AUTH_RECALL_H

#include "auth/chain.h"

/** recall_begin(c, attempt, answer): as chain_begin for USER, but a password
 * that was right lately is not verified again (auth/cache.h).  Then there is no
 * exchange of a module. */
enum popper_verdict recall_begin(
    struct chain *, const struct popper_attempt *, struct popper_answer *);

#endif
