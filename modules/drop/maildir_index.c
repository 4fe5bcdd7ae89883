/*
 * maildir_index.c - remember the messages between sessions: names and sizes.
 *
 * Runs in: popper-session, as the user; works on "maildir.index" in the user's
 * state folder.
 *
 * Whatever happens in a folder gives it another ctime, which nobody can set.
 * So a folder with the ctime of the index holds what the index says and is not
 * read at all; but only if the ctime was old enough when the folder was read,
 * that no change after it can have fallen into the same tick of the clock.
 *
 * A file of a Maildir does not change once it was delivered, so a size stays
 * true for the same base and inode, also when the folder has changed.
 *
 * The file is only a spare: whatever is odd about it, it is ignored, and the
 * folders and messages are read instead.
 *
 * Format, in the byte order and layout of the machine: struct head, its count
 * of struct maildir_record in the order of the snapshot, the names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "maildir.h"
#include "settled.h"

#define INDEX_FILE "maildir.index"
#define INDEX_NEW "maildir.index.new"
#define OLD_FILE "maildir.sizes" /* what there was before */
#define INDEX_MAGIC 0x3031786469646d70u /* also tells the byte order */
#define INDEX_MAX ((off_t)1 << 31)

/*
 * When writing pays.  Measured on ext4: to read a short message costs 4 us, to
 * list one 1 us, to write the index 130 us and 0.3 us for each message in it.
 * So it pays if a tenth of what it costs is spared each time, and for a folder
 * that has come to rest if it is not a small one.
 */
#define WORTH_LEAST 4
#define WORTH_SHARE 128
#define WORTH_OCTETS 32768 /* of a long message cost like a short one */
#define WORTH_NAMES 100

struct head {
	uint64_t magic;
	uint64_t device, inode; /* of the Maildir */
	int64_t changed[2 * MAILDIR_FOLDERS]; /* ctimes: seconds, ns; or 0 */
	uint64_t count; /* records */
	uint64_t length; /* octets of names */
	uint64_t checksum; /* of all, this being 0 */
};

_Static_assert(sizeof(struct maildir_record) == 32, "no hidden octets");

/* Finds torn and damaged files; it need not withstand an attacker. */
static uint64_t
checksum(uint64_t sum, const void *octets, size_t len)
{
	const char *p = octets;
	uint64_t word;

	sum ^= len;
	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
	}
	for (word = 0; len > 0; len--)
		word = word << 8 | (unsigned char)*p++;
	sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
	return sum ^ sum >> 32;
}

static uint64_t
checksum_all(struct head head, const struct maildir_list *list)
{
	uint64_t sum;

	head.checksum = 0;
	sum = checksum(INDEX_MAGIC, &head, sizeof(head));
	sum = checksum(sum, list->records, head.count * sizeof(*list->records));
	return checksum(sum, list->names, head.length);
}

static bool
is_sane(const struct maildir_list *list, const struct maildir_record *r)
{
	const char *name = list->names + r->name;
	size_t len;

	if (r->name >= list->used || (r->flags & ~MAILDIR_KEPT) != 0)
		return false;
	len = strlen(name); /* there is a NUL at the very end */
	return len > 0 && name[0] != '.' && memchr(name, '/', len) == NULL &&
	    r->base <= len && (name[r->base] == ':' || r->base == len) &&
	    r->octets >= r->stored && r->octets - r->stored <= r->stored + 2;
}

static bool
are_sane(const struct maildir_list *list)
{
	if (list->used == 0 || list->names[list->used - 1] != '\0')
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!is_sane(list, &list->records[i]))
			return false;
	return true;
}

/* Read and check what follows the head. */
static bool
read_list(int fd, const struct head *head, struct maildir_list *list)
{
	size_t octets = head->count * sizeof(*list->records);
	struct iovec parts[2];
	ssize_t got;

	list->count = list->room = head->count;
	list->used = list->size = head->length;
	list->records = malloc(octets);
	list->names = malloc(head->length);
	if (list->records == NULL || list->names == NULL)
		return false;
	parts[0] =
	    (struct iovec){ .iov_base = list->records, .iov_len = octets };
	parts[1] =
	    (struct iovec){ .iov_base = list->names, .iov_len = head->length };
	got = readv(fd, parts, 2);
	return got != -1 && (size_t)got == octets + head->length &&
	    checksum_all(*head, list) == head->checksum && are_sane(list);
}

static bool
read_head(const struct maildir *m, int fd, struct head *head)
{
	struct stat st;
	uint64_t rest;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(*head) || st.st_size > INDEX_MAX ||
	    read(fd, head, sizeof(*head)) != (ssize_t)sizeof(*head))
		return false;
	rest = (uint64_t)st.st_size - sizeof(*head);
	return head->magic == INDEX_MAGIC && head->device == m->device &&
	    head->inode == m->inode &&
	    head->count <= rest / sizeof(struct maildir_record) &&
	    head->length == rest - head->count * sizeof(struct maildir_record);
}

void
maildir_index_load(struct maildir *m)
{
	struct maildir_index *x = &m->index;
	struct head head;
	int fd = -1;

	if (m->state != -1)
		fd = openat(m->state, INDEX_FILE,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return;
	if (!read_head(m, fd, &head) || !read_list(fd, &head, &x->list))
		maildir_list_free(&x->list);
	else
		for (size_t i = 0; i < MAILDIR_FOLDERS; i++) {
			x->changed[i].tv_sec = head.changed[2 * i];
			x->changed[i].tv_nsec = head.changed[2 * i + 1];
		}
	(void)close(fd);
}

bool
maildir_index_knows(
    const struct maildir *m, enum maildir_folder folder, const struct stat *st)
{
	const struct timespec *t = &m->index.changed[folder];

	return t->tv_sec != 0 && t->tv_sec == st->st_ctim.tv_sec &&
	    t->tv_nsec == st->st_ctim.tv_nsec;
}

struct timespec
maildir_index_time(int fd, const struct stat *st)
{
	if (is_settled(fd, st))
		return st->st_ctim;
	return (struct timespec){ .tv_sec = 0 };
}

/* Look at the entries of ${record}'s base, the first of which is ${i}. */
static bool
take(struct maildir *m, struct maildir_record *record, size_t i)
{
	struct popper_slice base = maildir_base(&m->list, record);
	const struct maildir_list *known = &m->index.list;

	for (; i < known->count; i++) {
		const struct maildir_record *k = &known->records[i];

		if (maildir_compare_octets(maildir_base(known, k), base) != 0)
			return false;
		if (k->inode == record->inode) {
			record->stored = k->stored;
			record->octets = k->octets;
			return true;
		}
	}
	return false;
}

/* Both are in the same order: go through them side by side. */
void
maildir_index_sizes(struct maildir *m)
{
	const struct maildir_list *known = &m->index.list;
	struct maildir_record *record;
	size_t at = 0;

	for (size_t i = 0; i < m->list.count; i++) {
		record = &m->list.records[i];
		while (at < known->count &&
		    maildir_compare_base(
			maildir_base(known, &known->records[at]),
			maildir_base(&m->list, record)) < 0)
			at++;
		if (!take(m, record, at))
			record->flags |= MAILDIR_MEASURED;
	}
}

void
maildir_index_free(struct maildir *m)
{
	maildir_list_free(&m->index.list);
	memset(&m->index, 0, sizeof(m->index));
}

/* Are there enough new sizes of messages that will still be there, or names
 * that stay? */
static bool
is_worth(const struct maildir *m)
{
	const struct maildir_record *record;
	uint64_t work = 0;
	size_t left = 0;

	for (size_t i = 0; i < m->list.count; i++) {
		record = &m->list.records[i];
		if (record->flags & MAILDIR_REMOVED)
			continue;
		left++;
		if (record->flags & MAILDIR_MEASURED)
			work += 1 + record->stored / WORTH_OCTETS;
	}
	if (!m->indexed && left == m->list.count && left >= WORTH_NAMES &&
	    m->changed[MAILDIR_CUR].tv_sec != 0)
		return true;
	return work >= WORTH_LEAST + left / WORTH_SHARE;
}

/* The records that stay, with the names that they have. */
static int
copy_list(const struct maildir_list *from, struct maildir_list *to)
{
	struct maildir_record *record;
	size_t len;

	to->records = malloc(from->count * sizeof(*to->records) + 1);
	to->names = malloc(from->used + 1);
	if (to->records == NULL || to->names == NULL)
		return -1;
	for (size_t i = 0; i < from->count; i++) {
		if (from->records[i].flags & MAILDIR_REMOVED)
			continue;
		record = &to->records[to->count++];
		*record = from->records[i];
		record->flags &= MAILDIR_KEPT;
		record->name = (uint32_t)to->used;
		len = strlen(maildir_name(from, &from->records[i])) + 1;
		memcpy(to->names + to->used,
		    maildir_name(from, &from->records[i]), len);
		to->used += len;
	}
	return 0;
}

/* No fsync: after a crash a torn file is known by its checksum. */
static int
write_file(int state, const struct head *head, const struct maildir_list *list)
{
	struct head copy = *head;
	size_t records = list->count * sizeof(*list->records);
	struct iovec parts[] = {
		{ .iov_base = &copy, .iov_len = sizeof(copy) },
		{ .iov_base = list->records, .iov_len = records },
		{ .iov_base = list->names, .iov_len = list->used },
	};
	ssize_t put;
	int fd;

	fd = openat(state, INDEX_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	put = writev(fd, parts, 3);
	if (close(fd) == 0 && put != -1 &&
	    (size_t)put == sizeof(copy) + records + list->used &&
	    renameat(state, INDEX_NEW, state, INDEX_FILE) == 0)
		return 0;
	(void)unlinkat(state, INDEX_NEW, 0);
	return -1;
}

static int
save(const struct maildir *m)
{
	struct head head = {
		.magic = INDEX_MAGIC, .device = m->device, .inode = m->inode
	};
	struct maildir_list list = { .count = 0 };
	int result = -1;

	if (copy_list(&m->list, &list) == -1)
		goto out;
	for (size_t i = 0; i < MAILDIR_FOLDERS; i++) {
		head.changed[2 * i] = m->changed[i].tv_sec;
		head.changed[2 * i + 1] = m->changed[i].tv_nsec;
	}
	head.count = list.count;
	head.length = list.used;
	head.checksum = checksum_all(head, &list);
	result = write_file(m->state, &head, &list);
	(void)unlinkat(m->state, OLD_FILE, 0);
out:
	maildir_list_free(&list);
	return result;
}

void
maildir_index_save(struct maildir *m)
{
	struct popper_error error;

	if (m->state == -1)
		return;
	if (m->stale_cache) {
		(void)unlinkat(m->state, INDEX_FILE, 0);
		return;
	}
	/* Whoever takes names from the index takes the twins' numbers too. */
	if (!is_worth(m) || maildir_number_twins(m, &error) == -1)
		return;
	if (save(m) == -1)
		m->host->log(POPPER_LOG_DEBUG,
		    "maildir %s: the index is not kept: %s", m->path,
		    strerror(errno));
}
