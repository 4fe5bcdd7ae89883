/*
 * mbox_merge.h - what the two parts of merging share.
 */
#ifndef MBOX_MERGE_H
#define MBOX_MERGE_H

#include <nettle/sha2.h>

#include "mbox_rewrite.h"

/* What becomes of a message. */
enum mbox_fate { STAYS, COVERED };

struct mbox_entry {
	unsigned char sum[SHA256_DIGEST_SIZE]; /* of the normal form */
	size_t i; /* in the file */
	struct mbox_entry
	    *other; /* the same message in the other file, or NULL */
	enum mbox_fate fate;
};

struct mbox_side {
	int fd;
	struct mbox_index index;
	size_t first; /* 1: record 0 has the notes of an IMAP server */
	struct mbox_entry *entries; /* one for each record */
	struct mbox_entry **sorted; /* by sum, then by place */
};

struct mbox_merge {
	struct mbox *m;
	struct mbox_side left, mbox; /* ".user.pop", and the mbox */
	struct mbox_normal a, b;
	struct mbox_pieces pieces;
	uint64_t mbox_size;
	uint64_t tail; /* up to there the mbox stays as it is */
	size_t added;
};

/**
 * mbox_compare(g, why):
 * Load both files and find out what is in both.  1; 0: better leave them alone,
 * ${why} says why; -1 with errno.
 */
int mbox_compare(struct mbox_merge *, const char **why);

#endif
