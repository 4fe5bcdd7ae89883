/*
 * maildrop.h - the user's maildrop, whichever module knows it.
 */
#ifndef SESSION_MAILDROP_H
#define SESSION_MAILDROP_H

#include <popper/drop.h>

#include "conf/modules.h"

struct maildrop {
	const struct popper_drop *driver;
	void *self;
	size_t count;
};

/**
 * maildrop_configured(drops, error):
 * Ask the drop modules if their options are good.  0, or -1 with the error.
 */
int maildrop_configured(const struct used_modules *, struct popper_error *);

/**
 * maildrop_enclose(drops, exts, place, error):
 * Landlock: from now on this process can touch only the state folder and what
 * the modules name for this user.  Without Landlock in the kernel it does
 * nothing.  0, or -1 with ${error} filled.
 */
int maildrop_enclose(const struct used_modules *drops,
    const struct used_modules *exts, const struct popper_place *,
    struct popper_error *);

/**
 * maildrop_open(m, drops, place, error):
 * Ask the drop modules in order (or only the one that the identity names)
 * until one has a maildrop for this place.  If none has, it is an empty one.
 */
int maildrop_open(struct maildrop *, const struct used_modules *drops,
    const struct popper_place *, struct popper_error *);

/** maildrop_close(m): close it, once; the locks are gone then. */
void maildrop_close(struct maildrop *);

#endif
