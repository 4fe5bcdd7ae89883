/*
 * mbox_collapse.h - cutting whole blocks out of the mbox, where the file system
 * can, instead of moving what lies behind: see doc/why/collapse.md.
 *
 *	|  kept  | removed, with kept parts |  kept, the larger part     |
 *	        tail                       next
 *
 * becomes, by the seam, written over the end of what is removed,
 *
 *	|  kept  | remains      | kept parts, separator, pad | the same |
 *	     from|<-- len ------|-- seam --------------------|
 *
 * and the ${len} octets from ${from} on, whole blocks, are cut out.  The seam
 * begins with what lies between ${from} and ${tail}.
 *
 * Functions here return 0, or -1 with errno, unless they say more.
 */
#ifndef MBOX_COLLAPSE_H
#define MBOX_COLLAPSE_H

#include "mbox_journal.h"

#define MBOX_COLLAPSE_MAGIC "POPMBOX4"
#define MBOX_COLLAPSE_BLOCK 4096u /* of a file system, at most */
#define MBOX_COLLAPSE_KEPT 262144u /* octets of kept parts, at most */

/* The journal of it: this in the first slot, then the seam. */
struct mbox_collapse_head {
	char magic[8];
	uint64_t inode; /* of the mbox */
	uint64_t size; /* before */
	uint64_t tail, next, from, len; /* see above */
	uint64_t lead; /* octets of separator and pad at ${next}, before */
	uint64_t seam; /* octets of it */
	/* What is not touched: octets before ${tail}, behind the seam, and
	 * before ${size}. */
	uint64_t before_sum, behind_sum, end_sum;
	uint32_t before, behind, end, zero;
	uint64_t seam_sum;
	uint64_t sum; /* of all before it */
};

struct mbox_collapse {
	struct mbox_collapse_head head;
	char *seam; /* in allocated memory */
};

/* --- mbox_seam.c --- */

/* What is to be cut, see above; the second part is worked out. */
struct mbox_seam {
	uint64_t tail, next;
	uint64_t kept; /* octets of the kept parts in between */
	uint64_t line, lead; /* of the separator at ${next}, and with its pad */
	uint64_t from, len, seam; /* see above */
	uint64_t pad; /* octets */
};

/** mbox_seam_fit(seam, block): fill the second part for blocks of ${block}
 * octets.  False: not enough goes. */
bool mbox_seam_fit(struct mbox_seam *, uint64_t block);

enum mbox_cut {
	MBOX_WHOLE, /* nothing is cut out, and the seam may be there or not */
	MBOX_HOLED, /* some has moved up to a hole, some not */
	MBOX_DONE,
	MBOX_OTHER /* somebody else has changed it */
};

/** mbox_cut_look(m, collapse, cut, hole): in which of these states is it, and
 * (MBOX_HOLED) where is the hole? */
int mbox_cut_look(const struct mbox *, const struct mbox_collapse *,
    enum mbox_cut *, uint64_t *hole);

/**
 * mbox_cut_out(m, collapse, touched):
 * From whatever state it is in: write the seam, cut the blocks out, and all of
 * it on stable storage.  ${touched}: the mbox may have been written to.
 */
int mbox_cut_out(struct mbox *, const struct mbox_collapse *, bool *touched);

/** mbox_cut_has_seam(m, collapse): nothing is cut out: is the seam there?  1,
 * 0, or -1. */
int mbox_cut_has_seam(const struct mbox *, const struct mbox_collapse *);

/** mbox_cut_can(m, size): can the file system cut the mbox, of ${size} octets?
 * The size of its blocks, or 0. */
uint64_t mbox_cut_can(const struct mbox *, uint64_t size);

/* --- mbox_collapse.c --- */

/**
 * mbox_collapse(m, journal, touched):
 * Carry the plan of ${journal} out by cutting.  1; 0: not possible, and nothing
 * is promised; -1 with errno and, unless ${touched}, the mbox as it was.
 */
int mbox_collapse(struct mbox *, struct mbox_journal *, bool *touched);

/**
 * mbox_collapse_resume(m, journal, error):
 * The journal that was left behind, if it is of this kind: finish it.  0, with
 * journal->now.number > 0; 1: it is of the other kind; -1 with the error
 * filled.
 */
int mbox_collapse_resume(
    struct mbox *, struct mbox_journal *, struct popper_error *);

#endif
