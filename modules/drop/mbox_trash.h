/*
 * mbox_trash.h - keeping what clients delete, and bringing it back.
 *
 * The folder "trash" in the state folder has two files for each commit:
 * TIME.mbox, the messages as they stood in the mbox, and TIME.ids, a text that
 * says what unique-ids they had.  What is under way is in a third one, beside
 * the folder: the ids of a commit that has not ended, or the names of the
 * batches that are being brought back.  doc/why/trash.md
 *
 * Functions here return 0, or -1 with the error filled, unless they say more.
 */
#ifndef MBOX_TRASH_H
#define MBOX_TRASH_H

#include <nettle/sha2.h>

#include "mbox.h"

#define MBOX_TRASH "trash" /* a folder in the state folder */
#define MBOX_TRASH_NOTE "trash.new" /* in the state folder */
#define MBOX_BATCH_NAME 32 /* octets of TIME, with its NUL */

/* One message in the trash. */
struct mbox_trashed {
	uint64_t offset, len; /* in TIME.mbox, all that belongs to it */
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t ordinal;
	uint32_t copies; /* with this hash in the mbox, before the commit */
	bool alike; /* its number tells: see mbox_alike.c */
	size_t number; /* before the commit only: in that session */
};

/* What one commit removed. */
struct mbox_batch {
	char name[MBOX_BATCH_NAME];
	struct mbox_trashed *list;
	size_t count, room;
};

/* What is being brought back, and how the mbox is once it is there. */
struct mbox_return {
	char (*names)[MBOX_BATCH_NAME]; /* of batches, the oldest first */
	size_t count, room;
	uint64_t inode, size; /* of the mbox before */
	uint64_t len; /* octets that were added */
	unsigned char sum[SHA256_DIGEST_SIZE]; /* of them */
};

/* --- mbox_trash.c --- */

/**
 * mbox_trash_keep(m, changes, batch, error):
 * Before a commit, with the lock and m->uids: copy what is marked.  When this
 * returns 0 the copy is on stable storage; else there is none.
 */
int mbox_trash_keep(struct mbox *, const struct popper_changes *,
    struct mbox_batch *, struct popper_error *);

/**
 * mbox_trash_end(m, batch, outcome):
 * After the commit: the copy is trash now, or goes again, or it is for the next
 * session to find out.  Frees ${batch}.
 */
void mbox_trash_end(struct mbox *, struct mbox_batch *, enum popper_outcome);

/** mbox_trash_expire(m): remove some of what is older than the configured
 * time. */
void mbox_trash_expire(struct mbox *);

/** mbox_trash_pending(m): did an earlier session leave something under way? */
bool mbox_trash_pending(const struct mbox *);

/** mbox_trash_seal(m, trash, name): the note becomes NAME.ids.
 * mbox_trash_forget: note and NAME.mbox go; ${trash} may be -1.  0, or -1 with
 * errno. */
int mbox_trash_seal(const struct mbox *, int trash, const char *name);
int mbox_trash_forget(const struct mbox *, int trash, const char *name);

/** mbox_trash_folder(m, make): a descriptor, or -1 with errno. */
int mbox_trash_folder(const struct mbox *, bool make);

/** mbox_trash_drop(trash, name): remove both files of a batch. */
void mbox_trash_drop(int trash, const char *name);

/** mbox_trash_count(uids, count, hash): how many of the ${count} have it.
 * ${uids} are in the order of their hashes: mbox_trash_sort. */
size_t mbox_trash_count(const struct mbox_uid *uids, size_t count,
    const unsigned char hash[MBOX_HASH_SIZE]);
/** mbox_trash_sort(m, count): a copy of the first ${count} of m->uids in that
 * order, without those that are gone, to be freed; or NULL. */
struct mbox_uid *mbox_trash_sort(const struct mbox *, size_t *count);

/* --- mbox_alike.c --- */

/** mbox_alike_find(m, changes, batch): before a commit, with m->uids: fill
 * alike of all in the batch: false if the message brought its id along and none
 * that is equal stays. */
void mbox_alike_find(
    const struct mbox *, const struct popper_changes *, struct mbox_batch *);

/* --- mbox_trash_settle.c --- */

/**
 * mbox_trash_settle(m):
 * Find out what became of what was under way; after open.  A failure is only
 * logged: then nothing more is kept, nor removed, before it is settled.
 */
void mbox_trash_settle(struct mbox *);

/* --- mbox_batch.c: the texts --- */

/** mbox_batch_write(m, batch): write it as note.  mbox_return_write: the same.
 * They are on stable storage, or not there.  0, or -1 with errno. */
int mbox_batch_write(struct mbox *, const struct mbox_batch *);
int mbox_return_write(struct mbox *, const struct mbox_return *);

/**
 * mbox_note_read(m, batch, back):
 * Read the note into one of both, which are empty; back->count says which it
 * is.  They are to be freed in any case.  Returns 1; 0: it is not whole; or -1
 * with errno.
 */
int mbox_note_read(
    const struct mbox *, struct mbox_batch *, struct mbox_return *);

/** mbox_batch_read(trash, name, batch): read NAME.ids; as mbox_note_read. */
int mbox_batch_read(int trash, const char *name, struct mbox_batch *);

/** mbox_batch_is_name(text, len, when): is it a TIME, and which? */
bool mbox_batch_is_name(const char *text, size_t len, uint64_t *when);

void mbox_batch_free(struct mbox_batch *);
void mbox_return_free(struct mbox_return *);

/* --- mbox_undelete.c --- */

/** See undelete in popper/drop.h. */
int mbox_undelete(const struct popper_host *, const void *conf,
    const struct popper_place *, uint64_t since, uint64_t *count,
    struct popper_error *);

/* --- mbox.c --- */

/** See open in popper/drop.h.  mbox_close(self): see close. */
int mbox_open(const struct popper_host *, const void *conf,
    const struct popper_place *, void **self, struct popper_error *);
void mbox_close(void *self);

/* --- mbox_merge.c --- */

/** mbox_ending(fd, mmdf, end): what must stand behind octet ${end} of an mbox
 * so that a message may follow.  NULL: errno says why it cannot be told. */
const char *mbox_ending(int fd, bool mmdf, uint64_t end);

#endif
