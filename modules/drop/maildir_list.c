/*
 * maildir_list.c - list the files of a Maildir and sort them.
 *
 * Runs in: popper-session, as the user.
 *
 * Other programs rename messages at any time, from new to cur and within cur.
 * new is listed before cur, so that a message on its way is seen at least once;
 * one that was seen under two names is dropped under the name it lost.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir.h"

const char *
maildir_name(
    const struct maildir_list *list, const struct maildir_record *record)
{
	return list->names + record->name;
}

enum maildir_folder
maildir_where(const struct maildir_record *record)
{
	return record->flags & MAILDIR_IN_NEW ? MAILDIR_NEW : MAILDIR_CUR;
}

struct popper_slice
maildir_base(
    const struct maildir_list *list, const struct maildir_record *record)
{
	return popper_slice(maildir_name(list, record), record->base);
}

uint64_t
maildir_time(struct popper_slice base)
{
	uint64_t time = 0;
	unsigned digit;
	size_t i;

	for (i = 0; i < base.len; i++) {
		digit = (unsigned)(unsigned char)base.ptr[i] - '0';
		if (digit > 9)
			break;
		if (time > (UINT64_MAX - digit) / 10)
			return UINT64_MAX;
		time = time * 10 + digit;
	}
	return time;
}

int
maildir_compare_octets(struct popper_slice a, struct popper_slice b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int
maildir_compare_base(struct popper_slice a, struct popper_slice b)
{
	uint64_t at = maildir_time(a), bt = maildir_time(b);

	return at != bt ? (at < bt ? -1 : 1) : maildir_compare_octets(a, b);
}

size_t
maildir_first_at(const struct maildir_list *list, struct popper_slice base)
{
	size_t low = 0, high = list->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (maildir_compare_base(
			maildir_base(list, &list->records[middle]), base) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* While sorting, octets holds the time. */
static int
compare(const void *a, const void *b, void *list)
{
	const struct maildir_record *x = a, *y = b;
	int order;

	if (x->octets != y->octets)
		return x->octets < y->octets ? -1 : 1;
	order = maildir_compare_octets(
	    maildir_base(list, x), maildir_base(list, y));
	if (order == 0 && maildir_where(x) != maildir_where(y))
		order = maildir_where(x) == MAILDIR_CUR ? -1 : 1;
	if (order == 0)
		order = strcmp(maildir_name(list, x), maildir_name(list, y));
	return order;
}

void
maildir_sort(
    struct maildir_list *list, struct maildir_record *records, size_t count)
{
	qsort_r(records, count, sizeof(*records), compare, list);
}

/* Returns the offset of the copy in the arena, or -1 with errno. */
static int64_t
add_name(struct maildir_list *list, const char *name)
{
	size_t len = strlen(name) + 1, size = list->size;
	int64_t at = (int64_t)list->used;
	char *names;

	if (list->used > UINT32_MAX - len) {
		errno = EOVERFLOW;
		return -1;
	}
	if (len > size - list->used) {
		size = size < 4096 ? 8192 : size * 2;
		if ((names = realloc(list->names, size)) == NULL)
			return -1;
		list->names = names;
		list->size = size;
	}
	memcpy(list->names + list->used, name, len);
	list->used += len;
	return at;
}

static unsigned
flags_of(const char *name, size_t base, enum maildir_folder folder)
{
	unsigned flags = folder == MAILDIR_NEW ? MAILDIR_IN_NEW : 0;

	if (strncmp(name + base, ":2,", 3) != 0)
		return flags;
	if (strchr(name + base + 3, 'S') != NULL)
		flags |= MAILDIR_SEEN;
	if (strchr(name + base + 3, 'T') != NULL)
		flags |= MAILDIR_TRASHED;
	return flags;
}

int
maildir_set_name(struct maildir_list *list, struct maildir_record *record,
    const char *name, enum maildir_folder folder)
{
	const unsigned ours = MAILDIR_IN_NEW | MAILDIR_SEEN | MAILDIR_TRASHED;
	size_t base = strcspn(name, ":");
	int64_t at = add_name(list, name);

	if (at == -1)
		return -1;
	assert(base <= UINT8_MAX); /* NAME_MAX */
	record->name = (uint32_t)at;
	record->base = (uint8_t)base;
	record->flags =
	    (uint8_t)((record->flags & ~ours) | flags_of(name, base, folder));
	return 0;
}

/* An empty record behind the last one; it counts once ${list->count} does. */
static struct maildir_record *
add_record(struct maildir_list *list)
{
	struct maildir_record *records;
	size_t room = list->room;

	if (list->count == room) {
		room = room == 0 ? 64 : room * 2;
		records = realloc(list->records, room * sizeof(*records));
		if (records == NULL)
			return NULL;
		list->records = records;
		list->room = room;
	}
	return memset(&list->records[list->count], 0, sizeof(*list->records));
}

static int
add(struct maildir_list *list, const struct dirent64 *entry,
    enum maildir_folder folder)
{
	struct maildir_record *record = add_record(list);

	if (record == NULL ||
	    maildir_set_name(list, record, entry->d_name, folder) == -1)
		return -1;
	record->inode = entry->d_ino;
	record->octets = maildir_time(maildir_base(list, record));
	list->count++;
	return 0;
}

/* Why an entry is no message, or NULL. */
static const char *
odd_type(int folder, const struct dirent64 *entry)
{
	struct stat st;

	if (entry->d_type == DT_REG)
		return NULL;
	if (entry->d_type != DT_UNKNOWN)
		return "not a regular file";
	if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? NULL : strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "not a regular file";
}

/* Returns how many calls brought something, or -1 with errno. */
static int
list_once(struct maildir *m, struct maildir_list *list,
    enum maildir_folder folder, bool complain)
{
	const struct dirent64 *entry;
	const char *why;
	char *buffer;
	ssize_t got, at;
	int calls = 0, fd = m->sub[folder];

	if (lseek(fd, 0, SEEK_SET) == -1 ||
	    (buffer = malloc(MAILDIR_BUFFER)) == NULL)
		return -1;
	while ((got = getdents64(fd, buffer, MAILDIR_BUFFER)) > 0) {
		for (at = 0; at < got; at += entry->d_reclen) {
			entry = (const void *)(buffer + at);
			if (entry->d_name[0] == '.')
				continue;
			why = odd_type(fd, entry);
			if (why != NULL && complain)
				maildir_odd(m, folder, entry->d_name, why);
			if (why == NULL && add(list, entry, folder) == -1)
				goto err0;
		}
		calls++;
	}
	if (got == -1)
		goto err0;
	free(buffer);
	return calls;

err0:
	free(buffer);
	return -1;
}

/*
 * One call sees a folder as it is at one moment.  A folder that needs several
 * and changes between them may hide a message that is being renamed: look
 * again, but not for ever.
 */
int
maildir_list_folder(struct maildir *m, struct maildir_list *list,
    enum maildir_folder folder, bool complain)
{
	const size_t count = list->count, used = list->used;
	struct stat before, after;
	int calls, tries;

	for (tries = 0; tries < MAILDIR_TRIES; tries++) {
		list->count = count;
		list->used = used;
		if (fstat(m->sub[folder], &before) == -1)
			return -1;
		calls = list_once(m, list, folder, complain && tries == 0);
		if (calls <= 1)
			return calls;
		if (fstat(m->sub[folder], &after) == -1)
			return -1;
		if (before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
		    before.st_mtim.tv_nsec == after.st_mtim.tv_nsec)
			break;
	}
	return 0;
}

/* Did a file of the same base push ${record} out while we were listing? */
static bool
is_ghost(const struct maildir *m, const struct maildir_list *list, size_t i)
{
	const struct maildir_record *r = list->records;
	struct popper_slice base = maildir_base(list, &r[i]);
	bool twin = false;
	struct stat st;

	if (i > 0)
		twin = maildir_compare_octets(
			   maildir_base(list, &r[i - 1]), base) == 0;
	if (!twin && i + 1 < list->count)
		twin = maildir_compare_octets(
			   maildir_base(list, &r[i + 1]), base) == 0;
	return twin &&
	    fstatat(m->sub[maildir_where(&r[i])], maildir_name(list, &r[i]),
		&st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT;
}

static void
drop_ghosts(const struct maildir *m, struct maildir_list *list)
{
	size_t i, kept = 0;

	for (i = 0; i < list->count; i++)
		if (is_ghost(m, list, i))
			list->records[i].flags |= MAILDIR_DROPPED;
	for (i = 0; i < list->count; i++)
		if (!(list->records[i].flags & MAILDIR_DROPPED))
			list->records[kept++] = list->records[i];
	list->count = kept;
}

/* What the index says about a folder. */
static int
copy_folder(const struct maildir *m, struct maildir_list *list,
    enum maildir_folder folder)
{
	const struct maildir_list *known = &m->index.list;
	const struct maildir_record *from;
	struct maildir_record *record;

	for (size_t i = 0; i < known->count; i++) {
		from = &known->records[i];
		if (maildir_where(from) != folder)
			continue;
		if ((record = add_record(list)) == NULL ||
		    maildir_set_name(
			list, record, maildir_name(known, from), folder) == -1)
			return -1;
		record->inode = from->inode;
		record->octets = maildir_time(maildir_base(list, record));
		list->count++;
	}
	return 0;
}

/* One folder, as it is or as the index knows it. */
static int
scan_folder(struct maildir *m, struct maildir_list *list,
    enum maildir_folder folder, bool complain)
{
	bool first = list == &m->list; /* not when we look again */
	struct stat st;
	int fd = m->sub[folder];

	if (fd == -1)
		return 0;
	if (fstat(fd, &st) == -1)
		return -1;
	if (first)
		m->changed[folder] = maildir_index_time(fd, &st);
	if (first && maildir_index_knows(m, folder, &st))
		return copy_folder(m, list, folder);
	return maildir_list_folder(m, list, folder, complain);
}

int
maildir_scan(struct maildir *m, struct maildir_list *list, bool complain,
    struct popper_error *error)
{
	if (scan_folder(m, list, MAILDIR_NEW, complain) == -1 ||
	    scan_folder(m, list, MAILDIR_CUR, complain) == -1)
		goto err0;
	if (list->count > 1) {
		maildir_sort(list, list->records, list->count);
		drop_ghosts(m, list);
	}
	return 0;

err0:
	return m->host->fail_system(
	    error, POPPER_TEMPORARY, "maildir %s: list", m->path);
}

void
maildir_list_free(struct maildir_list *list)
{
	free(list->records);
	free(list->names);
	memset(list, 0, sizeof(*list));
}
