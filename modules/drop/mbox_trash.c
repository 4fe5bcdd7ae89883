/*
 * mbox_trash.c - keeping for a while what clients delete.
 *
 * Runs in: the session, as the user, around a commit; see mbox_trash.h.
 *
 * Before the commit changes the mbox, TIME.mbox and the note are on stable
 * storage; the note is the list of what goes.  Once the commit is done, moving
 * the note to TIME.ids makes a batch of both, in one step.  A note that is
 * found later was interrupted (mbox_trash_settle.c).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "mbox_record.h"
#include "mbox_trash.h"
#include "mbox_waste.h"

#define TRIES 1000 /* commits of one second */
#define EXPIRE_MOST 32 /* batches that one commit removes */

int
mbox_trash_folder(const struct mbox *m, bool make)
{
	struct stat st;
	int fd;

	if (make && mkdirat(m->state, MBOX_TRASH, 0700) == 0 &&
	    fsync(m->state) == -1)
		return -1;
	fd = openat(m->state, MBOX_TRASH,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid())
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

/* "NAME.mbox" or "NAME.ids" */
static void
file_name(char file[MBOX_BATCH_NAME + 8], const char *name, const char *what)
{
	(void)snprintf(file, MBOX_BATCH_NAME + 8, "%s.%s", name, what);
}

void
mbox_trash_drop(int trash, const char *name)
{
	char file[MBOX_BATCH_NAME + 8];

	file_name(file, name, "ids");
	(void)unlinkat(trash, file, 0);
	file_name(file, name, "mbox");
	(void)unlinkat(trash, file, 0);
}

bool
mbox_trash_pending(const struct mbox *m)
{
	struct stat st;

	return fstatat(m->state, MBOX_TRASH_NOTE, &st, AT_SYMLINK_NOFOLLOW) ==
	    0;
}

/* --- How many copies are there? --- */

static int
compare(const void *a, const void *b)
{
	return memcmp(((const struct mbox_uid *)a)->hash,
	    ((const struct mbox_uid *)b)->hash, MBOX_HASH_SIZE);
}

struct mbox_uid *
mbox_trash_sort(const struct mbox *m, size_t *count)
{
	size_t i, all = m->waste != NULL ? m->waste->messages : *count;
	struct mbox_uid *list = calloc(all + 1, sizeof(*list));

	if (list == NULL)
		return NULL;
	for (*count = 0, i = 0; i < all; i++)
		if (m->waste == NULL || !m->waste->gone[i])
			list[(*count)++] = m->uids[i];
	qsort(list, *count, sizeof(*list), compare);
	return list;
}

/* The first of ${count} that is not before ${hash}; or, with ${behind}, the
 * first behind it: very many may be equal. */
static size_t
find(const struct mbox_uid *uids, size_t count, const unsigned char *hash,
    bool behind)
{
	size_t low = 0, middle;
	int order;

	while (low < count) {
		middle = low + (count - low) / 2;
		order = memcmp(uids[middle].hash, hash, MBOX_HASH_SIZE);
		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

size_t
mbox_trash_count(const struct mbox_uid *uids, size_t count,
    const unsigned char hash[MBOX_HASH_SIZE])
{
	return find(uids, count, hash, true) - find(uids, count, hash, false);
}

/* --- Before the commit --- */

/* Not of those that were noted as gone before: they were kept then. */
static bool
is_fresh(const struct popper_changes *c, size_t i)
{
	return (c->marks[i] & (POPPER_MARK_DELETED | MBOX_MARK_WASTED)) ==
	    POPPER_MARK_DELETED;
}

/* The list of what is marked. */
static int
list_marked(
    const struct mbox *m, const struct popper_changes *c, struct mbox_batch *b)
{
	size_t i, count = c->count;
	struct mbox_uid *sorted = mbox_trash_sort(m, &count);
	const struct mbox_record *r;
	struct mbox_trashed *k;
	uint64_t at = 0;

	b->list = calloc(c->count + 1, sizeof(*b->list));
	if (sorted == NULL || b->list == NULL) {
		free(sorted);
		return -1;
	}
	for (i = 0; i < c->count; i++) {
		if (!is_fresh(c, i))
			continue;
		r = &m->index.records[i + m->internal];
		k = &b->list[b->count++];
		k->offset = at;
		k->len =
		    mbox_region_end(&m->index, i + m->internal) - r->offset;
		at += k->len;
		memcpy(k->hash, m->uids[i].hash, sizeof(k->hash));
		k->ordinal = m->uids[i].ordinal;
		k->copies = (uint32_t)mbox_trash_count(sorted, count, k->hash);
		k->number = i;
	}
	mbox_alike_find(m, c, b);
	free(sorted);
	return 0;
}

/* Copy what is marked to ${fd}, neighbours at once. */
static int
copy_marked(struct mbox *m, const struct popper_changes *c, int fd)
{
	const struct mbox_index *x = &m->index;
	uint64_t from = 0, to = 0, at = 0, begin;
	const char *more;
	size_t i;

	for (i = 0; i < c->count; i++) {
		if (!is_fresh(c, i))
			continue;
		begin = x->records[i + m->internal].offset;
		if (begin != to) {
			if (mbox_copy(m, m->fd, from, to - from, fd, at) == -1)
				return -1;
			at += to - from;
			from = begin;
		}
		to = mbox_region_end(x, i + m->internal);
	}
	if (mbox_copy(m, m->fd, from, to - from, fd, at) == -1)
		return -1;
	at += to - from;
	more = mbox_ending(fd, x->mmdf, at);
	if (more == NULL || mbox_write_at(fd, more, strlen(more), at) == -1)
		return -1;
	return fsync(fd);
}

/* Make TIME.mbox, and choose the TIME. */
static int
make_file(int trash, struct mbox_batch *b)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	char file[MBOX_BATCH_NAME + 8];
	struct timespec now;
	int fd, i;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	for (i = 0; i < TRIES; i++) {
		(void)snprintf(b->name, sizeof(b->name),
		    i == 0 ? "%lld" : "%lld.%d", (long long)now.tv_sec, i);
		file_name(file, b->name, "mbox");
		fd = openat(trash, file, flags, 0600);
		if (fd != -1)
			return fd;
		if (errno != EEXIST)
			break;
	}
	*b->name = '\0'; /* it may be that of another batch */
	return -1;
}

/* 0, or -1 with errno. */
static int
keep(struct mbox *m, const struct popper_changes *c, struct mbox_batch *b,
    int trash)
{
	int fd, failed;

	errno = ENOMEM;
	if (list_marked(m, c, b) == -1)
		return -1;
	if (b->count == 0) {
		mbox_batch_free(b);
		return 0;
	}
	if ((fd = make_file(trash, b)) == -1)
		return -1;
	failed = copy_marked(m, c, fd);
	if (close(fd) == -1 || failed == -1 || fsync(trash) == -1)
		return -1;
	return mbox_batch_write(m, b);
}

int
mbox_trash_keep(struct mbox *m, const struct popper_changes *c,
    struct mbox_batch *b, struct popper_error *e)
{
	int cause, trash;

	*b = (struct mbox_batch){ .list = NULL };
	if (mbox_trash_pending(m))
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: " MBOX_TRASH_NOTE " of an earlier session is in the "
		    "state folder of %s; nothing removed, since it could not "
		    "be kept",
		    m->path, m->user);
	if ((trash = mbox_trash_folder(m, true)) != -1 &&
	    keep(m, c, b, trash) == 0) {
		(void)close(trash);
		return 0;
	}
	cause = errno;
	if (trash != -1 && *b->name != '\0')
		mbox_trash_drop(trash, b->name);
	if (trash != -1)
		(void)close(trash);
	mbox_batch_free(b);
	errno = cause;
	return m->host->fail_system(e, POPPER_TEMPORARY,
	    "%s: cannot keep what is deleted in the folder " MBOX_TRASH
	    " in the state folder of %s (option trash); nothing removed",
	    m->path, m->user);
}

/* --- After it --- */

/* The note becomes the batch's list. */
int
mbox_trash_seal(const struct mbox *m, int trash, const char *name)
{
	char file[MBOX_BATCH_NAME + 8];

	file_name(file, name, "ids");
	if (renameat(m->state, MBOX_TRASH_NOTE, trash, file) == -1)
		return -1;
	/* Before the journal goes. */
	return fsync(trash);
}

/* Nothing was removed: the note first, for it would be believed. */
int
mbox_trash_forget(const struct mbox *m, int trash, const char *name)
{
	if (unlinkat(m->state, MBOX_TRASH_NOTE, 0) == -1)
		return -1;
	if (trash != -1)
		mbox_trash_drop(trash, name);
	return 0;
}

void
mbox_trash_end(
    struct mbox *m, struct mbox_batch *b, enum popper_outcome outcome)
{
	int trash = mbox_trash_folder(m, false), failed = 0;

	if (outcome == POPPER_DONE)
		failed = trash == -1 ? -1 : mbox_trash_seal(m, trash, b->name);
	else if (outcome == POPPER_NOT_DONE)
		failed = mbox_trash_forget(m, trash, b->name);
	if (failed == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot put " MBOX_TRASH_NOTE " of %s away "
		    "(errno %d); the next login tries again",
		    m->path, m->user, errno);
	if (trash != -1)
		(void)close(trash);
	mbox_batch_free(b);
}

/* Is NAME.ids or NAME.mbox older than it may be? */
static bool
is_old(const struct mbox *m, char *name, int64_t now)
{
	char *suffix = strrchr(name, '.');
	uint64_t when;

	if (suffix == NULL ||
	    (strcmp(suffix, ".ids") != 0 && strcmp(suffix, ".mbox") != 0))
		return false;
	*suffix = '\0';
	return mbox_batch_is_name(name, strlen(name), &when) &&
	    (int64_t)when <= now && (uint64_t)now - when >= m->conf->trash;
}

void
mbox_trash_expire(struct mbox *m)
{
	int trash = mbox_trash_folder(m, false), own, removed = 0;
	char name[sizeof(((struct dirent *)NULL)->d_name)];
	const struct dirent *entry;
	struct timespec now;
	DIR *dir = NULL;

	if (trash == -1 || mbox_trash_pending(m))
		goto out;
	if ((own = openat(trash, ".", O_RDONLY | O_CLOEXEC)) == -1)
		goto out;
	if ((dir = fdopendir(own)) == NULL) {
		(void)close(own);
		goto out;
	}
	(void)clock_gettime(CLOCK_REALTIME, &now);
	while (removed < EXPIRE_MOST && (entry = readdir(dir)) != NULL) {
		(void)strcpy(name, entry->d_name);
		if (!is_old(m, name, now.tv_sec))
			continue;
		mbox_trash_drop(trash, name);
		removed++;
	}
out:
	if (dir != NULL)
		(void)closedir(dir);
	if (trash != -1)
		(void)close(trash);
}
