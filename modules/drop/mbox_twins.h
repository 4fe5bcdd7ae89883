/*
 * mbox_twins.h - equal messages, told apart by number.
 */
#ifndef MBOX_TWINS_H
#define MBOX_TWINS_H

#include "mbox.h"

#define MBOX_TWINS "twins" /* in the state folder */
#define MBOX_TWINS_FIRST "popper mbox twins 1\n"
#define MBOX_TWINS_LAST "end\n"
#define MBOX_TWINS_GOES " -"

/* --- mbox_twins_file.c --- */

/**
 * mbox_twins_load(m): read the state file "twins" into m->twins unless that was
 * done.  None, or one that is damaged (the log says so), is the same as an
 * empty one.
 */
void mbox_twins_load(struct mbox *);

/** mbox_twins_gone(m): a commit that was interrupted has been finished: those
 * that were to go are gone, however many have come since. */
void mbox_twins_gone(struct mbox *);

/* --- mbox_twins.c --- */

/**
 * mbox_twins_number(m, count): give the ${count} uids of ${m} their ordinals.
 * Returns 0, or -1 without memory.
 */
int mbox_twins_number(struct mbox *, size_t count);

/** mbox_twins_intend(m, changes): call before a commit, which may die: then the
 * ids are right whether it was done or not.  A failure costs no mail.  True: it
 * must be known, for that, which it was. */
bool mbox_twins_intend(struct mbox *, const struct popper_changes *);

/**
 * mbox_twins_save(m, changes):
 * Write down what is left of equal messages once those marked are gone.  A
 * failure is only logged: it costs no mail.  ${m} has no uids: there can be no
 * twins, the file is removed.
 */
void mbox_twins_save(struct mbox *, const struct popper_changes *);

/**
 * mbox_twins_add(m, back, count):
 * ${count} messages will be put behind those of ${m}, whose uids are there, and
 * shall have these ids, or others if another message has them by now.  0, or
 * -1 with errno.
 */
int mbox_twins_add(struct mbox *, const struct mbox_uid *back, size_t count);

#endif
