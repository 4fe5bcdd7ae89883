/*
 * mbox_tell.h - show, compare and renew mbox.index: dump, check and rebuild of
 * popper/drop.h.
 */
#ifndef MBOX_TELL_H
#define MBOX_TELL_H

#include <popper/drop.h>

int mbox_dump(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);
int mbox_check(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);
int mbox_rebuild(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

#endif
