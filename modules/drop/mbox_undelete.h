/*
 * mbox_undelete.h - what the parts of an undelete share.
 */
#ifndef MBOX_UNDELETE_H
#define MBOX_UNDELETE_H

#include "mbox_rewrite.h"
#include "mbox_trash.h"

/* A batch that is brought back. */
struct mbox_source {
	int fd; /* TIME.mbox */
	struct mbox_index index; /* what lies in it */
	struct mbox_uid *uids; /* of that */
	bool *alike; /* as in struct mbox_trashed */
	bool *there; /* the mbox has it */
	bool fits; /* it can be read, and is of the mbox's form */
	const char *more; /* what must follow it */
};

struct mbox_undelete {
	struct mbox *m;
	int trash;
	struct mbox_return back;
	struct mbox_source *sources; /* one per name in ${back}, or fewer */
	size_t opened;
	struct mbox_uid *uids; /* of what comes back */
	size_t count, room;
	bool *taken; /* for each message of the mbox: it is one of the trash */
	/* Batches up to this one were dealt with; ""; more: there are others.
	 */
	char last[MBOX_BATCH_NAME];
	bool more;
	struct mbox_pieces pieces;
	struct mbox_normal a, b;
};

/** mbox_list_batches(u, since): find those since then and behind u->last, as
 * many as may be open at once.  mbox_choose(u): open them, and take what the
 * mbox, which is locked, does not have.  0, or -1 with errno. */
int mbox_list_batches(struct mbox_undelete *, uint64_t since);
int mbox_choose(struct mbox_undelete *);

#endif
