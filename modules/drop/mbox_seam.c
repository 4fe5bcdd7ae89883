/*
 * mbox_seam.c - cutting blocks out of the mbox: what is written before, and
 * what a crash may have left of it.
 *
 * Runs in: the session, as the user, with the mbox locked.
 *
 * No file system promises that to cut blocks out is one step: ext4 may, and XFS
 * does, note in its journal for one extent after the other that it moved.  So
 * after a crash there can be a hole of just that length, all before it in its
 * new place and all behind it in its old one, and the size the old one.  Then
 * the hole is cut out.  If all has moved and only the size is the old one, the
 * hole is at the end, in whole blocks.  And before anything moves the hole is
 * made, the last extent first, so it can be a shorter one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mbox_collapse.h"
#include "mbox_pad.h"

#define XFS_MAGIC 0x58465342
#define TRIES 2
#define PIECE 4096u /* octets compared at once */
#define NEWLINES 2 /* octets before a separator, that make it one */

bool
mbox_seam_fit(struct mbox_seam *s, uint64_t block)
{
	uint64_t gone =
	    s->next + s->lead - s->line - s->kept - s->tail; /* could go */

	if (block == 0 || block > MBOX_COLLAPSE_BLOCK ||
	    gone < block + MBOX_PAD_LEAST)
		return false;
	s->len = (gone - MBOX_PAD_LEAST) / block * block;
	s->pad = gone - s->len;
	s->from = s->tail / block * block;
	s->seam = s->tail - s->from + s->kept + s->line + s->pad;
	return true;
}

uint64_t
mbox_cut_can(const struct mbox *m, uint64_t size)
{
	struct statfs fs;

	if (fstatfs(m->fd, &fs) == -1 ||
	    (fs.f_type != EXT4_SUPER_MAGIC && fs.f_type != XFS_MAGIC))
		return 0;
	/* Ask for what cannot be, twice over: not whole blocks, and up to the
	 * end of the file.  Who can cut says so. */
	if (fallocate(m->fd, FALLOC_FL_COLLAPSE_RANGE, 1, (off_t)size) == 0 ||
	    errno != EINVAL)
		return 0;
	/* A hole must be ours. */
	if (lseek(m->fd, 0, SEEK_HOLE) != (off_t)size)
		return 0;
	return (uint64_t)fs.f_bsize;
}

/* Are the ${len} octets at ${at} those of ${text}?  1, 0, or -1. */
static int
is_there(const struct mbox *m, const char *text, uint64_t len, uint64_t at)
{
	char now[PIECE];
	uint64_t done;
	ssize_t got;
	size_t n;

	for (done = 0; done < len; done += n) {
		n = len - done < PIECE ? (size_t)(len - done) : PIECE;
		got = mbox_read_at(m->fd, now, n, at + done);
		if (got == -1)
			return -1;
		if (got != (ssize_t)n || memcmp(now, text + done, n) != 0)
			return 0;
	}
	return 1;
}

/* Is the seam where it is when all before ${hole} has moved?  1, 0, or -1. */
static int
is_seam(const struct mbox *m, const struct mbox_collapse *c, uint64_t hole)
{
	const struct mbox_collapse_head *h = &c->head;
	uint64_t moved = hole - h->from < h->seam ? hole - h->from : h->seam;
	int is = is_there(m, c->seam, moved, h->from);

	if (is != 1)
		return is;
	return is_there(
	    m, c->seam + moved, h->seam - moved, h->from + moved + h->len);
}

int
mbox_cut_has_seam(const struct mbox *m, const struct mbox_collapse *c)
{
	return is_seam(m, c, c->head.from);
}

static int
is_piece(const struct mbox *m, uint64_t end, uint32_t len, uint64_t sum)
{
	uint64_t now;

	if (mbox_journal_piece(m, end, len, &now) == -1)
		return errno == ESTALE ? 0 : -1;
	return now == sum;
}

/* Is all that the seam does not cover as it was?  1, 0, or -1. */
static int
is_whole(const struct mbox *m, const struct mbox_collapse_head *h)
{
	int is = is_piece(m, h->tail, h->before, h->before_sum);

	if (is == 1)
		is = is_piece(
		    m, h->next + h->lead + h->behind, h->behind, h->behind_sum);
	if (is == 1)
		is = is_piece(m, h->size, h->end, h->end_sum);
	return is == 1 ? mbox_ends_well(m, h->size, 2) : is;
}

/* The first hole in front of ${size}, and where it ends.  1; 0: there is none;
 * -1. */
static int
find_hole(const struct mbox *m, uint64_t size, uint64_t *hole, uint64_t *end)
{
	off_t at = lseek(m->fd, 0, SEEK_HOLE);

	if (at == -1)
		return -1;
	*hole = (uint64_t)at;
	if (*hole >= size)
		return 0;
	at = lseek(m->fd, at, SEEK_DATA);
	if (at == -1 && errno != ENXIO)
		return -1;
	*end = at == -1 ? size : (uint64_t)at;
	if (*end == size)
		return 1;
	at = lseek(m->fd, (off_t)*end, SEEK_HOLE);
	if (at != -1 && (uint64_t)at < size)
		*end = *hole; /* one more: that was not us */
	return at == -1 ? -1 : 1;
}

static int
are_zeros(const struct mbox *m, uint64_t from, uint64_t to)
{
	static const char zeros[PIECE];
	uint64_t n;
	int is = 1;

	for (; is == 1 && from < to; from += n) {
		n = to - from < PIECE ? to - from : PIECE;
		is = is_there(m, zeros, n, from);
	}
	return is;
}

/* Is the hole from ${hole} to ${end} what cutting leaves?  1, 0, or -1. */
static int
is_ours(const struct mbox *m, const struct mbox_collapse *c, uint64_t size,
    uint64_t hole, uint64_t end)
{
	const struct mbox_collapse_head *h = &c->head;
	int is;

	if (hole < h->from || size < h->size)
		return 0;
	if (end < size)
		return end - hole == h->len ? is_seam(m, c, hole) : 0;
	if (size != h->size || hole + h->len < size ||
	    hole + h->len - size >= MBOX_COLLAPSE_BLOCK)
		return 0;
	is = are_zeros(m, size - h->len, hole);
	return is == 1 ? is_seam(m, c, UINT64_MAX) : is;
}

/* Are only some of the blocks taken out, and nothing has moved?  1, 0, -1. */
static int
is_begun(const struct mbox *m, const struct mbox_collapse *c, uint64_t hole,
    uint64_t end)
{
	const struct mbox_collapse_head *h = &c->head;
	int is;

	if (hole <= h->from || end > h->from + h->len)
		return 0;
	is = mbox_cut_has_seam(m, c);
	return is == 1 ? is_whole(m, h) : is;
}

/* No hole, and the seam at its new place.  1; 0: mail came before the size was
 * the new one; or -1. */
static int
is_done(const struct mbox *m, const struct mbox_collapse_head *h, uint64_t size)
{
	int is;

	if (size <= h->size - h->len)
		return 1;
	is = is_there(m, "", 1, h->size - h->len);
	return is == -1 ? -1 : is == 0;
}

int
mbox_cut_look(const struct mbox *m, const struct mbox_collapse *c,
    enum mbox_cut *cut, uint64_t *hole)
{
	const struct mbox_collapse_head *h = &c->head;
	uint64_t size, end;
	struct stat st;
	int is;

	*cut = MBOX_OTHER;
	if (fstat(m->fd, &st) == -1)
		return -1;
	size = (uint64_t)st.st_size;
	if (st.st_ino != h->inode)
		return 0;
	if ((is = find_hole(m, size, hole, &end)) == -1)
		return -1;
	if (is == 1) {
		if ((is = is_begun(m, c, *hole, end)) == 1)
			*hole = h->from;
		else if (is == 0)
			is = is_ours(m, c, size, *hole, end);
		if (is == 1)
			*cut = MBOX_HOLED;
		return is == -1 ? -1 : 0;
	}
	/* Nothing else has the number in the pad. */
	if ((is = is_seam(m, c, UINT64_MAX)) == 1) {
		if ((is = is_done(m, h, size)) == 1)
			*cut = MBOX_DONE;
	} else if (is == 0 && size >= h->size && (is = is_whole(m, h)) == 1)
		*cut = MBOX_WHOLE;
	return is == -1 ? -1 : 0;
}

/* Of the first write of all it is known whether it has done anything. */
static int
write_first(
    struct mbox *m, const char *text, size_t len, uint64_t at, bool *touched)
{
	ssize_t n = 0;

	if (len == 0)
		return 0;
	do
		n = pwrite(m->fd, text, len, (off_t)at);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	*touched = true;
	return mbox_write_at(m->fd, text + n, len - (size_t)n, at + (size_t)n);
}

/*
 * In this order the file is a mailbox at every moment, in which the last
 * removed message has another end, and for a moment one more, that is empty,
 * follows it.  Only two line ends are in the way of the seam then.  Where they
 * are written over the separator at ${next} becomes the end of the pad.
 */
static int
write_seam(struct mbox *m, const struct mbox_collapse *c, bool *touched)
{
	const struct mbox_collapse_head *h = &c->head;
	uint64_t at = h->from + h->len, rest = h->next - NEWLINES;
	size_t first = rest > at ? (size_t)(rest - at) : 0;
	bool padded = h->lead > MBOX_FROM_MAX;

	/* What is behind an old pad goes through here, too. */
	if (first > h->seam)
		first = (size_t)h->seam;
	if (h->tail - h->from < NEWLINES &&
	    write_first(m, "\n\n", NEWLINES, at - NEWLINES, touched) == -1)
		return -1;
	if (write_first(m, c->seam, first, at, touched) == -1 ||
	    (first > 0 && fsync(m->fd) == -1) ||
	    write_first(m, c->seam + first,
		padded ? (size_t)h->seam - first : NEWLINES, at + first,
		touched) == -1)
		return -1;
	return fsync(m->fd);
}

static int
collapse(const struct mbox *m, uint64_t from, uint64_t len)
{
	int failed;

	do
		failed = fallocate(
		    m->fd, FALLOC_FL_COLLAPSE_RANGE, (off_t)from, (off_t)len);
	while (failed == -1 && errno == EINTR);
	return failed;
}

/* One step nearer to the end. */
static int
try_cut(struct mbox *m, const struct mbox_collapse *c, enum mbox_cut cut,
    uint64_t hole, bool *touched)
{
	const struct mbox_collapse_head *h = &c->head;
	struct stat st;

	if (cut == MBOX_WHOLE) {
		if (write_seam(m, c, touched) == -1 ||
		    collapse(m, h->from, h->len) == -1)
			return -1;
	} else if (cut == MBOX_HOLED) {
		if (fstat(m->fd, &st) == -1)
			return -1;
		if ((hole + h->len >= (uint64_t)st.st_size
			    ? ftruncate(m->fd, (off_t)(h->size - h->len))
			    : collapse(m, hole, h->len)) == -1)
			return -1;
	}
	return fsync(m->fd);
}

int
mbox_cut_out(struct mbox *m, const struct mbox_collapse *c, bool *touched)
{
	enum mbox_cut cut;
	uint64_t hole = 0;
	int i, failed = -1;

	for (i = 0; i < TRIES && failed == -1; i++) {
		if (mbox_cut_look(m, c, &cut, &hole) == -1)
			return -1;
		if (cut == MBOX_OTHER) {
			errno = ESTALE;
			return -1;
		}
		mbox_lock_keep(m);
		failed = try_cut(m, c, cut, hole, touched);
		if (!*touched && cut == MBOX_WHOLE)
			break;
	}
	return failed;
}
