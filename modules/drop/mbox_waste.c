/*
 * mbox_waste.c - which messages of the mbox are gone, written down.
 *
 * Runs in: the session, as the user; works on "waste" in the user's state
 * folder.
 *
 * The file is written whole, synced and renamed into place: that is the commit
 * point of a lazy QUIT.  The mbox is not touched.
 *
 * It names messages by number, which is true as long as the mbox is the very
 * file that it was (its ctime tells, as for mbox.index).  If it is not, since
 * mail came or a mail program wrote to it, messages are found by what they are
 * (mbox_waste_match.c).
 *
 * The format is that of the machine: struct head, then struct mbox_wasted for
 * each that is gone, by number, then for the anchors, the last one first.
 * Whatever is odd about it, it is ignored, and deleted messages are there
 * again: the log says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mbox_index.h"
#include "mbox_waste.h"

#define MAGIC 0x657473617778626du /* also tells the byte order */
#define VERSION 3

struct head {
	uint64_t magic;
	uint32_t version, entry_size;
	uint64_t messages; /* in the mbox, without an internal one */
	uint64_t count, anchors; /* that are gone; that are not */
	uint64_t device, inode, size; /* of the mbox */
	int64_t mtime[2], ctime[2]; /* seconds, nanoseconds */
	int64_t since; /* the first of them is gone, Unix time */
	uint32_t proven, zero;
	uint64_t sum; /* of all else */
};

_Static_assert(sizeof(struct head) == 120, "no holes on the disk");
_Static_assert(sizeof(struct mbox_wasted) == 48, "no holes on the disk");

static struct head
make_head(const struct mbox *m)
{
	const struct stat *st = &m->seen;

	return (struct head){ .magic = MAGIC,
		.version = VERSION,
		.entry_size = sizeof(struct mbox_wasted),
		.messages = m->index.count - m->internal,
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = { st->st_mtim.tv_sec, st->st_mtim.tv_nsec },
		.ctime = { st->st_ctim.tv_sec, st->st_ctim.tv_nsec } };
}

static size_t
list_size(const struct head *head)
{
	return (size_t)(head->count + head->anchors) *
	    sizeof(struct mbox_wasted);
}

static uint64_t
sum_of(const struct head *head, const struct mbox_wasted *list)
{
	uint64_t sum;

	sum = mbox_index_sum(MAGIC, head, offsetof(struct head, sum));
	return mbox_index_sum(sum, list, list_size(head));
}

void
mbox_waste_free(struct mbox *m)
{
	if (m->waste == NULL)
		return;
	free(m->waste->gone);
	free(m->waste->shown);
	free(m->waste);
	m->waste = NULL;
}

void
mbox_waste_drop(const struct mbox *m)
{
	if (unlinkat(m->state, MBOX_WASTE, 0) == -1 && errno != ENOENT)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot remove the state file " MBOX_WASTE
		    " of %s (errno %d)",
		    m->path, m->user, errno);
}

/* --- Reading --- */

/* Read the whole file.  1; 0: there is none, or it is damaged; or -1 with
 * errno. */
static int
read_file(const struct mbox *m, struct head *head, struct mbox_wasted **list)
{
	struct stat st;
	size_t len = 0;
	int fd, is = -1, cause;

	*list = NULL;
	fd = openat(m->state, MBOX_WASTE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == -1 ||
	    mbox_read_at(fd, head, sizeof(*head), 0) == -1)
		goto out;
	is = 0;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_size < (off_t)sizeof(*head) || head->magic != MAGIC ||
	    head->version != VERSION ||
	    head->entry_size != sizeof(struct mbox_wasted) ||
	    head->count > UINT32_MAX || head->anchors > MBOX_ANCHORS)
		goto out;
	len = list_size(head);
	if ((uint64_t)st.st_size != sizeof(*head) + len)
		goto out;
	*list = malloc(len + 1);
	if (*list == NULL || mbox_read_at(fd, *list, len, sizeof(*head)) == -1)
		is = -1;
	else
		is = sum_of(head, *list) == head->sum;
out:
	cause = errno;
	(void)close(fd);
	if (is == 0)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: the state file " MBOX_WASTE " of %s is damaged and "
		    "ignored; deleted messages are there again",
		    m->path, m->user);
	errno = cause;
	return is;
}

/* Is the mbox the very file that this was written about? */
static bool
is_proven(const struct mbox *m, const struct head *head)
{
	const struct head ours = make_head(m);

	return m->settled && head->proven == 1 &&
	    head->messages == ours.messages &&
	    memcmp(&head->device, &ours.device,
		offsetof(struct head, since) - offsetof(struct head, device)) ==
	    0;
}

/* By number.  False: they are no numbers of messages. */
static bool
take_numbers(const struct head *head, const struct mbox_wasted *list,
    struct mbox_waste *w)
{
	uint64_t i;

	for (i = 0; i < head->count; i++) {
		if (list[i].number >= w->messages || w->gone[list[i].number])
			return false;
		w->gone[list[i].number] = POPPER_MARK_DELETED;
		w->octets += list[i].octets;
	}
	w->count = (size_t)head->count;
	return true;
}

/* Not all of them are there for certain: what is shown from now on is not gone
 * any more, so it is taken out of the note.  If that fails it is tried at the
 * next login. */
static void
forget_others(struct mbox *m, const struct mbox_waste *w, uint64_t count)
{
	m->host->log(POPPER_LOG_NOTICE,
	    "%s: changed by another program: %zu of %llu messages that %s "
	    "deleted are still there for certain; others, if they are there, "
	    "are shown again",
	    m->path, w->count, (unsigned long long)count, m->user);
	if (w->count > 0)
		(void)mbox_waste_write(m, w->gone, false);
}

/* By what they are. */
static int
take_matches(struct mbox *m, const struct head *head, struct mbox_wasted *list,
    struct mbox_waste *w, struct popper_error *e)
{
	long found;
	size_t i;

	if (mbox_records(m, e) == -1)
		return -1;
	found = mbox_waste_match(
	    m, list, (size_t)head->count, (size_t)head->anchors, w->gone);
	if (found == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot find what %s deleted", m->path, m->user);
	if (mbox_still(m, e) == -1)
		return -1;
	for (i = 0; i < w->messages; i++)
		if (w->gone[i])
			w->octets += m->index.records[i + m->internal].octets;
	w->count = (size_t)found;
	if (w->count < head->count)
		forget_others(m, w, head->count);
	return 0;
}

/* The numbers of those that are shown. */
static int
list_shown(struct mbox_waste *w)
{
	size_t i, n = 0;

	w->shown = calloc(w->messages - w->count + 1, sizeof(*w->shown));
	if (w->shown == NULL)
		return -1;
	for (i = 0; i < w->messages; i++)
		if (!w->gone[i])
			w->shown[n++] = (uint32_t)i;
	return 0;
}

static int
take(struct mbox *m, const struct head *head, struct mbox_wasted *list,
    struct popper_error *e)
{
	struct mbox_waste *w = calloc(1, sizeof(*w));

	if (w == NULL)
		goto no_memory;
	m->waste = w;
	w->messages = m->index.count - m->internal;
	w->since = head->since;
	if ((w->gone = calloc(w->messages + 1, 1)) == NULL)
		goto no_memory;
	if (!is_proven(m, head) || !take_numbers(head, list, w)) {
		memset(w->gone, 0, w->messages);
		w->octets = 0;
		if (take_matches(m, head, list, w, e) == -1)
			return -1;
	}
	if (w->count == 0) {
		mbox_waste_free(m);
		mbox_waste_drop(m);
		return 0;
	}
	if (list_shown(w) == 0)
		return 0;
no_memory:
	return m->host->fail(e, POPPER_TEMPORARY, "out of memory");
}

int
mbox_waste_load(struct mbox *m, struct popper_error *e)
{
	struct mbox_wasted *list;
	struct head head;
	int is = read_file(m, &head, &list);

	if (is == -1)
		m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot read the state file " MBOX_WASTE " of %s",
		    m->path, m->user);
	else if (is == 1)
		is = take(m, &head, list, e);
	free(list);
	return is == -1 ? -1 : 0;
}

/* --- Writing --- */

/* 0, or -1 with errno: then the old file is as it was. */
static int
write_new(const struct mbox *m, const struct head *head,
    const struct mbox_wasted *list)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	size_t len = list_size(head);
	int fd, cause;

	(void)unlinkat(m->state, MBOX_WASTE_NEW, 0);
	fd = openat(m->state, MBOX_WASTE_NEW, flags, 0600);
	if (fd == -1)
		return -1;
	if (mbox_write_at(fd, head, sizeof(*head), 0) == 0 &&
	    mbox_write_at(fd, list, len, sizeof(*head)) == 0 &&
	    fsync(fd) == 0) {
		if (close(fd) == 0 &&
		    renameat(m->state, MBOX_WASTE_NEW, m->state, MBOX_WASTE) ==
			0)
			return 0;
		fd = -1;
	}
	cause = errno;
	if (fd != -1)
		(void)close(fd);
	(void)unlinkat(m->state, MBOX_WASTE_NEW, 0);
	errno = cause;
	return -1;
}

enum popper_outcome
mbox_waste_write(struct mbox *m, const unsigned char *gone, bool proven)
{
	struct head head = make_head(m);
	struct mbox_wasted *list =
	    mbox_waste_list(m, gone, &head.count, &head.anchors);
	struct timespec now;
	int failed;

	if (list == NULL)
		return POPPER_NOT_DONE;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	head.since = m->waste != NULL ? m->waste->since : now.tv_sec;
	head.proven = proven;
	head.sum = sum_of(&head, list);
	failed = write_new(m, &head, list);
	free(list);
	if (failed == -1)
		return POPPER_NOT_DONE;
	return fsync(m->state) == 0 ? POPPER_DONE : POPPER_UNKNOWN;
}
