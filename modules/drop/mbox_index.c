/*
 * mbox_index.c - what a scan found, kept for the next session.
 *
 * Runs in: the session, as the user; works on "mbox.index" in the user's state
 * folder.
 *
 * The kernel gives a file another ctime whenever it is written to, and no
 * program can put the old one back.  So a file with the device, inode, size,
 * mtime and ctime of one that was scanned is that file with that content -
 * if so much time had passed between its ctime and the scan that a later write
 * cannot have fallen into the same tick of the clock ("settled").  Then
 * records and unique-ids are still true, and the mail need not be read to know
 * them.  Whoever holds a lock on the mbox has not written to it yet.
 *
 * Written whatever the size of the mbox: to scan the smallest one, with its
 * locks, was measured at 35 us on ext4, to write this file at 30 us and to use
 * it at 9 us, so the second login of an unchanged mbox has it back.
 *
 * Of the state file only the head is read at first (mbox_kept.c), which is all
 * that STAT needs; records and unique-ids once something asks for them.  The
 * file is only a spare: whatever is odd about it, it is ignored and the mbox is
 * scanned, also if that is found out late.
 *
 * The format is in doc/index-format.md.  If scan or unique-ids ever come out
 * differently, MBOX_INDEX_VERSION must be another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_index.h"
#include "mbox_xuidl.h"

#define INDEX_NEW "mbox.index.new"

struct mbox_head
mbox_index_head(const struct mbox *m)
{
	const struct stat *st = &m->seen;

	return (struct mbox_head){ .magic = MBOX_INDEX_MAGIC,
		.version = MBOX_INDEX_VERSION,
		.record_size = sizeof(struct mbox_record),
		.uid_size = sizeof(struct mbox_uid),
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = { st->st_mtim.tv_sec, st->st_mtim.tv_nsec },
		.ctime = { st->st_ctim.tv_sec, st->st_ctim.tv_nsec },
		.scheme = (uint32_t)m->scheme,
		.kludge = m->conf->uw_kludge };
}

bool
mbox_index_load(struct mbox *m)
{
	const struct mbox_head ours = mbox_index_head(m);
	struct mbox_kept *kept;

	if (!m->settled || (kept = mbox_kept_open(m)) == NULL)
		return false;
	if (memcmp(&kept->head, &ours, offsetof(struct mbox_head, count)) !=
	    0) {
		mbox_kept_close(kept);
		return false;
	}
	m->kept = kept;
	m->index.count = (size_t)kept->head.count;
	m->index.size = kept->head.size;
	m->index.mmdf = kept->head.mmdf != 0;
	m->internal = kept->head.internal != 0;
	return true;
}

/* The octets of all messages that are shown. */
static uint64_t
add_up(const struct mbox_index *index, size_t from)
{
	uint64_t octets = 0;
	size_t i;

	for (i = from; i < index->count; i++)
		octets += index->records[i].octets;
	return octets;
}

/* The records of the index are no good: find them in the mail, which has to
 * have what the head said, for that was told already. */
static int
scan_again(struct mbox *m, struct popper_error *e)
{
	const struct mbox_head *head = &m->kept->head;
	struct mbox_index now = { .size = head->size };
	bool held = m->lock.kernel; /* by an undelete */
	struct stat st;

	if (!held && mbox_lock(m, F_RDLCK, e) == -1)
		return -1;
	if (fstat(m->fd, &st) == 0 && mbox_is_untouched(m, &st) &&
	    mbox_scan(m, m->fd, MBOX_SCAN_WINDOW, &now) == 0 &&
	    now.count == head->count && now.mmdf == m->index.mmdf &&
	    (m->conf->uw_kludge && mbox_is_internal(m->fd, now.records)) ==
		m->internal &&
	    add_up(&now, m->internal) == head->octets) {
		if (!held)
			mbox_unlock(m);
		m->index = now;
		m->unsaved = true;
		return 0;
	}
	if (!held)
		mbox_unlock(m);
	mbox_index_free(&now);
	mbox_index_drop(m);
	return m->host->fail(e, POPPER_TEMPORARY,
	    "%s: the state file " MBOX_INDEX_FILE " of %s was wrong and is "
	    "removed; the next session makes a new one",
	    m->path, m->user);
}

int
mbox_records(struct mbox *m, struct popper_error *e)
{
	if (m->index.records != NULL || m->kept == NULL)
		return 0;
	m->index.records = mbox_kept_records(m->kept);
	if (m->index.records == NULL)
		return scan_again(m, e);
	m->index.room = m->index.count;
	return 0;
}

bool
mbox_kept_ids(struct mbox *m)
{
	if (m->kept == NULL)
		return false;
	free(m->texts.ptr);
	m->texts = (struct mbox_texts){ .ptr = NULL };
	m->uids = mbox_kept_uids(m->kept, &m->texts);
	return m->uids != NULL;
}

int
mbox_total(void *self, uint64_t *octets, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);

	(void)e;
	*octets = m->index.records == NULL && m->kept != NULL
	    ? m->kept->head.octets
	    : add_up(&m->index, m->internal);
	return 0;
}

static int
list_octets(
    struct mbox *m, struct popper_lister *lister, struct popper_error *e)
{
	size_t i;

	if (mbox_records(m, e) == -1)
		return -1;
	for (i = m->internal; i < m->index.count; i++)
		if (lister->put(lister, i - m->internal,
			m->index.records[i].octets, popper_slice("", 0)) != 0)
			break;
	return 0;
}

int
mbox_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	size_t i = 0, count = m->index.count - m->internal;
	char text[POPPER_UID_MAX + 1];

	if ((want & POPPER_WANT_OCTETS) != 0)
		return list_octets(m, lister, e);
	if (m->uids == NULL && m->kept != NULL &&
	    (m->buffer != NULL || (m->buffer = malloc(MBOX_BUFFER)) != NULL) &&
	    mbox_kept_list(m->kept, m->buffer, lister, &i))
		return 0;
	if (mbox_uids(m, e) == -1)
		return -1;
	for (; i < count; i++) {
		mbox_uid_text(m, &m->uids[i], text);
		if (lister->put(
			lister, i, 0, popper_slice(text, strlen(text))) != 0)
			break;
	}
	return 0;
}

/* --- Writing it. --- */

/* As many unique-ids from ${i} on as go into one part, which is made in
 * ${part}; returns its octets.  ${ids}: the sum of all of them. */
static size_t
make_part(
    const struct mbox *m, uint64_t ids, size_t *i, char part[MBOX_LIST_SIZE])
{
	size_t first = *i, count = m->index.count - m->internal, len = 0, k;
	struct mbox_list head = { .sum = 0 };
	char text[POPPER_UID_MAX + 1], *p;

	/* The lengths come first, so they are gathered first. */
	for (; *i < count; (*i)++) {
		mbox_uid_text(m, &m->uids[*i], text);
		k = strlen(text);
		if (sizeof(head) + (*i - first) + 1 + len + k > MBOX_LIST_SIZE)
			break;
		part[sizeof(head) + (*i - first)] = (char)k;
		len += k;
	}
	head.count = (uint32_t)(*i - first);
	head.len = (uint32_t)len;
	p = part + sizeof(head) + head.count;
	for (k = first; k < *i; k++) {
		mbox_uid_text(m, &m->uids[k], text);
		memcpy(p, text, strlen(text));
		p += strlen(text);
	}
	memcpy(part, &head, sizeof(head));
	head.sum = mbox_index_sum(ids ^ first, part + sizeof(head.sum),
	    sizeof(head) - sizeof(head.sum) + head.count + len);
	memcpy(part, &head, sizeof(head));
	return sizeof(head) + head.count + len;
}

/* Write the lists and count their octets. */
static int
write_lists(const struct mbox *m, int fd, struct mbox_head *head)
{
	uint64_t at = mbox_section_at(head, MBOX_SECTIONS), *len = &head->lists;
	size_t i = 0, count = m->index.count - m->internal, n;
	size_t room = sizeof(struct mbox_list) + count * (1 + POPPER_UID_MAX);
	char *part;

	*len = 0;
	if (m->uids == NULL)
		return 0;
	part = malloc(room < MBOX_LIST_SIZE ? room : MBOX_LIST_SIZE);
	if (part == NULL)
		return -1;
	while (i < count) {
		n = make_part(m, head->sums[MBOX_UIDS], &i, part);
		if (i < count && n < MBOX_LIST_SIZE) {
			memset(part + n, 0, MBOX_LIST_SIZE - n);
			n = MBOX_LIST_SIZE;
		}
		if (mbox_write_at(fd, part, n, at + *len) == -1)
			break;
		*len += n;
	}
	free(part);
	return i < count ? -1 : 0;
}

/* The head comes last, since the lists are counted as they are written. */
static int
write_all(const struct mbox *m, int fd, struct mbox_head *head)
{
	const void *parts[] = { m->index.records, m->uids, m->texts.ptr };
	size_t len;
	int i;

	for (i = 0; i < MBOX_SECTIONS; i++) {
		len = (size_t)mbox_section_len(head, (enum mbox_section)i);
		head->sums[i] = mbox_index_sum((uint64_t)i, parts[i], len);
		if (mbox_write_at(fd, parts[i], len,
			mbox_section_at(head, (enum mbox_section)i)) == -1)
			return -1;
	}
	if (write_lists(m, fd, head) == -1)
		return -1;
	head->sum = mbox_head_sum_of(head);
	return mbox_write_at(fd, head, sizeof(*head), 0);
}

/* No fsync: after a crash a torn file is known by its sums. */
static int
write_file(const struct mbox *m, struct mbox_head *head)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, failed;

	fd = openat(m->state, INDEX_NEW, flags, 0600);
	if (fd == -1 && errno == EEXIST &&
	    unlinkat(m->state, INDEX_NEW, 0) == 0)
		fd = openat(m->state, INDEX_NEW, flags, 0600);
	if (fd == -1)
		return -1;
	failed = write_all(m, fd, head);
	if (close(fd) == 0 && failed == 0 &&
	    renameat(m->state, INDEX_NEW, m->state, MBOX_INDEX_FILE) == 0)
		return 0;
	(void)unlinkat(m->state, INDEX_NEW, 0);
	return -1;
}

void
mbox_index_write(const struct mbox *m, struct mbox_head *head)
{
	head->count = m->index.count;
	head->octets = add_up(&m->index, m->internal);
	head->internal = m->internal;
	head->with_uids = m->uids != NULL;
	head->mmdf = m->index.mmdf;
	head->texts = m->uids == NULL ? 0 : m->texts.len;
	if (write_file(m, head) == -1)
		m->host->log(POPPER_LOG_DEBUG,
		    "%s: the index is not kept (errno %d)", m->path, errno);
}

void
mbox_index_save(struct mbox *m)
{
	struct mbox_head head = mbox_index_head(m);
	struct popper_error ignored;
	struct stat st;

	if (!m->unsaved || m->index.records == NULL)
		return;
	mbox_journal_reserve(m);
	/* One that is of no use any more does no harm. */
	if (m->remote ? !m->settled
		      : fstat(m->fd, &st) == -1 || !mbox_is_untouched(m, &st))
		return;
	/* Unique-ids that only the old file has: they must not get lost with
	 * it, for they are dear. */
	if (m->uids == NULL && !mbox_kept_ids(m) && m->older != NULL &&
	    m->older->head.with_uids != 0)
		(void)mbox_uids(m, &ignored);
	mbox_index_write(m, &head);
}

void
mbox_index_drop(struct mbox *m)
{
	m->unsaved = false;
	(void)unlinkat(m->state, MBOX_INDEX_FILE, 0);
}
