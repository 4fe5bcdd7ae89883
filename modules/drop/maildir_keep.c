/*
 * maildir_keep.c - keep the messages of a session for the next one.
 *
 * Runs in: popper-session, as the user; writes "maildir.index" in the user's
 * state folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "maildir_index.h"
#include "uid_parts.h"

#define INDEX_NEW "maildir.index.new"
#define OLD_FILE "maildir.sizes" /* what there was before */

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

/* --- The file. --- */

struct telling {
	struct uid_teller teller;
	const struct maildir_list *list;
};

static struct popper_slice
tell(struct uid_teller *teller, size_t i, char text[POPPER_UID_MAX + 1])
{
	const struct maildir_list *list = ((struct telling *)teller)->list;

	return maildir_own_uid(list, &list->records[i], text);
}

static bool
write_at(int fd, const void *p, size_t len, uint64_t at)
{
	return pwrite(fd, p, len, (off_t)at) == (ssize_t)len;
}

/* Write the unique-ids and count their octets; ${part} is to be used. */
static bool
write_parts(int fd, struct maildir_head *head, const struct maildir_list *list,
    char *part)
{
	uint64_t at =
	    sizeof(*head) + list->count * sizeof(*list->records) + list->used;
	struct telling t = { .teller.tell = tell, .list = list };
	struct uid_part begin;
	size_t i = 0, first, n;

	for (head->lists = 0; i < list->count; head->lists += n) {
		first = i;
		n = uid_part_make(&t.teller, &i, list->count, part);
		memcpy(&begin, part, sizeof(begin));
		begin.sum =
		    uid_part_sum_of(part, maildir_checksum, head->body ^ first);
		memcpy(part, &begin, sizeof(begin));
		if (i < list->count) {
			memset(part + n, 0, UID_PART_SIZE - n);
			n = UID_PART_SIZE;
		}
		if (!write_at(fd, part, n, at + head->lists))
			return false;
	}
	return true;
}

/* The head comes last, since the unique-ids are counted as they are written. */
static bool
write_all(int fd, struct maildir_head *head, const struct maildir_list *list)
{
	const size_t records = list->count * sizeof(*list->records);
	struct maildir_head none = { .magic = 0 };
	const struct iovec parts[] = {
		{ .iov_base = &none, .iov_len = sizeof(none) },
		{ .iov_base = list->records, .iov_len = records },
		{ .iov_base = list->names, .iov_len = list->used },
	};
	char *part;
	bool good;

	if (writev(fd, parts, 3) !=
		(ssize_t)(sizeof(none) + records + list->used) ||
	    (part = malloc(2 * UID_PART_SIZE)) == NULL)
		return false;
	good = write_parts(fd, head, list, part);
	free(part);
	head->checksum = maildir_head_sum(*head);
	return good && write_at(fd, head, sizeof(*head), 0);
}

/* No fsync: after a crash a torn file is known by its checksums. */
static int
write_file(
    int state, struct maildir_head *head, const struct maildir_list *list)
{
	bool good;
	int fd;

	fd = openat(state, INDEX_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	good = write_all(fd, head, list);
	if (close(fd) == 0 && good &&
	    renameat(state, INDEX_NEW, state, MAILDIR_INDEX_FILE) == 0)
		return 0;
	(void)unlinkat(state, INDEX_NEW, 0);
	return -1;
}

static int
save(const struct maildir *m)
{
	struct maildir_head head = { .magic = MAILDIR_INDEX_MAGIC,
		.device = m->device,
		.inode = m->inode };
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
	head.body = maildir_body_sum(&list);
	result = write_file(m->state, &head, &list);
	if (result == 0)
		(void)unlinkat(m->state, OLD_FILE, 0);
out:
	maildir_list_free(&list);
	return result;
}

/* Who only looks leaves no index where there is none: for maildir_note_scheme
 * there has been no session yet. */
static bool
is_first_look(const struct maildir *m)
{
	struct stat st;

	return m->looking &&
	    fstatat(m->state, MAILDIR_INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) ==
	    -1;
}

int
maildir_index_write(struct maildir *m)
{
	struct popper_error error;

	if (is_first_look(m))
		return 0;
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
		(void)unlinkat(m->state, MAILDIR_INDEX_FILE, 0);
	else if (m->listed && is_worth(m))
		(void)maildir_index_write(m);
}
