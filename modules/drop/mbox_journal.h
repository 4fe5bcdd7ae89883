/*
 * mbox_journal.h - the notes of a commit that is under way: enough to finish
 * it, whenever it stops.
 *
 * A small file in the user's state folder, there beforehand, since removing
 * mail must work on a full disk.  While no commit is under way it has the name
 * MBOX_RESERVE, and its content means nothing; under the name MBOX_JOURNAL it
 * is a promise: the commit is going to be finished.  See
 * doc/why/mbox-journal.md.
 *
 * Functions here return 0, or -1 with errno, unless they say more.
 */
#ifndef MBOX_JOURNAL_H
#define MBOX_JOURNAL_H

#include "mbox.h"

#define MBOX_RESERVE "mbox.reserve" /* in the state folder */
#define MBOX_JOURNAL "mbox.journal"

#define MBOX_JOURNAL_MAGIC "POPMBOX3"
#define MBOX_JOURNAL_SLOT 512 /* octets that a disk writes at once */
#define MBOX_JOURNAL_PLAN ((uint64_t)3 * MBOX_JOURNAL_SLOT)
/* Octets that may go through the journal at once. */
#define MBOX_JOURNAL_WINDOW ((uint64_t)4 << 20)
/* The same where the file system copies on write: what was written over is
 * free only later, and there may be room for little more. */
#define MBOX_JOURNAL_COPIED ((uint64_t)256 << 10)
/* So many octets that were removed make the journal needless: what moves over
 * them does not reach what is still to be moved. */
#define MBOX_JOURNAL_GAP ((uint64_t)1 << 20)

/*
 * The file: this in the first slot; in the next two in turn a struct
 * mbox_progress; then the plan: for each run how far it is from the one before
 * (the first: from ${tail}) and its length, as numbers of 7 bits per octet,
 * the lowest first, all octets but the last of a number with the highest bit
 * set; and at the next full slot the window.
 */
struct mbox_journal_head {
	char magic[8];
	uint64_t inode; /* of the mbox */
	uint64_t tail, size, final, runs; /* as in struct mbox_plan */
	uint64_t plan; /* octets of the plan */
	uint64_t nonce[2]; /* no other commit has it */
	/* What the commit does not touch: octets before ${tail} and ${size}. */
	uint64_t before_sum, behind_sum;
	uint32_t before, behind;
	uint64_t sum; /* of the plan and all but this */
};

enum mbox_phase { MBOX_MOVING = 1, MBOX_CUTTING };

/*
 * How far it is.  Up to ${done} the mbox is as it will be, on the disk.  Then
 * comes the window: its octets are in the journal, or (${window} is 0) they
 * are where they were, so far behind that it can be written again and again.
 */
struct mbox_progress {
	uint64_t nonce[2];
	uint64_t number; /* one more each time */
	uint64_t size; /* of the mbox, with mail that came after a crash */
	uint64_t done;
	uint64_t window, window_sum;
	uint64_t phase;
	uint64_t sum; /* of all but this */
};

/* Where the new end will be there is this before the file is cut, as far as
 * there is room: then mail that was delivered after a crash cannot be taken for
 * what was to be cut off. */
#define MBOX_MARKER 32

struct mbox_journal {
	int fd; /* or -1 */
	bool active; /* it may have the name MBOX_JOURNAL */
	struct mbox_journal_head head;
	struct mbox_progress now; /* what is on the disk; number 0: nothing */
	struct mbox_plan plan; /* with the mail that came after a crash */
	uint64_t data; /* where the window begins */
	uint64_t room; /* octets that it may have */
	bool copied; /* the mbox's file system copies on write */
};

/* --- mbox_pack.c: what is in the file --- */

/* Octets before tail and end that are summed, at most. */
#define MBOX_JOURNAL_PIECE 4096u

/** mbox_journal_piece(m, end, len, sum): of the mbox's ${len} octets before
 * ${end}. */
int mbox_journal_piece(
    const struct mbox *, uint64_t end, uint32_t len, uint64_t *sum);

/** mbox_journal_head_sum(head, plan), mbox_journal_progress_sum(progress): what
 * their sum ought to be. */
uint64_t mbox_journal_head_sum(
    const struct mbox_journal_head *, const char *plan);
uint64_t mbox_journal_progress_sum(const struct mbox_progress *);

/** mbox_journal_data(head): where the window begins. */
static inline uint64_t
mbox_journal_data(const struct mbox_journal_head *head)
{
	return (MBOX_JOURNAL_PLAN + head->plan + MBOX_JOURNAL_SLOT - 1) /
	    MBOX_JOURNAL_SLOT * MBOX_JOURNAL_SLOT;
}

/** mbox_journal_pack(journal): the plan as octets, to be freed, or NULL;
 * head.plan is their number. */
char *mbox_journal_pack(struct mbox_journal *);

/** mbox_journal_is_ours(fd, st): is it a file that we may write into?  Else
 * errno is set. */
bool mbox_journal_is_ours(int fd, struct stat *);

/** mbox_journal_is_copied(m): does the mbox's file system copy on write? */
bool mbox_journal_is_copied(const struct mbox *);

/**
 * mbox_journal_load(m, journal):
 * Open a journal that was left behind.  1; 0: nothing had been done to the
 * mbox; -1 with errno, EBADMSG: it is damaged.
 */
int mbox_journal_load(struct mbox *, struct mbox_journal *);

/** mbox_journal_extend(journal, size): mail lies behind the old end: it is
 * kept. */
int mbox_journal_extend(struct mbox_journal *, uint64_t size);

/** mbox_journal_marker(journal, marker): returns its length. */
size_t mbox_journal_marker(
    const struct mbox_journal *, char marker[MBOX_MARKER]);

/* --- mbox_journal.c: writing it --- */

/**
 * mbox_journal_begin(m, journal):
 * Write the plan, journal->plan, into the reserved file, or into one made of
 * what there is room for.  The index goes: its room may be needed.  Nothing is
 * promised yet.  ENOSPC: it has no room for the plan.
 */
int mbox_journal_begin(struct mbox *, struct mbox_journal *);

/**
 * mbox_journal_note(m, journal, next, window):
 * Put ${next}, but for nonce, number and sum, and the next->window octets of
 * ${window} on stable storage; then it is journal->now.  The first one makes
 * the promise: if that fails nothing may be touched.
 */
int mbox_journal_note(struct mbox *, struct mbox_journal *,
    const struct mbox_progress *next, const char *window);

/**
 * mbox_journal_put(m, journal, octets, len):
 * Instead of begin and note: write these, which are not a plan, and make the
 * promise.  If that fails with journal->active false, nothing was promised.
 */
int mbox_journal_put(
    struct mbox *, struct mbox_journal *, const char *octets, size_t len);

/** mbox_journal_cancel(m, journal): the mbox was not touched: take the promise
 * back, if it was made. */
int mbox_journal_cancel(struct mbox *, struct mbox_journal *);

/** mbox_journal_end(m, journal): the commit is finished. */
int mbox_journal_end(struct mbox *, struct mbox_journal *);

/** mbox_journal_free(journal): close and free; the file stays. */
void mbox_journal_free(struct mbox_journal *);

/* --- mbox_move.c --- */

/* What is known of the window in journal->now. */
enum mbox_window {
	MBOX_SOURCE, /* where its octets come from they still are */
	MBOX_KEPT, /* they are in the journal */
	MBOX_PLACED, /* they are where they belong */
	MBOX_LOST
};

/** mbox_move_look(m, journal, window): the window in journal->now. */
int mbox_move_look(struct mbox *, struct mbox_journal *, enum mbox_window *);

/**
 * mbox_move(m, journal, touched):
 * From journal->now on to the end: move, cut, and all of it on stable storage.
 * ${touched}: the mbox may have been written to.  ESTALE: somebody else has
 * changed the file.
 */
int mbox_move(struct mbox *, struct mbox_journal *, bool *touched);

/* --- mbox_mend.c --- */

/**
 * mbox_waiting(host, conf, place, sink, error):
 * Write a line for each thing that the next open will finish or undo; touch
 * nothing.  Returns how many, or -1.
 */
int mbox_waiting(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

/** See recover in popper/drop.h. */
int mbox_mend(const struct popper_host *, const void *conf,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

#endif
