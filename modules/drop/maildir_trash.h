/*
 * maildir_trash.h - the private folders into which a commit moves messages.
 */
#ifndef MAILDIR_TRASH_H
#define MAILDIR_TRASH_H

#include "maildir.h"

/* --- maildir_trash.c --- */

#define MAILDIR_KEEPS ".popper-trash" /* in cur: one folder for each commit */
#define MAILDIR_COMMITS 1000 /* of one second, that can be told apart */

/* What was moved back from a private folder. */
struct maildir_returned {
	uint64_t count;
	int64_t octets, counted; /* for maildirsize */
};

/* What a commit has moved away so far. */
struct maildir_trash {
	struct maildir *m;
	int undo; /* tmp/.popper-undo */
	int kept; /* cur/.popper-trash, with the option trash; or -1 */
	char name[48]; /* what undo became, in kept or in tmp */
	int sub[MAILDIR_FOLDERS]; /* its cur and new, or -1 */
};

/** maildir_trash_open(t, m, error): make the empty private folder.  0 or -1;
 * maildir_trash_close is needed in any case. */
int maildir_trash_open(
    struct maildir_trash *, struct maildir *, struct popper_error *);
/** maildir_trash_put(t, record): move a message in.  0, or -1 with errno. */
int maildir_trash_put(struct maildir_trash *, const struct maildir_record *);
/** maildir_trash_seal(t, error): the commit point; see maildir_trash.c. */
enum popper_outcome maildir_trash_seal(
    struct maildir_trash *, struct popper_error *);
/** maildir_trash_undo(t): move everything back.  0, or -1 if not all. */
int maildir_trash_undo(struct maildir_trash *);
/** maildir_trash_close(t): close descriptors; changes nothing on disk. */
void maildir_trash_close(struct maildir_trash *);

/** maildir_trash_return(m, kept, name, r): move all messages of a commit back
 * where they were, never over another.  Adds to ${r}.  0, or -1 with errno. */
int maildir_trash_return(const struct maildir *, int kept, const char *name,
    struct maildir_returned *);

/* --- maildir_undelete.c --- */

/**
 * maildir_trash_make(m):
 * Open the folder of what is kept; make it, and cur, if it is not there.  That
 * it is there is on stable storage once cur is.  A descriptor, or -1 with
 * errno.
 */
int maildir_trash_make(struct maildir *);

/** maildir_trash_expire(m): remove some of what was kept long enough. */
void maildir_trash_expire(const struct maildir *);

#endif
