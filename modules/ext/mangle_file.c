/*
 * mangle_file.c - a file without a name in the state folder.
 *
 * Runs in: a session, as the user.
 */
#include "mangle.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define NAME "mangle.tmp" /* for a moment; a session has its folder alone */

static int
make(struct mangle_file *f, int state)
{
	/* One of a session that was killed in that moment. */
	if (unlinkat(state, NAME, 0) == -1 && errno != ENOENT)
		return -1;
	f->rw = openat(state, NAME,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->rw == -1)
		return -1;
	f->ro = openat(state, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (unlinkat(state, NAME, 0) == 0 && f->ro != -1) {
		f->len = 0;
		return 0;
	}
	mangle_file_close(f);
	return -1;
}

int
mangle_file_add(struct mangle_file *f, int state, struct popper_slice s)
{
	ssize_t n;

	if (f->rw == -1 && make(f, state) == -1)
		return -1;
	while (s.len > 0) {
		n = pwrite(f->rw, s.ptr, s.len, (off_t)f->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		f->len += (uint64_t)n;
		s = popper_slice(s.ptr + n, s.len - (size_t)n);
	}
	return 0;
}

void
mangle_file_cut(struct mangle_file *f, uint64_t len)
{
	if (f->len <= len)
		return;
	/* If it cannot be cut it is overwritten. */
	if (ftruncate(f->rw, (off_t)len) == 0 || errno != 0)
		f->len = len;
}

int
mangle_file_pour(const struct mangle_file *f, uint64_t from, uint64_t len,
    struct popper_sink *sink)
{
	char piece[32768];
	size_t want;
	ssize_t n;
	int said;

	while (len > 0) {
		want = len < sizeof(piece) ? (size_t)len : sizeof(piece);
		n = pread(f->rw, piece, want, (off_t)from);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		said = sink->put(sink, popper_slice(piece, (size_t)n));
		if (said != 0)
			return said == 1 ? 0 : -1;
		from += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

void
mangle_file_close(struct mangle_file *f)
{
	close_fd(&f->rw);
	close_fd(&f->ro);
	f->len = 0;
}
