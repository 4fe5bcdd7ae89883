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
 * The state file is only a spare: whatever is odd about it, it is ignored and
 * the mbox is scanned.  It may come from anybody who can write to the state
 * folder, so what could make this process read or write amiss is checked as
 * well, whatever the checksum says.
 *
 * Format, in the byte order of the machine and as in memory: struct head, the
 * records, and the unique-ids of the messages if they had been computed, with
 * those texts that are not made of a hash, filled up with NUL.  If scan or
 * unique-ids ever come out differently, VERSION must be another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mbox_xuidl.h"

#define INDEX_FILE "mbox.index"
#define INDEX_NEW "mbox.index.new"
#define MAGIC 0x31786469786f626du /* also tells the byte order */
#define VERSION 3
#define SIZE_MAX_FILE ((off_t)1 << 32) /* octets */

struct head {
	uint64_t magic;
	uint32_t version;
	uint16_t record_size, uid_size;
	uint64_t device, inode, size; /* of the mbox */
	int64_t mtime[2], ctime[2]; /* seconds, nanoseconds */
	uint32_t scheme, kludge; /* options that change what is found */
	uint64_t count; /* of records */
	uint32_t internal, with_uids; /* 0 or 1 */
	uint32_t mmdf, texts; /* 0 or 1; octets */
	uint64_t checksum; /* of all else */
};

_Static_assert(sizeof(struct head) == 112, "no holes on the disk");
_Static_assert(sizeof(struct mbox_record) == 32, "no holes on the disk");
_Static_assert(sizeof(struct mbox_uid) % 8 == 0, "see checksum");

/* Finds torn and damaged files; it need not withstand an attacker.  ${len} is
 * a multiple of 8. */
static uint64_t
checksum(uint64_t sum, const void *content, size_t len)
{
	const char *p = content;
	uint64_t word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
	}
	return sum;
}

static size_t
records_len(const struct head *head)
{
	return (size_t)head->count * sizeof(struct mbox_record);
}

static size_t
uids_len(const struct head *head)
{
	if (head->with_uids == 0)
		return 0;
	return (size_t)(head->count - head->internal) * sizeof(struct mbox_uid);
}

static uint64_t
sum_of(const struct head *head, const struct mbox_record *records,
    const struct mbox_uid *uids, const char *texts)
{
	uint64_t sum;

	sum = checksum(MAGIC, head, offsetof(struct head, checksum));
	sum = checksum(sum, records, records_len(head));
	sum = checksum(sum, uids, uids_len(head));
	return checksum(sum, texts, head->texts);
}

/* The head of a state file about the mbox as it was scanned. */
static struct head
make_head(const struct mbox *m)
{
	const struct stat *st = &m->seen;

	return (struct head){ .magic = MAGIC,
		.version = VERSION,
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

/* Is ${head}, of a state file of ${len} octets, about this very mbox? */
static bool
is_about(const struct mbox *m, const struct head *head, size_t len)
{
	const struct head ours = make_head(m);

	return memcmp(head, &ours, offsetof(struct head, count)) == 0 &&
	    head->internal <= 1 && head->with_uids <= 1 && head->mmdf <= 1 &&
	    head->count > 0 &&
	    head->count <= len / sizeof(struct mbox_record) &&
	    head->texts % 8 == 0 && head->texts <= len &&
	    len ==
	    sizeof(*head) + records_len(head) + uids_len(head) + head->texts;
}

/* Could a scan of ${size} octets have found these? */
static bool
are_sane(const struct mbox_record *r, const struct head *head)
{
	uint64_t at = 0, size = head->size, len, i;

	for (i = 0; i < head->count; i++, r++) {
		if (r->offset < at ||
		    (i == 0 && r->offset != 0 && head->mmdf == 0) ||
		    r->end > size || r->offset > r->end || r->from_len == 0 ||
		    r->from_len > MBOX_FROM_MAX ||
		    r->from_len > r->end - r->offset)
			return false;
		len = r->end - r->offset - r->from_len;
		if (r->octets < len || r->octets - len > len + 2)
			return false;
		at = r->end;
	}
	return true;
}

/* Are these texts that a client may get? */
static bool
are_texts(const char *texts, size_t len)
{
	size_t i, run = 0;

	for (i = 0; i < len; i++) {
		run = texts[i] == '\0' ? 0 : run + 1;
		if (run > POPPER_UID_MAX ||
		    (run > 0 && (texts[i] < 0x21 || texts[i] > 0x7e)))
			return false;
	}
	return run == 0;
}

/* Do all ids that are texts lie among them? */
static bool
are_found(const struct mbox_uid *uids, const struct head *head)
{
	size_t i, count = uids_len(head) / sizeof(*uids);

	for (i = 0; i < count; i++)
		if (uids[i].text != 0 && uids[i].text >= head->texts)
			return false;
	return true;
}

static bool
read_all(int fd, void *buf, size_t len)
{
	return read(fd, buf, len) == (ssize_t)len;
}

/* Read ${len} octets into allocated memory; none need none. */
static bool
read_part(int fd, void *part, size_t len)
{
	void *octets;

	if (len == 0)
		return true;
	if ((octets = malloc(len)) == NULL)
		return false;
	memcpy(part, &octets, sizeof(octets)); /* the caller frees it */
	return read_all(fd, octets, len);
}

/* Behind the ${head}, which was read and found good. */
static bool
read_rest(struct mbox *m, int fd, const struct head *head)
{
	struct mbox_record *records = NULL;
	struct mbox_uid *uids = NULL;
	char *texts = NULL;

	if (!read_part(fd, &records, records_len(head)) ||
	    !read_part(fd, &uids, uids_len(head)) ||
	    !read_part(fd, &texts, head->texts))
		goto fail;
	if (sum_of(head, records, uids, texts) != head->checksum ||
	    !are_sane(records, head) || !are_found(uids, head) ||
	    !are_texts(texts, head->texts))
		goto fail;
	m->index.records = records;
	m->index.count = m->index.room = (size_t)head->count;
	m->index.size = head->size;
	m->index.mmdf = head->mmdf != 0;
	m->internal = head->internal != 0;
	m->uids = uids;
	m->texts = (struct mbox_texts){ texts, head->texts, head->texts };
	return true;
fail:
	free(records);
	free(uids);
	free(texts);
	return false;
}

bool
mbox_index_load(struct mbox *m)
{
	struct head head;
	bool loaded;
	struct stat st;
	int fd;

	if (!m->settled)
		return false;
	fd = openat(m->state, INDEX_FILE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return false;
	loaded = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && st.st_size <= SIZE_MAX_FILE &&
	    read_all(fd, &head, sizeof(head)) &&
	    is_about(m, &head, (size_t)st.st_size) && read_rest(m, fd, &head);
	(void)close(fd);
	return loaded;
}

/* No fsync: after a crash a torn file is known by its checksum. */
static int
write_file(const struct mbox *m, const struct iovec parts[4])
{
	size_t len = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len +
	    parts[3].iov_len;
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	ssize_t put;
	int fd;

	fd = openat(m->state, INDEX_NEW, flags, 0600);
	if (fd == -1 && errno == EEXIST &&
	    unlinkat(m->state, INDEX_NEW, 0) == 0)
		fd = openat(m->state, INDEX_NEW, flags, 0600);
	if (fd == -1)
		return -1;
	put = writev(fd, parts, 4);
	if (close(fd) == 0 && put != -1 && (size_t)put == len &&
	    renameat(m->state, INDEX_NEW, m->state, INDEX_FILE) == 0)
		return 0;
	(void)unlinkat(m->state, INDEX_NEW, 0);
	return -1;
}

void
mbox_index_save(struct mbox *m)
{
	struct head head = make_head(m);
	struct iovec parts[4];
	struct stat st;

	if (!m->unsaved || m->index.count == 0 || fstat(m->fd, &st) == -1 ||
	    !mbox_is_untouched(m, &st) || mbox_texts_fill(&m->texts) == -1)
		return;
	head.count = m->index.count;
	head.internal = m->internal;
	head.with_uids = m->uids != NULL;
	head.mmdf = m->index.mmdf;
	head.texts = m->uids == NULL ? 0 : (uint32_t)m->texts.len;
	head.checksum = sum_of(&head, m->index.records, m->uids, m->texts.ptr);
	parts[0] = (struct iovec){ &head, sizeof(head) };
	parts[1] = (struct iovec){ m->index.records, records_len(&head) };
	parts[2] = (struct iovec){ m->uids, uids_len(&head) };
	parts[3] = (struct iovec){ m->texts.ptr, head.texts };
	if (write_file(m, parts) == -1)
		m->host->log(POPPER_LOG_DEBUG,
		    "%s: the index is not kept (errno %d)", m->path, errno);
}

void
mbox_index_drop(struct mbox *m)
{
	m->unsaved = false;
	(void)unlinkat(m->state, INDEX_FILE, 0);
}
