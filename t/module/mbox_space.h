/*
 * mbox_space.h - mailboxes out of which blocks are cut.
 */
#ifndef MBOX_SPACE_H
#define MBOX_SPACE_H

#include "mbox_rig.h"

#define SPACE_MOST 32 /* messages */

struct space {
	size_t count;
	size_t len[SPACE_MOST]; /* octets of each, its separator included */
	char uid[SPACE_MOST][POPPER_UID_MAX + 1];
	char *before; /* the mailbox */
	char *after; /* what is to stay */
	const char *marks;
};

/** space_can(r): can the file system of the mbox cut blocks out? */
bool space_can(const struct rig *);

/**
 * space_make(s, r, lens, marks):
 * A mailbox of messages of so many octets, up to a 0, of which the marked ones
 * are to go; and put it.
 */
void space_make(
    struct space *, struct rig *, const size_t *lens, const char *marks);
/** space_again(s, r, marks): the mailbox is now what it is on the disk, without
 * the messages that went; next those that are marked are to go. */
void space_again(struct space *, struct rig *, const char *marks);
void space_free(struct space *);

/** space_strip(text): take every pad out; to be freed.  Knows only how they
 * begin and that they are folded. */
char *space_strip(const char *text);
/** space_pads(text): how many there are. */
size_t space_pads(const char *text);

/** space_holds(r, text, more): does the mbox hold ${text} and then ${more},
 * pads aside? */
bool space_holds(struct rig *, const char *text, const char *more);
/** space_is_mailbox(s, r): would any program find each message that is to stay,
 * whole, between separator lines? */
bool space_is_mailbox(const struct space *, struct rig *);
/** space_uids(s, r, all): NULL, or what is wrong with the ids of the messages
 * that the open session shows, or with their sizes and texts. */
const char *space_wrong(const struct space *, struct rig *, bool all);

#endif
