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
 * folders and messages are read instead.  The head alone says how many messages
 * there are and what they amount to; the rest is read when it is needed.
 *
 * Format, in the byte order and layout of the machine: struct head, its count
 * of struct maildir_record in the order of the snapshot, the names.
 * doc/index-format.md
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
#define INDEX_MAGIC 0x3231786469646d70u /* also tells the byte order */
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
	struct maildir_totals totals; /* count is that of the records */
	uint64_t length; /* octets of names */
	uint64_t body; /* checksum of records and names */
	uint64_t checksum; /* of the head, this being 0 */
};

_Static_assert(sizeof(struct maildir_record) == 32, "no hidden octets");
_Static_assert(sizeof(struct head) == 104, "no hidden octets");

#define LANES 4

static uint64_t
mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
	return sum ^ sum >> 32;
}

/* Several sums at once, for each waits for its multiplication. */
uint64_t
maildir_checksum(uint64_t sum, const void *octets, size_t len)
{
	uint64_t lane[LANES] = { sum ^ len, sum + 1, sum + 2, sum + 3 };
	uint64_t word[LANES];
	const char *p = octets;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(word, p, sizeof(word));
		for (int i = 0; i < LANES; i++)
			lane[i] = mix(lane[i], word[i]);
	}
	memset(word, 0, sizeof(word));
	memcpy(word, p, len);
	for (int i = 0; i < LANES; i++)
		lane[0] = mix(lane[0], mix(lane[i], word[i]));
	return lane[0];
}

static uint64_t
checksum_head(struct head head)
{
	head.checksum = 0;
	return maildir_checksum(INDEX_MAGIC, &head, sizeof(head));
}

static uint64_t
checksum_body(const struct maildir_list *list)
{
	uint64_t sum = maildir_checksum(
	    INDEX_MAGIC, list->records, list->count * sizeof(*list->records));

	return maildir_checksum(sum, list->names, list->used);
}

/* May it be used without reaching beyond the names? */
static bool
is_sane(const struct maildir_list *list, const struct maildir_record *r)
{
	const char *name = list->names + r->name;

	if (r->name >= list->used || r->base >= list->used - r->name ||
	    r->base == 0 || (r->flags & ~MAILDIR_KEPT) != 0)
		return false;
	if (name[0] == '.' || (name[r->base] != ':' && name[r->base] != '\0'))
		return false;
	if (r->flags & MAILDIR_UNSIZED)
		return r->octets == 0 && r->stored == 0;
	return r->octets >= r->stored && r->octets - r->stored <= r->stored + 2;
}

static bool
are_sane(const struct maildir_list *list)
{
	if (list->used == 0)
		return list->count == 0;
	if (list->names[list->used - 1] != '\0' ||
	    memchr(list->names, '/', list->used) != NULL)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!is_sane(list, &list->records[i]))
			return false;
	return true;
}

static bool
same_totals(const struct maildir_totals *a, const struct maildir_totals *b)
{
	return a->count == b->count && a->unsized == b->unsized &&
	    a->octets == b->octets;
}

static bool
read_list(struct maildir_index *x)
{
	struct maildir_list *list = &x->list;
	size_t octets = x->totals.count * sizeof(*list->records);
	struct maildir_totals totals;
	struct iovec parts[2];
	ssize_t got;

	list->count = list->room = x->totals.count;
	list->used = list->size = x->length;
	list->records = malloc(octets + 1);
	list->names = malloc(x->length + 1);
	if (list->records == NULL || list->names == NULL)
		return false;
	parts[0] =
	    (struct iovec){ .iov_base = list->records, .iov_len = octets };
	parts[1] =
	    (struct iovec){ .iov_base = list->names, .iov_len = x->length };
	got = preadv(x->file, parts, 2, sizeof(struct head));
	if (got == -1 || (size_t)got != octets + x->length ||
	    checksum_body(list) != x->checksum || !are_sane(list))
		return false;
	maildir_add_up(list, &totals);
	return same_totals(&totals, &x->totals);
}

static void
close_file(struct maildir_index *x)
{
	if (x->file != -1)
		(void)close(x->file);
	x->file = -1;
}

int
maildir_index_read(struct maildir *m)
{
	struct maildir_index *x = &m->index;
	bool good = x->file != -1 && read_list(x);

	if (!good)
		maildir_list_free(&x->list);
	close_file(x);
	return good ? 0 : -1;
}

static bool
read_head(const struct maildir *m, int fd, struct head *head)
{
	struct stat st;
	uint64_t rest;

	if (read(fd, head, sizeof(*head)) != (ssize_t)sizeof(*head) ||
	    head->magic != INDEX_MAGIC || head->device != m->device ||
	    head->inode != m->inode || checksum_head(*head) != head->checksum ||
	    fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(*head) || st.st_size > INDEX_MAX)
		return false;
	rest = (uint64_t)st.st_size - sizeof(*head);
	return head->totals.count <= rest / sizeof(struct maildir_record) &&
	    head->totals.unsized <= head->totals.count &&
	    head->length ==
	    rest - head->totals.count * sizeof(struct maildir_record);
}

void
maildir_index_open(struct maildir *m)
{
	struct maildir_index *x = &m->index;
	struct head head;

	if (m->state == -1)
		return;
	x->file = openat(m->state, INDEX_FILE,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (x->file == -1)
		return;
	if (!read_head(m, x->file, &head)) {
		close_file(x);
		return;
	}
	for (size_t i = 0; i < MAILDIR_FOLDERS; i++) {
		x->changed[i].tv_sec = head.changed[2 * i];
		x->changed[i].tv_nsec = head.changed[2 * i + 1];
	}
	x->totals = head.totals;
	x->length = head.length;
	x->checksum = head.body;
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
			return (k->flags & MAILDIR_UNSIZED) == 0;
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
		if (!take(m, record, at)) {
			record->stored = record->octets = 0;
			record->flags |= MAILDIR_UNSIZED;
		}
	}
}

void
maildir_index_free(struct maildir *m)
{
	maildir_list_free(&m->index.list);
	close_file(&m->index);
	memset(&m->index, 0, sizeof(m->index));
	m->index.file = -1;
}

static bool
is_kept(const struct maildir_record *record)
{
	return (record->flags & (MAILDIR_REMOVED | MAILDIR_DROPPED)) == 0;
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
		if (!is_kept(record))
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
		if (!is_kept(&from->records[i]))
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
	maildir_add_up(&list, &head.totals);
	head.length = list.used;
	head.body = checksum_body(&list);
	head.checksum = checksum_head(head);
	result = write_file(m->state, &head, &list);
	(void)unlinkat(m->state, OLD_FILE, 0);
out:
	maildir_list_free(&list);
	return result;
}

int
maildir_index_write(struct maildir *m)
{
	struct popper_error error;

	/* Whoever takes names from the index takes the twins' numbers too. */
	if (maildir_number_twins(m, &error) == -1)
		return -1;
	if (save(m) == 0)
		return 0;
	m->host->log(POPPER_LOG_DEBUG, "maildir %s: the index is not kept: %s",
	    m->path, strerror(errno));
	return -1;
}

void
maildir_index_save(struct maildir *m)
{
	if (m->state == -1)
		return;
	if (m->stale_cache)
		(void)unlinkat(m->state, INDEX_FILE, 0);
	else if (m->listed && is_worth(m))
		(void)maildir_index_write(m);
}
