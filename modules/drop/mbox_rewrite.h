/*
 * mbox_rewrite.h - changing an mbox otherwise than by removing messages: notes
 * in headers, and mail that another server's crash has left elsewhere.
 *
 * Functions here return 0, or -1 with the error filled, unless they say more.
 */
#ifndef MBOX_REWRITE_H
#define MBOX_REWRITE_H

#include "mbox.h"

/* --- mbox_cut.c --- */

/**
 * mbox_put_back(fd, old, now, len, offset):
 * Write the ${len} octets of ${old} at ${offset}, unless they can not be
 * written and are there already.  ${now} is room for as many.  0, or -1 with
 * errno.
 */
int mbox_put_back(
    int fd, const char *old, char *now, size_t len, uint64_t offset);

/* --- mbox_rewrite.c: putting something else in a part's place --- */

/* What is to stand there: octets of a file, or (fd -1) of memory.  Either must
 * live, and the file be as it is, until mbox_rewrite has returned. */
struct mbox_piece {
	int fd;
	const char *text;
	uint64_t from, len;
};

struct mbox_pieces {
	struct mbox_piece *list;
	size_t count, room;
	uint64_t len; /* of all */
	int failed; /* errno of the first failure to add one */
};

/** mbox_add_octets(p, fd, from, len), mbox_add_text(p, text, len): add one at
 * the end.  A failure is kept in p->failed. */
void mbox_add_octets(struct mbox_pieces *, int fd, uint64_t from, uint64_t len);
void mbox_add_text(struct mbox_pieces *, const char *text, size_t len);
/** mbox_pieces_free(p): free the list. */
void mbox_pieces_free(struct mbox_pieces *);

#define MBOX_REWRITE "rewrite.mbox" /* in the state folder */

/* That file: this, the new octets of the mbox from ${tail} to ${final}, and the
 * old ones from ${tail} to ${size}.  All zero until the rest is on the disk. */
struct mbox_rewrite {
	char magic[8];
	uint64_t inode; /* of the mbox */
	uint64_t size, tail, final;
	unsigned char sum[32]; /* SHA-256 of all but this member */
};
#define MBOX_REWRITE_MAGIC "POPMBOX2"

/**
 * mbox_rewrite(m, tail, pieces, error):
 * Let the mbox, whose size is m->index.size, go on with the pieces from octet
 * ${tail} on.  Needs the locks for writing.
 */
enum popper_outcome mbox_rewrite(struct mbox *, uint64_t tail,
    const struct mbox_pieces *, struct popper_error *);

/** mbox_rewrite_apply(m, fd, head), mbox_rewrite_undo(m, fd, head): bring the
 * mbox into the new state, or back into the old one, from the file ${fd}.
 * Both say so when it is on stable storage.  0, or -1 with errno. */
int mbox_rewrite_apply(struct mbox *, int fd, const struct mbox_rewrite *);
int mbox_rewrite_undo(struct mbox *, int fd, const struct mbox_rewrite *);

/** mbox_rewrite_sum(fd, head, sum): the sum that ${head}
 * of the file ${fd} ought to have.  0, or -1 with errno. */
int mbox_rewrite_sum(
    int fd, const struct mbox_rewrite *, unsigned char sum[32]);

/** mbox_rewrite_exists(m): did an earlier session leave that file behind? */
bool mbox_rewrite_exists(const struct mbox *);

/* --- mbox_redo.c --- */

/** mbox_redo(m, error): finish or undo that rewriting; as mbox_recover. */
int mbox_redo(struct mbox *, struct popper_error *);

/* --- mbox_status.c: notes in the header, as Qpopper writes them --- */

/**
 * mbox_status(m, changes):
 * Write Status and X-UIDL headers to the messages that have just been kept.
 * ${changes} and m->index are those of the session.  A failure is only logged.
 */
void mbox_status(struct mbox *, const struct popper_changes *);

/* --- mbox_normal.c: a message without what programs change --- */

/* Reads a message in its normal form: separator line, header without private
 * fields, body; line ends LF, NUL as blank, no line ends at the end. */
struct mbox_normal {
	int fd;
	uint64_t at, end; /* what is left of the message */
	uint64_t lines; /* where a last line without line end begins */
	bool begins, from, header, skip, cr; /* see mbox_normal.c */
	uint64_t newlines; /* held back: they may be the last ones */
	size_t len, pos; /* in ${in} */
	char in[8192], out[8192];
};

/** mbox_normal_start(n, fd, record, end): ${end} is record->end or less. */
int mbox_normal_start(
    struct mbox_normal *, int fd, const struct mbox_record *, uint64_t end);
/** mbox_normal_next(n, out): the next octets, none at the end; they die at the
 * next call.  0, or -1 with errno. */
int mbox_normal_next(struct mbox_normal *, struct popper_slice *out);

/* --- mbox_remains.c: mail that a crash of Qpopper left in .user.pop --- */

/** mbox_remains_path(host, conf, place, which, path, error): write the
 * ${which}th place of such a file, from 0, to ${path}.  1, 0: there are no more
 * of them, or -1. */
int mbox_remains_path(const struct popper_host *, const struct mbox_conf *,
    const struct popper_place *, int which, char *path, struct popper_error *);

struct mbox_remains {
	int fd; /* locked, or -1: there is none */
	struct stat st;
	char path[POPPER_PATH_MAX + 1];
};

/**
 * mbox_remains_open(m, place, remains, error):
 * Find one that has content and is the user's, and lock it.  POPPER_IN_USE: the
 * old server has a session.
 */
int mbox_remains_open(struct mbox *, const struct popper_place *,
    struct mbox_remains *, struct popper_error *);

/** mbox_remains_close(remains): let go of it. */
void mbox_remains_close(struct mbox_remains *);

/* --- mbox_merge.c --- */

/**
 * mbox_merge(m, remains, error):
 * Put what is in ${remains} and not in the mbox into it, then remove
 * ${remains}.  Needs the locks for writing.  What is no mailbox stays where it
 * is, with a word in the log.
 */
int mbox_merge(
    struct mbox *, const struct mbox_remains *, struct popper_error *);

#endif
