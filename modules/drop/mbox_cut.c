/*
 * mbox_cut.c - shortening the mbox.
 *
 * Runs in: the session, as the user, with the mbox locked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rewrite.h"

/* What keeps us from writing (a full disk, a limit) may have kept the commit
 * from it, too. */
int
mbox_put_back(int fd, const char *old, char *now, size_t len, uint64_t at)
{
	int cause;

	if (mbox_write_at(fd, old, len, at) == 0)
		return 0;
	cause = errno;
	if (mbox_read_at(fd, now, len, at) == (ssize_t)len &&
	    memcmp(old, now, len) == 0)
		return 0;
	errno = cause;
	return -1;
}

/* 0, or -1 with errno.  One that fails may have cut it all the same. */
static int
try_cut(const struct mbox *m, uint64_t final)
{
	struct stat st;
	int cause;

	if (ftruncate(m->fd, (off_t) final) == 0)
		return 0;
	cause = errno;
	if (fstat(m->fd, &st) == 0 && (uint64_t)st.st_size == final)
		return 0;
	errno = cause;
	return -1;
}

/*
 * Where a file system copies on write (btrfs), this needs room for the block
 * that holds the new end; without it ftruncate fails with the length unchanged,
 * but has zeroed the rest of that block.  So the octet behind the new end is
 * written once more, which reserves the block or fails before any harm; and
 * what is behind the end is put back, should it fail after that.
 */
int
mbox_shorten(struct mbox *m, uint64_t final, bool *whole)
{
	char *old = malloc((size_t)2 * MBOX_BUFFER);
	int cause, failed = -1;
	ssize_t n;

	*whole = true;
	if (old == NULL)
		return -1;
	n = mbox_read_at(m->fd, old, MBOX_BUFFER, final);
	if (n > 0 && mbox_write_at(m->fd, old, 1, final) == -1)
		n = -1;
	if (n != -1 && (failed = try_cut(m, final)) == -1 && fsync(m->fd) == 0)
		failed = try_cut(m, final); /* the block is there by now */
	cause = errno;
	if (failed == -1 && n > 0)
		*whole = mbox_put_back(m->fd, old, old + MBOX_BUFFER, (size_t)n,
			     final) == 0;
	free(old);
	errno = cause;
	return failed;
}
