/*
 * mbox_redo.c - what a rewriting left behind when the machine or the process
 * died in the middle of it.
 *
 * Runs in: the session, as the user, at open, with the mbox locked.
 *
 * "rewrite.mbox" has the octets of the mbox as they were ("old") and as they
 * were to become ("new").  If nobody but mbox_rewrite.c has written to the
 *file, it is in one of these states:
 *
 *	It was to become longer, and the room is there: up to the new end each
 *	block is new, or old, or of the empty lines that made the room.  The
 *	rewriting is finished.  What was delivered since lies behind the new
 *end.
 *
 *	It was to become longer, and the room is not all there: up to the old
 *	end all is old.  The room behind that is cut off, unless something was
 *	delivered behind it: then it is made empty lines.
 *
 *	It was not to become longer and was not cut: old or new up to the new
 *	end, old from there.  The old octets are written back.
 *
 *	It was cut: all is new, and there the file ends, or a message begins.
 *
 * In any other state somebody else has changed the file: nothing is touched and
 * a person is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rewrite.h"

#define PIECE 65536 /* octets compared at once */

struct redo {
	struct mbox *m;
	struct mbox_rewrite head;
	int fd; /* "rewrite.mbox" */
	uint64_t size; /* of the mbox now */
	bool other; /* it is not the file that was rewritten */
	char now[PIECE], old[PIECE], new[PIECE];
};

/* Octets that must be there. */
static bool
read_all(int fd, char *buf, size_t len, uint64_t offset)
{
	return mbox_read_at(fd, buf, len, offset) == (ssize_t)len;
}

/* The old octets; behind the old end the empty lines of the room. */
static bool
read_old(const struct redo *r, char *buf, size_t len, uint64_t at)
{
	const struct mbox_rewrite *h = &r->head;
	uint64_t begin = sizeof(*h) + h->final - h->tail;
	size_t n = 0;

	if (at < h->size)
		n = h->size - at < len ? (size_t)(h->size - at) : len;
	memset(buf + n, '\n', len - n);
	return read_all(r->fd, buf, n, begin + at - h->tail);
}

/* From ${from} to ${to}: is the mbox like the old octets? */
static bool
is_old(struct redo *r, uint64_t from, uint64_t to)
{
	size_t n;

	for (; from < to; from += n) {
		n = to - from < PIECE ? (size_t)(to - from) : PIECE;
		if (!read_all(r->m->fd, r->now, n, from) ||
		    !read_old(r, r->old, n, from) ||
		    memcmp(r->now, r->old, n) != 0)
			return false;
	}
	return true;
}

/* Up to the new end: is each block old or new (${all_new}: is all new)? */
static bool
is_changed(struct redo *r, bool all_new)
{
	uint64_t at = r->head.tail;
	size_t n;

	for (; at < r->head.final; at += n) {
		n = r->head.final - at < PIECE ? (size_t)(r->head.final - at)
					       : PIECE;
		if (!read_all(r->m->fd, r->now, n, at) ||
		    !read_old(r, r->old, n, at) ||
		    !read_all(
			r->fd, r->new, n, sizeof(r->head) + at - r->head.tail))
			return false;
		if (all_new ? memcmp(r->now, r->new, n) != 0
			    : !mbox_is_mixture(r->now, r->old, r->new, n, at))
			return false;
	}
	return true;
}

/* How far the room goes on behind the old end.  A block of it that was not on
 * the disk yet may be of zeros. */
static uint64_t
room_end(struct redo *r)
{
	uint64_t at = r->head.size;
	size_t i, n;

	for (; at < r->size; at += n) {
		n = r->size - at < PIECE ? (size_t)(r->size - at) : PIECE;
		if (!read_all(r->m->fd, r->now, n, at))
			return at;
		for (i = 0; i < n; i++)
			if (r->now[i] != '\n' && r->now[i] != '\0')
				return at + i;
	}
	return at;
}

/* Does the file end at the new end, or go on there with another message? */
static bool
ends_well(struct redo *r)
{
	ssize_t n = mbox_read_at(r->m->fd, r->now, PIECE, r->head.final);
	size_t skip = n > 0 && *r->now == '\n' ? 1 : 0;

	return n == 0 ||
	    (n > 0 &&
		(mbox_mmdf(r->now, (size_t)n) > 0 ||
		    mbox_from(r->now + skip, (size_t)n - skip) > 0));
}

/* Cut the room off, or make it empty lines if mail lies behind it. */
static int
cut_room(struct redo *r)
{
	uint64_t at = r->head.size, end = room_end(r);
	size_t n;

	if (end == r->size) {
		if (ftruncate(r->m->fd, (off_t)at) == -1)
			return -1;
		return fsync(r->m->fd);
	}
	memset(r->now, '\n', PIECE);
	for (; at < end; at += n) {
		n = end - at < PIECE ? (size_t)(end - at) : PIECE;
		if (mbox_write_at(r->m->fd, r->now, n, at) == -1)
			return -1;
	}
	return fsync(r->m->fd);
}

/* Bring the file into one state.  What was done, or NULL: in doubt; ${failed}:
 * it could not be done, see errno. */
static const char *
settle(struct redo *r, bool *failed)
{
	const struct mbox_rewrite *h = &r->head;

	if (r->other)
		return NULL;
	if (h->final > h->size) {
		if (r->size >= h->final && is_changed(r, false)) {
			*failed = mbox_rewrite_apply(r->m, r->fd, h) == -1;
			return "finished";
		}
		if (r->size < h->size || !is_old(r, h->tail, h->size))
			return NULL;
		*failed = cut_room(r) == -1;
		return "undid";
	}
	if (r->size >= h->size && is_old(r, h->final, h->size) &&
	    is_changed(r, false)) {
		*failed = mbox_rewrite_undo(r->m, r->fd, h) == -1;
		return "undid";
	}
	if (r->size >= h->final && is_changed(r, true) && ends_well(r))
		return "had finished";
	return NULL;
}

static bool
is_sound(const struct redo *r, uint64_t size)
{
	const struct mbox_rewrite *h = &r->head;
	unsigned char sum[32];

	return memcmp(h->magic, MBOX_REWRITE_MAGIC, sizeof(h->magic)) == 0 &&
	    h->tail <= h->size && h->tail <= h->final &&
	    h->size - h->tail <= size && h->final - h->tail <= size &&
	    size == sizeof(*h) + (h->final - h->tail) + (h->size - h->tail) &&
	    mbox_rewrite_sum(r->fd, h, sum) == 0 &&
	    memcmp(sum, h->sum, sizeof(sum)) == 0;
}

/* Read the head.  1; 0: nothing had been done to the mbox; or -1. */
static int
load(struct redo *r, struct popper_error *e)
{
	static const struct mbox_rewrite none;
	const struct popper_host *h = r->m->host;
	struct stat st, mbox;

	r->fd = openat(r->m->state, MBOX_REWRITE,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (r->fd == -1 || fstat(r->fd, &st) == -1 ||
	    fstat(r->m->fd, &mbox) == -1)
		return h->fail_system(e, POPPER_TEMPORARY,
		    "%s: " MBOX_REWRITE " of %s", r->m->path, r->m->user);
	r->size = (uint64_t)mbox.st_size;
	if (st.st_size < (off_t)sizeof(r->head))
		return 0;
	if (!read_all(r->fd, (char *)&r->head, sizeof(r->head), 0))
		return h->fail_system(e, POPPER_TEMPORARY,
		    "%s: " MBOX_REWRITE " of %s", r->m->path, r->m->user);
	if (memcmp(&r->head, &none, sizeof(none)) == 0)
		return 0;
	if (!is_sound(r, (uint64_t)st.st_size))
		return h->fail(e, POPPER_PERMANENT,
		    "%s: a rewriting was interrupted, and " MBOX_REWRITE
		    " in the state folder of %s is damaged; look at the mbox, "
		    "then remove that file",
		    r->m->path, r->m->user);
	/* The device's number may be another after a reboot. */
	r->other = mbox.st_ino != r->head.inode;
	return 1;
}

static int
finish(struct redo *r, struct popper_error *e)
{
	struct mbox *m = r->m;
	bool failed = false;
	const char *done;
	int state = load(r, e);

	if (state == -1)
		return -1;
	if (state == 1) {
		done = settle(r, &failed);
		if (done == NULL)
			return m->host->fail(e, POPPER_PERMANENT,
			    "%s: a rewriting was interrupted and the file has "
			    "been changed since; " MBOX_REWRITE " in the state "
			    "folder of %s has its new octets from %llu on, "
			    "%llu "
			    "of them behind a head of %zu, then the old ones; "
			    "put the mbox right, then remove that file",
			    m->path, m->user, (unsigned long long)r->head.tail,
			    (unsigned long long)(r->head.final - r->head.tail),
			    sizeof(r->head));
		if (failed)
			return m->host->fail_system(e, POPPER_TEMPORARY,
			    "%s: cannot end an interrupted rewriting", m->path);
		m->host->log(POPPER_LOG_WARNING,
		    "%s: %s a rewriting of %s that was interrupted; all "
		    "messages are there",
		    m->path, done, m->user);
	}
	if (unlinkat(m->state, MBOX_REWRITE, 0) == -1 || fsync(m->state) == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot remove " MBOX_REWRITE " in the state folder "
		    "of %s",
		    m->path, m->user);
	return 0;
}

int
mbox_redo(struct mbox *m, struct popper_error *e)
{
	struct redo *r = malloc(sizeof(*r));
	int result;

	if (r == NULL)
		return m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	r->m = m;
	r->fd = -1;
	result = finish(r, e);
	if (r->fd != -1)
		(void)close(r->fd);
	free(r);
	return result;
}
