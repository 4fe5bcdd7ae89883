/*
 * mbox_backup.c - the way back from a commit that fails halfway.
 *
 * Runs in: the session, as the user.
 *
 * The backup holds the old octets of the mbox from the first removed message
 * on, and which parts of them were to stay.  Its head is written last, after
 * everything behind it is on stable storage, and the mbox is not touched before
 * the head is there too: a head of zeros means that nothing had been done.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_record.h"
#include "mbox_rewrite.h"

_Static_assert(sizeof(struct mbox_backup) == 80, "no holes on the disk");
_Static_assert(sizeof(struct mbox_run) == 16, "no holes on the disk");

/* Where the octet that was at ${offset} of the mbox is in the backup. */
static uint64_t
place_of(const struct mbox_plan *plan, uint64_t offset)
{
	return sizeof(struct mbox_backup) +
	    plan->count * sizeof(struct mbox_run) + (offset - plan->tail);
}

/* Copy what is to be saved; 0, or -1 with errno. */
static int
save_octets(struct mbox *m, const struct mbox_plan *plan)
{
	return mbox_copy(m, m->fd, plan->tail, plan->size - plan->tail,
	    plan->backup, place_of(plan, plan->tail));
}

int
mbox_backup_sum(int fd, const struct mbox_backup *head, unsigned char sum[32])
{
	return mbox_record_sum(
	    fd, head, offsetof(struct mbox_backup, sum), sizeof(*head), sum);
}

static int
write_backup(struct mbox *m, const struct mbox_plan *plan)
{
	struct mbox_backup head = { .magic = { 0 } };
	struct stat st;

	if (fstat(m->fd, &st) == -1)
		return -1;
	if (mbox_write_at(plan->backup, &head, sizeof(head), 0) == -1 ||
	    mbox_write_at(plan->backup, plan->runs,
		plan->count * sizeof(*plan->runs), sizeof(head)) == -1 ||
	    save_octets(m, plan) == -1)
		return -1;
	memcpy(head.magic, MBOX_BACKUP_MAGIC, sizeof(head.magic));
	head.inode = st.st_ino;
	head.size = plan->size;
	head.tail = plan->tail;
	head.final = plan->final;
	head.runs = plan->count;
	if (mbox_backup_sum(plan->backup, &head, head.sum) == -1 ||
	    fsync(plan->backup) == -1 ||
	    mbox_write_at(plan->backup, &head, sizeof(head), 0) == -1 ||
	    fsync(plan->backup) == -1)
		return -1;
	return fsync(m->state);
}

int
mbox_backup_make(struct mbox *m, struct mbox_plan *plan, struct popper_error *e)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int cause;

	plan->backup = openat(m->state, MBOX_BACKUP, flags, 0600);
	if (plan->backup != -1 && write_backup(m, plan) == 0)
		return 0;
	cause = errno;
	if (plan->backup != -1)
		(void)mbox_backup_drop(m, plan);
	errno = cause;
	return m->host->fail_system(e, POPPER_TEMPORARY,
	    "%s: cannot write " MBOX_BACKUP " (%llu octets) in the state "
	    "folder of %s; nothing removed",
	    m->path, (unsigned long long)(plan->size - plan->tail), m->user);
}

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

int
mbox_backup_restore(
    struct mbox *m, const struct mbox_plan *plan, uint64_t from, uint64_t to)
{
	char *buf = malloc((size_t)2 * MBOX_WINDOW);
	int failed = -1;
	size_t n;

	if (buf == NULL)
		return -1;
	for (; from < to; from += n) {
		n = to - from < MBOX_WINDOW ? (size_t)(to - from) : MBOX_WINDOW;
		errno = ESTALE;
		if (mbox_read_at(plan->backup, buf, n, place_of(plan, from)) !=
			(ssize_t)n ||
		    mbox_put_back(m->fd, buf, buf + MBOX_WINDOW, n, from) == -1)
			goto out;
		mbox_lock_keep(m);
	}
	failed = fsync(m->fd);
out:
	free(buf);
	return failed;
}

int
mbox_backup_drop(struct mbox *m, struct mbox_plan *plan)
{
	(void)close(plan->backup);
	plan->backup = -1;
	if (unlinkat(m->state, MBOX_BACKUP, 0) == -1)
		return -1;
	return fsync(m->state);
}

bool
mbox_backup_exists(const struct mbox *m)
{
	struct stat st;

	return fstatat(m->state, MBOX_BACKUP, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
