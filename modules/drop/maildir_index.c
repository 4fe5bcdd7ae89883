/*
 * maildir_index.c - what an earlier session kept: names, sizes, unique-ids.
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
 * maildir_keep.c writes it.
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

#include "maildir_index.h"
#include "settled.h"
#include "uid_parts.h"

#define INDEX_MAX ((off_t)1 << 31)
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

uint64_t
maildir_head_sum(struct maildir_head head)
{
	head.checksum = 0;
	return maildir_checksum(MAILDIR_INDEX_MAGIC, &head, sizeof(head));
}

uint64_t
maildir_body_sum(const struct maildir_list *list)
{
	uint64_t sum = maildir_checksum(MAILDIR_INDEX_MAGIC, list->records,
	    list->count * sizeof(*list->records));

	return maildir_checksum(sum, list->names, list->used);
}

/* May it be used without reaching beyond the names, the last of which ends with
 * a NUL?  Adds to ${octets} those of its name. */
static bool
is_sane(const struct maildir_list *list, const struct maildir_record *r,
    uint64_t *octets)
{
	const char *name = list->names + r->name;
	size_t len;

	if (r->name >= list->used || r->base == 0 ||
	    (r->flags & ~MAILDIR_KEPT) != 0 || (len = strlen(name)) < r->base)
		return false;
	*octets += len + 1;
	if (name[0] == '.' || (name[r->base] != ':' && name[r->base] != '\0'))
		return false;
	if (r->flags & MAILDIR_UNSIZED)
		return r->octets == 0 && r->stored == 0;
	return r->octets >= r->stored && r->octets - r->stored <= r->stored + 2;
}

/* What copies the names counts on it that no two of them share octets. */
static bool
are_sane(const struct maildir_list *list)
{
	uint64_t octets = 0;

	if (list->used == 0)
		return list->count == 0;
	if (list->names[list->used - 1] != '\0' ||
	    memchr(list->names, '/', list->used) != NULL)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (!is_sane(list, &list->records[i], &octets) ||
		    octets > list->used)
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
	got = preadv(x->file, parts, 2, sizeof(struct maildir_head));
	if (got == -1 || (size_t)got != octets + x->length ||
	    maildir_body_sum(list) != x->checksum || !are_sane(list))
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

	if (!good) {
		maildir_list_free(&x->list);
		/* Or a folder would be believed to be empty. */
		memset(x->changed, 0, sizeof(x->changed));
	}
	close_file(x);
	return good ? 0 : -1;
}

/* Put what is in the parts, the first of which lies at ${at}. */
static void
put_parts(const struct maildir_index *x, off_t at, char *buffer,
    struct popper_lister *lister, size_t *next)
{
	uint64_t left = x->lists;
	size_t size;

	for (; *next < x->totals.count; at += (off_t)size, left -= size) {
		size = left < UID_PART_SIZE ? (size_t)left : UID_PART_SIZE;
		if (pread(x->file, buffer, size, at) != (ssize_t)size ||
		    !uid_part_is_good(buffer, size, x->totals.count - *next,
			maildir_checksum, x->checksum ^ *next))
			return;
		if (!uid_part_put(buffer, lister, next))
			*next = x->totals.count;
	}
}

size_t
maildir_index_uids(struct maildir *m, struct popper_lister *lister)
{
	const struct maildir_index *x = &m->index;
	size_t next = 0;
	char *buffer;

	if (x->file == -1 || x->lists == 0)
		return 0;
	buffer = malloc(x->lists < UID_PART_SIZE ? x->lists : UID_PART_SIZE);
	if (buffer == NULL)
		return 0;
	put_parts(x,
	    (off_t)(sizeof(struct maildir_head) +
		x->totals.count * sizeof(struct maildir_record) + x->length),
	    buffer, lister, &next);
	free(buffer);
	return next;
}

static bool
read_head(const struct maildir *m, int fd, struct maildir_head *head)
{
	struct stat st;
	uint64_t rest;

	if (read(fd, head, sizeof(*head)) != (ssize_t)sizeof(*head) ||
	    head->magic != MAILDIR_INDEX_MAGIC || head->device != m->device ||
	    head->inode != m->inode ||
	    maildir_head_sum(*head) != head->checksum || fstat(fd, &st) == -1 ||
	    !S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(*head) ||
	    st.st_size > INDEX_MAX)
		return false;
	rest = (uint64_t)st.st_size - sizeof(*head);
	if (head->totals.count > rest / sizeof(struct maildir_record) ||
	    head->totals.unsized > head->totals.count)
		return false;
	rest -= head->totals.count * sizeof(struct maildir_record);
	return head->length <= rest && head->lists == rest - head->length;
}

void
maildir_index_open(struct maildir *m)
{
	struct maildir_index *x = &m->index;
	struct maildir_head head;

	if (m->state == -1)
		return;
	x->file = openat(m->state, MAILDIR_INDEX_FILE,
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
	x->lists = head.lists;
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
