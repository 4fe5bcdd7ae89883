/*
 * maildir_sizes.c - remember the sizes of messages between sessions.
 *
 * Runs in: popper-session, as the user; works on "maildir.sizes" in the user's
 * state folder.
 *
 * A file of a Maildir does not change once it was delivered, so a size stays
 * true for the same base and inode.  The file is only a spare: whatever is odd
 * about it, it is ignored, and the messages are read instead.
 *
 * Format, in the byte order of the machine: struct head, then per message
 * inode, stored, octets (8 octets each), the length of the base (1) and the
 * base, in the order of the snapshot.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir.h"

#define SIZES_FILE "maildir.sizes"
#define SIZES_NEW "maildir.sizes.new"
#define SIZES_MAGIC 0x31307a69736d6470u /* also tells the byte order */
#define SIZES_MAX ((off_t)1 << 30)
#define ENTRY_HEAD (3 * sizeof(uint64_t) + 1)

/*
 * When writing pays.  Measured on ext4: to read a short message costs 4 us, to
 * write the cache 130 us and 0.3 us for each message in it.  So it pays if a
 * tenth of what it costs is spared each time.
 */
#define WORTH_LEAST 4
#define WORTH_SHARE 128
#define WORTH_OCTETS 32768 /* of a long message cost like a short one */

struct head {
	uint64_t magic;
	uint64_t device, inode; /* of the Maildir */
	uint64_t length; /* octets that follow */
	uint64_t checksum; /* of them */
};

struct entry {
	uint64_t inode, stored, octets;
	struct popper_slice base;
};

/* Finds torn and damaged files; it need not withstand an attacker. */
static uint64_t
checksum(const char *p, size_t len)
{
	uint64_t sum = len, word;

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

/* Returns the content, for free(), and its length, or NULL. */
static char *
read_file(int fd, size_t *len)
{
	struct stat st;
	char *content;
	ssize_t got;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)sizeof(struct head) || st.st_size > SIZES_MAX)
		return NULL;
	*len = (size_t)st.st_size;
	if ((content = malloc(*len)) == NULL)
		return NULL;
	got = read(fd, content, *len);
	if (got != -1 && (size_t)got == *len)
		return content;
	free(content);
	return NULL;
}

static bool
is_ours(const struct maildir *m, const char *content, size_t len)
{
	struct head head;

	memcpy(&head, content, sizeof(head));
	return head.magic == SIZES_MAGIC && head.device == m->device &&
	    head.inode == m->inode && head.length == len - sizeof(head) &&
	    head.checksum == checksum(content + sizeof(head), head.length);
}

/* Read one entry at ${rest}.  Returns its length, or 0 at the end. */
static size_t
parse_entry(struct popper_slice rest, struct entry *e)
{
	size_t len;

	if (rest.len < ENTRY_HEAD)
		return 0;
	len = (unsigned char)rest.ptr[ENTRY_HEAD - 1];
	if (rest.len - ENTRY_HEAD < len)
		return 0;
	memcpy(&e->inode, rest.ptr, sizeof(uint64_t));
	memcpy(&e->stored, rest.ptr + 8, sizeof(uint64_t));
	memcpy(&e->octets, rest.ptr + 16, sizeof(uint64_t));
	e->base = popper_slice(rest.ptr + ENTRY_HEAD, len);
	return ENTRY_HEAD + len;
}

static bool
is_sane(const struct entry *e)
{
	return e->octets >= e->stored && e->octets - e->stored <= e->stored + 2;
}

/* Look at the entries of ${record}'s base, the first of which is at ${rest}. */
static bool
take(struct maildir_record *record, struct popper_slice base,
    struct popper_slice rest)
{
	struct entry e;
	size_t len;

	while ((len = parse_entry(rest, &e)) != 0 &&
	    maildir_compare_base(e.base, base) == 0) {
		if (e.inode == record->inode && is_sane(&e)) {
			record->stored = e.stored;
			record->octets = e.octets;
			return true;
		}
		rest = popper_slice(rest.ptr + len, rest.len - len);
	}
	return false;
}

/* Both are in the same order: go through them side by side. */
static void
merge(struct maildir *m, struct popper_slice rest)
{
	struct maildir_record *record;
	struct popper_slice base;
	struct entry e;
	size_t i, len;

	for (i = 0; i < m->list.count; i++) {
		record = &m->list.records[i];
		base = maildir_base(&m->list, record);
		while ((len = parse_entry(rest, &e)) != 0 &&
		    maildir_compare_base(e.base, base) < 0)
			rest = popper_slice(rest.ptr + len, rest.len - len);
		if (!take(record, base, rest))
			record->flags |= MAILDIR_MEASURED;
	}
}

void
maildir_sizes_load(struct maildir *m)
{
	struct popper_slice rest = popper_slice("", 0);
	char *content = NULL;
	size_t len;
	int fd = -1;

	if (m->list.count == 0)
		return;
	if (m->state != -1)
		fd = openat(m->state, SIZES_FILE,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1 && (content = read_file(fd, &len)) != NULL &&
	    is_ours(m, content, len))
		rest = popper_slice(
		    content + sizeof(struct head), len - sizeof(struct head));
	merge(m, rest);
	free(content);
	if (fd != -1)
		(void)close(fd);
}

/* Are there enough new sizes of messages that will still be there? */
static bool
is_worth(const struct maildir_list *list)
{
	const struct maildir_record *record;
	uint64_t work = 0;
	size_t i, left = 0;

	for (i = 0; i < list->count; i++) {
		record = &list->records[i];
		if (record->flags & MAILDIR_REMOVED)
			continue;
		left++;
		if (record->flags & MAILDIR_MEASURED)
			work += 1 + record->stored / WORTH_OCTETS;
	}
	return work >= WORTH_LEAST + left / WORTH_SHARE;
}

static size_t
put_entry(char *at, const struct maildir_list *list,
    const struct maildir_record *record)
{
	memcpy(at, &record->inode, sizeof(uint64_t));
	memcpy(at + 8, &record->stored, sizeof(uint64_t));
	memcpy(at + 16, &record->octets, sizeof(uint64_t));
	at[ENTRY_HEAD - 1] = (char)record->base;
	memcpy(at + ENTRY_HEAD, maildir_name(list, record), record->base);
	return ENTRY_HEAD + record->base;
}

/* Returns the whole file, for free(), and its length, or NULL. */
static char *
make_content(const struct maildir *m, size_t *len)
{
	struct head head = {
		.magic = SIZES_MAGIC, .device = m->device, .inode = m->inode
	};
	const struct maildir_list *list = &m->list;
	size_t i, used = sizeof(head), room = sizeof(head);
	char *content;

	for (i = 0; i < list->count; i++)
		room += ENTRY_HEAD + list->records[i].base;
	if ((content = malloc(room)) == NULL)
		return NULL;
	for (i = 0; i < list->count; i++)
		if (!(list->records[i].flags & MAILDIR_REMOVED))
			used +=
			    put_entry(content + used, list, &list->records[i]);
	head.length = used - sizeof(head);
	head.checksum = checksum(content + sizeof(head), head.length);
	memcpy(content, &head, sizeof(head));
	*len = used;
	return content;
}

/* No fsync: after a crash a torn file is known by its checksum. */
static int
write_file(int state, const char *content, size_t len)
{
	ssize_t put;
	int fd;

	fd = openat(state, SIZES_NEW,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	put = write(fd, content, len);
	if (close(fd) == 0 && put != -1 && (size_t)put == len &&
	    renameat(state, SIZES_NEW, state, SIZES_FILE) == 0)
		return 0;
	(void)unlinkat(state, SIZES_NEW, 0);
	return -1;
}

void
maildir_sizes_save(struct maildir *m)
{
	char *content;
	size_t len;

	if (m->state == -1)
		return;
	if (m->stale_cache) {
		(void)unlinkat(m->state, SIZES_FILE, 0);
		return;
	}
	if (!is_worth(&m->list) || (content = make_content(m, &len)) == NULL)
		return;
	if (write_file(m->state, content, len) == -1)
		m->host->log(POPPER_LOG_DEBUG,
		    "maildir %s: the sizes are not kept: %s", m->path,
		    strerror(errno));
	free(content);
}
