/*
 * mbox_journal.c - the file in which a commit notes what it is doing.
 *
 * Runs in: the session, as the user.
 *
 * The name is the promise: who finds MBOX_JOURNAL finishes that commit.  So it
 * gets that name when plan and first window are on the disk, and has it on the
 * disk before the mbox is touched; and it has lost it on the disk before
 * another commit writes into it.
 */
#define _GNU_SOURCE
#include "mbox_index.h"
#include "mbox_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define RESERVE 32768u /* octets for the window */
#define PER_MESSAGE 4u /* octets of the plan */
#define LEAST MBOX_JOURNAL_SLOT /* octets of a window */
#define INDEX "mbox.index"

/* Have room on the disk for ${size} octets, of which the file has ${now}. */
static int
allocate(int fd, uint64_t now, uint64_t size)
{
	static const char zeros[4096];
	int failed;
	size_t n;

	do
		failed = fallocate(fd, 0, 0, (off_t)size);
	while (failed == -1 && errno == EINTR);
	if (failed == 0 || errno != EOPNOTSUPP)
		return failed;
	for (; now < size; now += n) {
		n = size - now < sizeof(zeros) ? (size_t)(size - now)
					       : sizeof(zeros);
		if (mbox_write_at(fd, zeros, n, now) == -1)
			return -1;
	}
	return 0;
}

static uint64_t
round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* The reserved file; else the index's room is taken, which the commit makes
 * useless anyway; else a new one is made. */
static int
open_reserve(const struct mbox *m)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(m->state, MBOX_RESERVE, flags);

	if (fd == -1 && errno == ENOENT &&
	    renameat(m->state, INDEX, m->state, MBOX_RESERVE) == 0)
		fd = openat(m->state, MBOX_RESERVE, flags);
	if (fd == -1 && errno == ENOENT)
		fd = openat(
		    m->state, MBOX_RESERVE, flags | O_CREAT | O_EXCL, 0600);
	return fd;
}

/* Octets that are enough for a mailbox of so many messages. */
static uint64_t
reserve_for(const struct mbox *m)
{
	return RESERVE + MBOX_JOURNAL_PLAN +
	    round_up(PER_MESSAGE * m->index.count, MBOX_JOURNAL_SLOT);
}

void
mbox_journal_reserve(struct mbox *m)
{
	uint64_t need = reserve_for(m);
	const int flags =
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct stat st;
	int fd;

	if (!m->writable ||
	    (fstatat(m->state, MBOX_RESERVE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(uint64_t)st.st_size >= need))
		return;
	fd = openat(m->state, MBOX_RESERVE, flags, 0600);
	if (fd == -1)
		return;
	if (mbox_journal_is_ours(fd, &st))
		(void)allocate(fd, (uint64_t)st.st_size, need);
	(void)close(fd);
}

/* Get room for the window of ${want} octets, or as much as there is. */
static int
find_room(struct mbox_journal *j, uint64_t want)
{
	struct stat st;
	uint64_t sizes[4];
	size_t i;

	if (!mbox_journal_is_ours(j->fd, &st))
		return -1;
	sizes[0] = j->data + want;
	sizes[1] = j->data + RESERVE;
	sizes[2] = round_up((uint64_t)st.st_size, 4096);
	sizes[3] = (uint64_t)st.st_size;
	for (i = 0; i < 4; i++) {
		if (sizes[i] > sizes[0])
			sizes[i] = sizes[0];
		if (sizes[i] < j->data + (want < LEAST ? want : LEAST))
			continue;
		if (allocate(j->fd, (uint64_t)st.st_size, sizes[i]) == 0) {
			j->room = sizes[i] - j->data;
			return 0;
		}
		if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG)
			return -1;
	}
	errno = ENOSPC;
	return -1;
}

/* The octets that will have to go through the journal, all of them. */
static uint64_t
window_of(const struct mbox_journal *j)
{
	const struct mbox_plan *p = &j->plan;
	uint64_t most = j->copied ? MBOX_JOURNAL_COPIED : MBOX_JOURNAL_WINDOW;
	uint64_t gap, len = p->final - p->tail;

	if (p->count == 0)
		return 0;
	gap = p->runs[0].from - p->tail;
	if (gap >= MBOX_JOURNAL_GAP || gap >= len + MBOX_MARKER)
		return 0;
	return len < most ? len : most;
}

static int
fill_head(struct mbox *m, struct mbox_journal *j)
{
	struct mbox_journal_head *h = &j->head;
	const struct mbox_plan *p = &j->plan;
	uint64_t left = p->size - p->final;
	struct stat st;

	if (fstat(m->fd, &st) == -1)
		return -1;
	memcpy(h->magic, MBOX_JOURNAL_MAGIC, sizeof(h->magic));
	h->inode = st.st_ino;
	h->tail = p->tail;
	h->size = p->size;
	h->final = p->final;
	h->runs = p->count;
	h->before = p->tail < MBOX_JOURNAL_PIECE ? (uint32_t)p->tail
						 : MBOX_JOURNAL_PIECE;
	left = left > MBOX_MARKER ? left - MBOX_MARKER : 0;
	h->behind =
	    left < MBOX_JOURNAL_PIECE ? (uint32_t)left : MBOX_JOURNAL_PIECE;
	if (getrandom(h->nonce, sizeof(h->nonce), 0) !=
	    (ssize_t)sizeof(h->nonce))
		return -1;
	if (mbox_journal_piece(m, h->tail, h->before, &h->before_sum) == -1)
		return -1;
	return mbox_journal_piece(m, h->size, h->behind, &h->behind_sum);
}

/* Head, empty slots and plan. */
static int
write_plan(struct mbox_journal *j, const char *plan)
{
	size_t len = (size_t)(MBOX_JOURNAL_PLAN + j->head.plan);
	char *all = calloc(1, len);
	int failed;

	if (all == NULL)
		return -1;
	j->head.sum = mbox_journal_head_sum(&j->head, plan);
	memcpy(all, &j->head, sizeof(j->head));
	memcpy(all + MBOX_JOURNAL_PLAN, plan, (size_t)j->head.plan);
	failed = mbox_write_at(j->fd, all, len, 0);
	free(all);
	return failed;
}

int
mbox_journal_begin(struct mbox *m, struct mbox_journal *j)
{
	char *plan = NULL;
	int failed = -1;

	j->active = false;
	j->now = (struct mbox_progress){ .number = 0,
		.size = j->plan.size,
		.done = j->plan.tail,
		.phase = MBOX_MOVING };
	j->copied = mbox_journal_is_copied(m);
	j->fd = open_reserve(m);
	mbox_index_drop(m);
	if (j->fd == -1 || fill_head(m, j) == -1 ||
	    (plan = mbox_journal_pack(j)) == NULL)
		goto out;
	memcpy(j->now.nonce, j->head.nonce, sizeof(j->now.nonce));
	j->data = mbox_journal_data(&j->head);
	if (find_room(j, window_of(j)) == -1)
		goto out;
	failed = write_plan(j, plan);
out:
	free(plan);
	return failed;
}

/* Make the promise. */
static int
activate(struct mbox *m, struct mbox_journal *j)
{
	j->active = true;
	if (renameat(m->state, MBOX_RESERVE, m->state, MBOX_JOURNAL) == -1)
		return -1;
	return fsync(m->state);
}

int
mbox_journal_note(struct mbox *m, struct mbox_journal *j,
    const struct mbox_progress *next, const char *window)
{
	struct mbox_progress p = *next;

	memcpy(p.nonce, j->head.nonce, sizeof(p.nonce));
	p.number = j->now.number + 1;
	p.window_sum = mbox_index_sum(p.nonce[0], window, (size_t)p.window);
	p.sum = mbox_journal_progress_sum(&p);
	if (mbox_write_at(j->fd, window, (size_t)p.window, j->data) == -1 ||
	    mbox_write_at(j->fd, &p, sizeof(p),
		MBOX_JOURNAL_SLOT * (1 + p.number % 2)) == -1 ||
	    fdatasync(j->fd) == -1)
		return -1;
	if (!j->active && activate(m, j) == -1)
		return -1;
	j->now = p;
	return 0;
}

int
mbox_journal_put(
    struct mbox *m, struct mbox_journal *j, const char *octets, size_t len)
{
	struct stat st;

	j->active = false;
	j->fd = open_reserve(m);
	mbox_index_drop(m);
	if (j->fd != -1 && mbox_journal_is_ours(j->fd, &st) &&
	    allocate(j->fd, (uint64_t)st.st_size, len) == 0 &&
	    mbox_write_at(j->fd, octets, len, 0) == 0 && fdatasync(j->fd) == 0)
		return activate(m, j);
	if (j->fd != -1)
		(void)close(j->fd);
	j->fd = -1;
	return -1;
}

int
mbox_journal_cancel(struct mbox *m, struct mbox_journal *j)
{
	static const struct mbox_journal_head none;
	bool wiped;

	if (!j->active)
		return 0;
	wiped = mbox_write_at(j->fd, &none, sizeof(none), 0) == 0 &&
	    fdatasync(j->fd) == 0;
	if (renameat(m->state, MBOX_JOURNAL, m->state, MBOX_RESERVE) == -1 &&
	    errno != ENOENT)
		return wiped ? 0 : -1;
	return fsync(m->state) == 0 || wiped ? 0 : -1;
}

/* What was taken beyond the reserve is given back. */
static void
shrink(const struct mbox *m, const struct mbox_journal *j)
{
	uint64_t keep = j->data + RESERVE;
	struct stat st;

	if (keep < reserve_for(m))
		keep = reserve_for(m);
	if (fstat(j->fd, &st) == 0 && (uint64_t)st.st_size > keep &&
	    ftruncate(j->fd, (off_t)keep) == -1)
		m->host->log(POPPER_LOG_DEBUG,
		    MBOX_RESERVE " of %s stays large (errno %d)", m->user,
		    errno);
}

int
mbox_journal_end(struct mbox *m, struct mbox_journal *j)
{
	if (renameat(m->state, MBOX_JOURNAL, m->state, MBOX_RESERVE) == -1 ||
	    fsync(m->state) == -1)
		return -1;
	shrink(m, j);
	return 0;
}

void
mbox_journal_free(struct mbox_journal *j)
{
	if (j->fd != -1)
		(void)close(j->fd);
	j->fd = -1;
	mbox_plan_free(&j->plan);
}
