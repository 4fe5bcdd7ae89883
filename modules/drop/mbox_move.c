/*
 * mbox_move.c - what a commit keeps moves down in the file, so that it can be
 * gone on with wherever it stops.
 *
 * Runs in: the session, as the user, with the mbox locked.
 *
 * It goes on by windows.  Where more octets were removed than the window has,
 * what is written does not reach what is read: such a window can be copied
 * again from the beginning.  Elsewhere its octets go into the journal first.
 * Either way a note of where the window begins is on the disk before it is
 * written, and the window before the next note.
 *
 * When all is in its place a marker is put where the end will be.  Only when
 * that and a note of it are on the disk is the file cut, so it can always be
 * told whether it was cut, whatever was delivered since.
 */
#define _GNU_SOURCE
#include "mbox_index.h"
#include "mbox_journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mover {
	struct mbox *m;
	struct mbox_journal *j;
	bool *touched;
	uint64_t done; /* up to here the mbox is as it will be */
	size_t run; /* the run that ${base} is about */
	uint64_t base; /* where it will begin */
	char *buf;
	size_t size; /* of it */
};

/* Where the octet that will be at ${at} is now; ${len}: so many follow it to
 * the end of its run, itself included. */
static uint64_t
source(struct mover *v, uint64_t at, uint64_t *len)
{
	const struct mbox_plan *p = &v->j->plan;

	if (at < v->base) {
		v->run = 0;
		v->base = p->tail;
	}
	while (v->run + 1 < p->count && at - v->base >= p->runs[v->run].len)
		v->base += p->runs[v->run++].len;
	*len = p->runs[v->run].len - (at - v->base);
	return p->runs[v->run].from + (at - v->base);
}

/* Read the octets that will be at ${at}. */
static int
gather(struct mover *v, uint64_t at, size_t len)
{
	uint64_t from, run;
	size_t got, n;

	for (got = 0; got < len; got += n) {
		from = source(v, at + got, &run);
		n = run < len - got ? (size_t)run : len - got;
		errno = ESTALE;
		if (n == 0 ||
		    mbox_read_at(v->m->fd, v->buf + got, n, from) != (ssize_t)n)
			return -1;
	}
	return 0;
}

/* The first write of all.  If that fails the mbox was not touched. */
static ssize_t
touch(struct mover *v, uint64_t at, size_t len)
{
	ssize_t n;

	do
		n = pwrite(v->m->fd, v->buf, len, (off_t)at);
	while (n == -1 && errno == EINTR);
	*v->touched = n != -1;
	return n;
}

static int
write_down(struct mover *v, uint64_t at, size_t len)
{
	size_t done = 0, n;
	ssize_t first;

	if (!*v->touched && len > 0) {
		n = len < MBOX_WINDOW ? len : MBOX_WINDOW;
		if ((first = touch(v, at, n)) == -1)
			return -1;
		done = (size_t)first;
	}
	for (; done < len; done += n) {
		n = len - done < MBOX_WINDOW ? len - done : MBOX_WINDOW;
		if (mbox_write_at(v->m->fd, v->buf + done, n, at + done) == -1)
			return -1;
		mbox_lock_keep(v->m);
	}
	return 0;
}

/* A window that does not reach what it is copied from. */
static int
copy_down(struct mover *v, uint64_t len)
{
	uint64_t done;
	size_t n;

	for (done = 0; done < len; done += n) {
		n = len - done < v->size ? (size_t)(len - done) : v->size;
		if (gather(v, v->done + done, n) == -1 ||
		    write_down(v, v->done + done, n) == -1)
			return -1;
	}
	return 0;
}

static int
put_marker(struct mover *v)
{
	char marker[MBOX_MARKER];
	size_t len = mbox_journal_marker(v->j, marker);

	memcpy(v->buf, marker, len);
	return write_down(v, v->j->plan.final, len);
}

/* The next window: its length; ${next->window}: so much of it through the
 * journal.  ${last}: then the marker can be put, since that reaches nothing
 * that the window would have to be copied from again. */
static uint64_t
choose(struct mover *v, struct mbox_progress *next, bool *last)
{
	uint64_t left = v->j->plan.final - v->done, run, gap, len = left;
	uint64_t most = v->j->room < v->size ? v->j->room : v->size;

	*last = left == 0;
	if (left == 0)
		return 0;
	if (v->j->copied && len > MBOX_JOURNAL_COPIED)
		len = MBOX_JOURNAL_COPIED;
	gap = source(v, v->done, &run) - v->done;
	if (gap >= len + MBOX_MARKER) {
		*last = len == left;
		return len;
	}
	if (gap >= MBOX_JOURNAL_GAP || gap >= most)
		return gap < len ? gap : len;
	if (len > most)
		len = most;
	next->window = len;
	*last = len == left;
	return len;
}

static int
move_window(struct mover *v, bool *last)
{
	struct mbox_progress next = {
		.size = v->j->plan.size, .done = v->done, .phase = MBOX_MOVING
	};
	uint64_t len = choose(v, &next, last);

	if (next.window > 0 && gather(v, v->done, (size_t)len) == -1)
		return -1;
	if (mbox_journal_note(v->m, v->j, &next, v->buf) == -1)
		return -1;
	if ((next.window > 0 ? write_down(v, v->done, (size_t)len)
			     : copy_down(v, len)) == -1 ||
	    (*last && put_marker(v) == -1) || fsync(v->m->fd) == -1)
		return -1;
	v->done += len;
	return 0;
}

/* Is the marker there? */
static int
is_marked(const struct mover *v, bool *marked)
{
	char marker[MBOX_MARKER], now[MBOX_MARKER];
	size_t len = mbox_journal_marker(v->j, marker);
	ssize_t n = mbox_read_at(v->m->fd, now, len, v->j->plan.final);

	*marked = n == (ssize_t)len && memcmp(marker, now, len) == 0;
	return n == -1 ? -1 : 0;
}

/* Has more mail come behind the end?  Keep it, too. */
static int
look_behind(struct mover *v)
{
	struct stat st;

	errno = ESTALE;
	if (fstat(v->m->fd, &st) == -1 ||
	    (uint64_t)st.st_size < v->j->plan.size)
		return -1;
	if ((uint64_t)st.st_size == v->j->plan.size)
		return 0;
	return mbox_ends_well(v->m, v->j->plan.size, 2)
	    ? mbox_journal_extend(v->j, (uint64_t)st.st_size)
	    : -1;
}

static int
cut(struct mover *v)
{
	struct mbox_progress next = {
		.size = v->j->plan.size, .done = v->done, .phase = MBOX_CUTTING
	};
	bool whole;

	if (mbox_journal_note(v->m, v->j, &next, v->buf) == -1 ||
	    mbox_shorten(v->m, v->j->plan.final, &whole) == -1)
		return -1;
	return fsync(v->m->fd);
}

static int
move_all(struct mover *v)
{
	bool last = false;

	do {
		do {
			if (move_window(v, &last) == -1)
				return -1;
		} while (!last);
		if (look_behind(v) == -1)
			return -1;
	} while (v->done < v->j->plan.final);
	return cut(v);
}

/* The sum of ${len} octets of the buffer is that of the window. */
static bool
is_window(const struct mover *v, ssize_t len)
{
	const struct mbox_progress *now = &v->j->now;

	return len == (ssize_t)now->window &&
	    mbox_index_sum(now->nonce[0], v->buf, (size_t)now->window) ==
	    now->window_sum;
}

static int
look(struct mover *v, enum mbox_window *window)
{
	const struct mbox_progress *now = &v->j->now;
	size_t len = (size_t)now->window;

	*window = MBOX_SOURCE;
	if (len == 0)
		return 0;
	if (gather(v, now->done, len) == 0 && is_window(v, (ssize_t)len))
		return 0;
	*window = MBOX_PLACED;
	if (is_window(v, mbox_read_at(v->m->fd, v->buf, len, now->done)))
		return 0;
	*window = MBOX_KEPT; /* and in the buffer */
	if (is_window(v, mbox_read_at(v->j->fd, v->buf, len, v->j->data)))
		return 0;
	*window = MBOX_LOST;
	errno = ESTALE;
	return 0;
}

/* From a note that was left behind.  1; 0: all is done already; -1. */
static int
catch_up(struct mover *v)
{
	const struct mbox_progress *now = &v->j->now;
	enum mbox_window window;
	bool marked;

	v->done = now->done;
	if (now->phase == MBOX_CUTTING) {
		if (is_marked(v, &marked) == -1)
			return -1;
		return marked ? 1 : 0;
	}
	if (look(v, &window) == -1 || window == MBOX_LOST)
		return -1;
	if (window == MBOX_KEPT &&
	    write_down(v, now->done, (size_t)now->window) == -1)
		return -1;
	if (window == MBOX_SOURCE)
		return 1;
	if (fsync(v->m->fd) == -1)
		return -1;
	v->done += now->window;
	return 1;
}

/* A buffer as large as any window that may be needed. */
static int
init(struct mover *v, struct mbox *m, struct mbox_journal *j)
{
	uint64_t size = j->room;

	if (size < j->now.window)
		size = j->now.window;
	if (size < MBOX_WINDOW)
		size = MBOX_WINDOW;
	*v = (struct mover){ .m = m,
		.j = j,
		.done = j->plan.tail,
		.base = j->plan.tail,
		.size = (size_t)size,
		.buf = malloc((size_t)size) };
	return v->buf == NULL ? -1 : 0;
}

int
mbox_move_look(struct mbox *m, struct mbox_journal *j, enum mbox_window *window)
{
	struct mover v;
	int failed = init(&v, m, j);

	if (failed == 0)
		failed = look(&v, window);
	free(v.buf);
	return failed;
}

/* From the last note on. */
static int
try_move(struct mbox *m, struct mbox_journal *j, bool *touched)
{
	struct mover v;
	int result = init(&v, m, j);

	v.touched = touched;
	if (result == 0)
		result = j->now.number == 0 ? 1 : catch_up(&v);
	if (result == 1)
		result = look_behind(&v) == -1 ? -1 : move_all(&v);
	else if (result == 0)
		result = fsync(m->fd);
	free(v.buf);
	return result;
}

/* What failed once may work from the last note on; and where a file system
 * copies on write, what was written over is free only after a while. */
int
mbox_move(struct mbox *m, struct mbox_journal *j, bool *touched)
{
	uint64_t done = 0;
	bool again = false;
	int cause;

	for (; try_move(m, j, touched) == -1; again = true) {
		if (!*touched || (again && j->now.done <= done))
			return -1;
		done = j->now.done;
		cause = errno;
		if (cause == ENOSPC || cause == EDQUOT)
			(void)syncfs(m->fd);
		errno = cause;
	}
	return 0;
}
