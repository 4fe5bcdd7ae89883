/*
 * mbox_pack.c - what a commit's notes look like in the file, and reading them
 * when they were left behind.
 *
 * Runs in: the session, as the user.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mbox_index.h"
#include "mbox_journal.h"

_Static_assert(sizeof(struct mbox_journal_head) == 104, "no holes");
_Static_assert(sizeof(struct mbox_progress) == 72, "no holes");

uint64_t
mbox_journal_head_sum(const struct mbox_journal_head *h, const char *plan)
{
	return mbox_index_sum(mbox_index_sum(h->nonce[1], h,
				  offsetof(struct mbox_journal_head, sum)),
	    plan, (size_t)h->plan);
}

uint64_t
mbox_journal_progress_sum(const struct mbox_progress *p)
{
	return mbox_index_sum(
	    p->nonce[1], p, offsetof(struct mbox_progress, sum));
}

int
mbox_journal_piece(
    const struct mbox *m, uint64_t end, uint32_t len, uint64_t *sum)
{
	char text[MBOX_JOURNAL_PIECE];
	ssize_t n = mbox_read_at(m->fd, text, len, end - len);

	if (n != -1 && (size_t)n < len)
		errno = ESTALE;
	if (n != (ssize_t)len)
		return -1;
	*sum = mbox_index_sum(end, text, len);
	return 0;
}

size_t
mbox_journal_marker(const struct mbox_journal *j, char marker[MBOX_MARKER])
{
	uint64_t left = j->now.size - j->plan.final;

	memset(marker, 0, MBOX_MARKER);
	memcpy(marker + 1, j->head.nonce, sizeof(j->head.nonce));
	return left < MBOX_MARKER ? (size_t)left : MBOX_MARKER;
}

/* --- The plan as octets --- */

static size_t
put_number(char *p, uint64_t n)
{
	size_t len = 0;

	for (; n >= 0x80; n >>= 7)
		p[len++] = (char)(n | 0x80);
	p[len++] = (char)n;
	return len;
}

/* Returns its length, or 0: there is none. */
static size_t
get_number(const char *p, size_t len, uint64_t *n)
{
	size_t i;

	for (*n = 0, i = 0; i < len && i < 9; i++) {
		*n |= (uint64_t)(p[i] & 0x7f) << (7 * i);
		if ((p[i] & 0x80) == 0)
			return i + 1;
	}
	return 0;
}

/* The plan; to be freed.  head.plan becomes its length. */
char *
mbox_journal_pack(struct mbox_journal *j)
{
	char *octets = malloc(20 * j->plan.count + 1);
	uint64_t at = j->plan.tail;
	size_t i, len = 0;

	for (i = 0; octets != NULL && i < j->plan.count; i++) {
		const struct mbox_run *run = &j->plan.runs[i];

		len += put_number(octets + len, run->from - at);
		len += put_number(octets + len, run->len);
		at = run->from + run->len;
	}
	j->head.plan = len;
	return octets;
}

/* Fill j->plan.  False: that is no plan. */
static bool
unpack(struct mbox_journal *j, const char *octets)
{
	const struct mbox_journal_head *h = &j->head;
	uint64_t at = h->tail, gap = 0, len = 0;
	size_t pos = 0, left = (size_t)h->plan, i, n;

	j->plan.tail = j->plan.final = h->tail;
	j->plan.size = h->size;
	for (i = 0; i < h->runs; i++) {
		n = get_number(octets + pos, left - pos, &gap);
		if (n == 0 || gap == 0 || gap > h->size - at)
			return false;
		at += gap;
		pos += n;
		n = get_number(octets + pos, left - pos, &len);
		if (n == 0 || len == 0 || len > h->size - at ||
		    mbox_plan_keep(&j->plan, at, at + len) == -1)
			return false;
		at += len;
		pos += n;
	}
	return pos == left && j->plan.final == h->final && h->final < h->size;
}

/* --- The file --- */

bool
mbox_journal_is_ours(int fd, struct stat *st)
{
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	    st->st_uid == geteuid() && st->st_nlink == 1)
		return true;
	errno = EPERM;
	return false;
}

#define ZFS_MAGIC 0x2fc12fc1
#define BCACHEFS_MAGIC 0xca451a4e

bool
mbox_journal_is_copied(const struct mbox *m)
{
	struct statfs fs;

	return fstatfs(m->fd, &fs) == 0 &&
	    (fs.f_type == BTRFS_SUPER_MAGIC || fs.f_type == ZFS_MAGIC ||
		fs.f_type == BCACHEFS_MAGIC);
}

bool
mbox_journal_exists(const struct mbox *m)
{
	struct stat st;

	return fstatat(m->state, MBOX_JOURNAL, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- One that was left behind --- */

int
mbox_journal_extend(struct mbox_journal *j, uint64_t size)
{
	if (mbox_plan_keep(&j->plan, j->now.size, size) == -1)
		return -1;
	j->now.size = j->plan.size = size;
	return 0;
}

static bool
is_sound(const struct mbox_journal *j, const struct mbox_progress *p)
{
	return memcmp(p->nonce, j->head.nonce, sizeof(p->nonce)) == 0 &&
	    p->sum == mbox_journal_progress_sum(p) && p->number > 0 &&
	    p->size >= j->head.size && p->window <= MBOX_JOURNAL_WINDOW &&
	    p->done >= j->head.tail &&
	    (p->phase == MBOX_MOVING || p->phase == MBOX_CUTTING);
}

/* The newer one of two notes. */
static bool
load_progress(struct mbox_journal *j)
{
	struct mbox_progress p;
	int i;

	j->now.number = 0;
	for (i = 1; i <= 2; i++)
		if (mbox_read_at(j->fd, &p, sizeof(p),
			(uint64_t)i * MBOX_JOURNAL_SLOT) ==
			(ssize_t)sizeof(p) &&
		    is_sound(j, &p) && p.number > j->now.number)
			j->now = p;
	if (j->now.number == 0)
		return false;
	if (j->now.size > j->head.size &&
	    mbox_plan_keep(&j->plan, j->head.size, j->now.size) == -1)
		return false;
	j->plan.size = j->now.size;
	return j->now.done <= j->plan.final &&
	    j->now.window <= j->plan.final - j->now.done;
}

static bool
load_plan(struct mbox_journal *j, uint64_t size)
{
	const struct mbox_journal_head *h = &j->head;
	char *plan;
	bool good;

	if (memcmp(h->magic, MBOX_JOURNAL_MAGIC, sizeof(h->magic)) != 0 ||
	    h->plan > size || h->runs > h->plan || h->tail > h->size ||
	    h->size > INT64_MAX || h->before > MBOX_JOURNAL_PIECE ||
	    h->before > h->tail || h->behind > MBOX_JOURNAL_PIECE ||
	    h->behind > h->size)
		return false;
	if ((plan = malloc((size_t)h->plan + 1)) == NULL)
		return false;
	good = mbox_read_at(j->fd, plan, (size_t)h->plan, MBOX_JOURNAL_PLAN) ==
		(ssize_t)h->plan &&
	    mbox_journal_head_sum(h, plan) == h->sum && unpack(j, plan);
	free(plan);
	return good;
}

int
mbox_journal_load(struct mbox *m, struct mbox_journal *j)
{
	static const struct mbox_journal_head none;
	struct stat st;
	ssize_t n;

	j->active = true;
	j->fd = openat(m->state, MBOX_JOURNAL,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (j->fd == -1 || !mbox_journal_is_ours(j->fd, &st) ||
	    (n = mbox_read_at(j->fd, &j->head, sizeof(j->head), 0)) == -1)
		return -1;
	errno = EBADMSG;
	if (n < (ssize_t)sizeof(j->head))
		return -1;
	if (memcmp(&j->head, &none, sizeof(none)) == 0)
		return 0;
	errno = 0;
	if (!load_plan(j, (uint64_t)st.st_size) || !load_progress(j)) {
		if (errno == 0)
			errno = EBADMSG;
		return -1;
	}
	j->data = mbox_journal_data(&j->head);
	j->room =
	    (uint64_t)st.st_size > j->data ? (uint64_t)st.st_size - j->data : 0;
	if (j->room > MBOX_JOURNAL_WINDOW)
		j->room = MBOX_JOURNAL_WINDOW;
	j->copied = mbox_journal_is_copied(m);
	/* It may have been killed before that was on the disk. */
	if (fdatasync(j->fd) == -1 || fsync(m->state) == -1)
		return -1;
	return 1;
}
