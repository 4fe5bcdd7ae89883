/* identity.h - become a user, for good. */
#ifndef PRIV_IDENTITY_H
#define PRIV_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <popper/error.h>

/**
 * identity_become(uid, gid, groups, count, error):
 * Give up every right but those of ${uid} and ${gid} and the ${count}
 * supplementary ${groups}, and make sure there is no way back.  Never uid 0.
 * A process that is not root can only become what it is.  Returns 0, or -1
 * with ${error} filled; the caller must then end the process.
 */
int identity_become(uid_t, gid_t, const gid_t *groups, size_t count,
    struct popper_error *);

/** identity_no_dump(): no core files, no ptrace by processes of our uid. */
void identity_no_dump(void);

#endif
