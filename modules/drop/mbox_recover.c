/*
 * mbox_recover.c - what a commit of an earlier version left behind when the
 * machine or the process died in the middle of it.
 *
 * Runs in: the session, as the user, at open, with the mbox locked.
 *
 * That version wrote the old octets from the first removed message on into a
 * backup, and its head last: one of zeros means that nothing had been done.
 *
 * The backup tells each octet of the mbox as it was ("old") and as it was to
 * become ("new").  The commit writes a kept octet once, at a place below the
 * one it came from, and cuts the file only when all of that is on the disk.
 * So if nobody but the commit has written to the file, it is in one of two
 * states:
 *
 *	unfinished: every block of 512 octets from the first removed message
 *	to the new end is old or new, and from there to the old end all is
 *	old.  The old octets are written back: all messages are there again.
 *	What was delivered after the crash lies behind the old end and stays.
 *
 *	finished: all is new up to the new end, and there the file ends, or
 *	mail that was delivered after the crash begins.  Only the backup goes.
 *
 * Blocks, because after a power cut the disk has some sectors and not others;
 * and where a write of the commit or of its undoing ended early, a block may
 * be the one in front and the other behind.
 *
 * In any other state somebody else has changed the file.  Then either outcome
 * could destroy his changes: nothing is touched and a person is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_backup.h"
#include "mbox_record.h"
#include "mbox_rewrite.h"

#define BLOCK 512
#define PIECE 65536 /* octets compared at once */

struct recovery {
	struct mbox *m;
	struct mbox_plan plan;
	int backup; /* the file, or -1 */
	uint64_t data; /* where the old octets begin in the backup */
	uint64_t size; /* of the mbox now */
	bool all_new; /* up to the new end */
	bool old_or_new; /* each block up to there is one of them */
	char now[PIECE], old[PIECE], new[PIECE];
};

/* Octets that must be there. */
static int
read_all(int fd, char *buf, size_t len, uint64_t offset)
{
	ssize_t n = mbox_read_at(fd, buf, len, offset);

	if (n != -1 && (size_t)n < len)
		errno = ESTALE;
	return n == -1 || (size_t)n < len ? -1 : 0;
}

static bool
is_zero(const struct mbox_backup *head)
{
	static const struct mbox_backup zero;

	return memcmp(head, &zero, sizeof(zero)) == 0;
}

/* Read the parts that were to be kept, and see that all fits together. */
static bool
load_plan(struct recovery *r, const struct mbox_backup *head, uint64_t size)
{
	struct mbox_plan *p = &r->plan;
	uint64_t octets, behind, final = head->tail;
	size_t i;

	if (head->tail >= head->final || head->final >= head->size ||
	    head->runs > size / sizeof(struct mbox_run))
		return false;
	octets = head->runs * sizeof(struct mbox_run);
	r->data = sizeof(*head) + octets;
	if (size != r->data + (head->size - head->tail))
		return false;
	p->tail = head->tail;
	p->size = head->size;
	p->final = head->final;
	p->count = (size_t)head->runs;
	p->runs = calloc(p->count + 1, sizeof(*p->runs));
	if (p->runs == NULL ||
	    read_all(r->backup, (char *)p->runs, (size_t)octets,
		sizeof(*head)) == -1)
		return false;
	for (i = 0, behind = p->tail; i < p->count; i++) {
		if (p->runs[i].from <= behind || p->runs[i].from > p->size ||
		    p->runs[i].len > p->size - p->runs[i].from)
			return false;
		behind = p->runs[i].from + p->runs[i].len;
		final += p->runs[i].len;
	}
	return final == p->final;
}

/* The backup as a plan.  1: it is whole; 0: the commit had not begun; -1. */
static int
load(struct recovery *r, struct popper_error *e)
{
	const struct popper_host *h = r->m->host;
	struct mbox_backup head;
	unsigned char sum[32];
	struct stat st;

	r->backup = openat(r->m->state, MBOX_BACKUP,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (r->backup == -1 || fstat(r->backup, &st) == -1)
		return h->fail_system(e, POPPER_TEMPORARY,
		    "%s: " MBOX_BACKUP " of %s", r->m->path, r->m->user);
	if (st.st_size < (off_t)sizeof(head))
		return 0;
	if (read_all(r->backup, (char *)&head, sizeof(head), 0) == -1)
		return h->fail_system(e, POPPER_TEMPORARY,
		    "%s: " MBOX_BACKUP " of %s", r->m->path, r->m->user);
	if (is_zero(&head))
		return 0;
	if (memcmp(head.magic, MBOX_BACKUP_MAGIC, sizeof(head.magic)) != 0 ||
	    mbox_record_sum(r->backup, &head, offsetof(struct mbox_backup, sum),
		sizeof(head), sum) == -1 ||
	    memcmp(sum, head.sum, sizeof(sum)) != 0 ||
	    !load_plan(r, &head, (uint64_t)st.st_size))
		return h->fail(e, POPPER_PERMANENT,
		    "%s: a commit was interrupted, and " MBOX_BACKUP " in the "
		    "state folder of %s is damaged; look at the mbox, then "
		    "remove that file",
		    r->m->path, r->m->user);
	if (fstat(r->m->fd, &st) == -1)
		return h->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", r->m->path);
	r->size = (uint64_t)st.st_size;
	/* The device's number may be another after a reboot. */
	if (st.st_ino != head.inode)
		r->size = 0;
	return 1;
}

/* Is ${now} like ${first} up to some octet and then like ${then}? */
static bool
turns(const char *now, const char *first, const char *then, size_t len)
{
	while (len > 0 && *now == *first) {
		now++;
		first++;
		then++;
		len--;
	}
	return memcmp(now, then, len) == 0;
}

bool
mbox_is_mixture(
    const char *now, const char *old, const char *new, size_t len, uint64_t at)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = BLOCK - (size_t)((at + i) % BLOCK);
		if (n > len - i)
			n = len - i;
		if (!turns(now + i, new + i, old + i, n) &&
		    !turns(now + i, old + i, new + i, n))
			return false;
	}
	return true;
}

/* What state is this piece in?  It begins at ${at} of the mbox. */
static void
judge(struct recovery *r, uint64_t at, size_t len)
{
	if (memcmp(r->now, r->new, len) == 0)
		return;
	r->all_new = false;
	if (!mbox_is_mixture(r->now, r->old, r->new, len, at))
		r->old_or_new = false;
}

/* Compare the part that the commit rewrites.  0, or -1 with errno. */
static int
compare_moved(struct recovery *r)
{
	const struct mbox_plan *p = &r->plan;
	uint64_t at = p->tail, done;
	size_t i, n;

	for (i = 0; i < p->count; i++)
		for (done = 0; done < p->runs[i].len; done += n, at += n) {
			n = p->runs[i].len - done < PIECE
			    ? (size_t)(p->runs[i].len - done)
			    : PIECE;
			if (read_all(r->m->fd, r->now, n, at) == -1 ||
			    read_all(r->backup, r->old, n,
				r->data + at - p->tail) == -1 ||
			    read_all(r->backup, r->new, n,
				r->data + p->runs[i].from + done - p->tail) ==
				-1)
				return -1;
			judge(r, at, n);
		}
	return 0;
}

/* Is everything from the new end to the old one as it was?  1, 0 or -1. */
static int
compare_rest(struct recovery *r)
{
	const struct mbox_plan *p = &r->plan;
	uint64_t at;
	size_t n;

	for (at = p->final; at < p->size; at += n) {
		n = p->size - at < PIECE ? (size_t)(p->size - at) : PIECE;
		if (read_all(r->m->fd, r->now, n, at) == -1 ||
		    read_all(r->backup, r->old, n, r->data + at - p->tail) ==
			-1)
			return -1;
		if (memcmp(r->now, r->old, n) != 0)
			return 0;
	}
	return 1;
}

bool
mbox_ends_well(const struct mbox *m, uint64_t offset, int breaks)
{
	char text[MBOX_FROM_MAX + 8];
	ssize_t n = mbox_read_at(m->fd, text, sizeof(text), offset);
	int i = 0;

	while (i < breaks && i < n && text[i] == '\n')
		i++;
	if (n <= 0 || i == n)
		return n == 0;
	return mbox_mmdf(text + i, (size_t)(n - i)) > 0 ||
	    mbox_from(text + i, (size_t)(n - i)) > 0;
}

/* Put the old octets of the part that was written to back. */
static int
restore(struct recovery *r)
{
	const struct mbox_plan *p = &r->plan;
	uint64_t at;
	size_t n;

	for (at = p->tail; at < p->final; at += n) {
		n = p->final - at < PIECE ? (size_t)(p->final - at) : PIECE;
		if (read_all(r->backup, r->old, n, r->data + at - p->tail) ==
			-1 ||
		    mbox_put_back(r->m->fd, r->old, r->now, n, at) == -1)
			return -1;
		mbox_lock_keep(r->m);
	}
	return fsync(r->m->fd);
}

static int
drop(struct recovery *r)
{
	if (unlinkat(r->m->state, MBOX_BACKUP, 0) == -1)
		return -1;
	return fsync(r->m->state);
}

bool
mbox_backup_exists(const struct mbox *m)
{
	struct stat st;

	return fstatat(m->state, MBOX_BACKUP, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
settle(struct recovery *r, struct popper_error *e)
{
	const struct mbox_plan *p = &r->plan;
	struct mbox *m = r->m;
	int rest = 0;

	if (r->size < p->final || compare_moved(r) == -1)
		goto doubt;
	if (r->old_or_new && r->size >= p->size)
		rest = compare_rest(r);
	if (rest == 1) {
		if (restore(r) == -1)
			return m->host->fail_system(e, POPPER_TEMPORARY,
			    "%s: cannot undo an interrupted commit", m->path);
		m->host->log(POPPER_LOG_WARNING,
		    "%s: undid a commit of %s that was interrupted; all "
		    "messages are there",
		    m->path, m->user);
		return 0;
	}
	if (rest == 0 && r->all_new && mbox_ends_well(m, p->final, 1)) {
		m->host->log(POPPER_LOG_NOTICE,
		    "%s: a commit of %s had been finished when it was "
		    "interrupted",
		    m->path, m->user);
		return 0;
	}
doubt:
	return m->host->fail(e, POPPER_PERMANENT,
	    "%s: a commit was interrupted and the file has been changed "
	    "since; its old octets from %llu on are in " MBOX_BACKUP " in the "
	    "state folder of %s from octet %llu on; put the mbox right, then "
	    "remove that file",
	    m->path, (unsigned long long)p->tail, m->user,
	    (unsigned long long)r->data);
}

int
mbox_recover(struct mbox *m, struct popper_error *e)
{
	struct recovery *r = malloc(sizeof(*r));
	int state;

	if (r == NULL)
		return m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	r->m = m;
	r->plan = (struct mbox_plan){ .runs = NULL };
	r->backup = -1;
	r->all_new = r->old_or_new = true;
	r->size = r->data = 0;
	state = load(r, e);
	if (state == 1 && settle(r, e) == -1)
		state = -1;
	if (state != -1 && drop(r) == -1)
		state = m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot remove " MBOX_BACKUP " in the state folder "
		    "of %s",
		    m->path, m->user);
	if (r->backup != -1)
		(void)close(r->backup);
	mbox_plan_free(&r->plan);
	free(r);
	return state == -1 ? -1 : 0;
}
