/*
 * mbox_dozen.h - an mbox of twelve messages, and a session that removes some
 * of them, for sweeps through its system calls.
 */
#ifndef MODULE_MBOX_DOZEN_H
#define MODULE_MBOX_DOZEN_H

#include "mbox_rig.h"

#define DOZEN 12
#define DOZEN_EQUAL 3 /* this message and the next one are equal */
#define DOZEN_ROOM 5000

extern char dozen_messages[DOZEN][DOZEN_ROOM];
extern const char *dozen_marks; /* for the commit */

/** dozen_make(): fill dozen_messages.  dozen_put(r): the mbox has these. */
void dozen_make(void);
void dozen_put(struct rig *);

/** dozen_clear(at, name): empty the state folder. */
void dozen_clear(int at, const char *name);

/** dozen_commit(rig): for points_run: a session that removes what is marked;
 * it says the outcome. */
int dozen_commit(void *);

/** dozen_tidy(rig): the same with which nothing is marked. */
int dozen_tidy(void *);

#endif
