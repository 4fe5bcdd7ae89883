/* listing.h - LIST and UIDL of all messages. */
#ifndef SESSION_LISTING_H
#define SESSION_LISTING_H

#include "session/session.h"

/**
 * listing_size(s, i, argument, octets, error):
 * The size LIST says: of message ${i}, or, with an ${argument}, of what a
 * filter makes of it.  0 or -1.
 */
int listing_size(struct session *, size_t i, struct popper_slice argument,
    uint64_t *octets, struct popper_error *);

/** listing_sizes(s, argument, r): LIST without a number. */
enum outcome listing_sizes(
    struct session *, struct popper_slice argument, struct reply *);

/** listing_uids(s, r): UIDL without a number. */
enum outcome listing_uids(struct session *, struct reply *);

#endif
