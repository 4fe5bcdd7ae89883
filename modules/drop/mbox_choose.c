/*
 * mbox_choose.c - what of the trash is to come back?
 *
 * Runs in: popperctl, as the user; see mbox_undelete.c.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_undelete.h"

#define OPEN_MOST 64 /* batches that are open at once */

/* --- Which batches --- */

static int
add_name(struct mbox_undelete *u, const char *name)
{
	struct mbox_return *back = &u->back;
	char(*bigger)[MBOX_BATCH_NAME];

	if (back->count == back->room) {
		bigger = reallocarray(
		    back->names, back->room * 2 + 16, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		back->names = bigger;
		back->room = back->room * 2 + 16;
	}
	(void)strcpy(back->names[back->count++], name);
	return 0;
}

/* By time, then by the number behind it, which has no leading zero. */
static int
compare_names(const void *va, const void *vb)
{
	const char *a = va, *b = vb;
	unsigned long long x = strtoull(a, NULL, 10), y = strtoull(b, NULL, 10);
	const char *more = strchr(a, '.'), *mine = strchr(b, '.');

	if (x != y)
		return x < y ? -1 : 1;
	x = more == NULL ? 0 : strtoull(more + 1, NULL, 10);
	y = mine == NULL ? 0 : strtoull(mine + 1, NULL, 10);
	return (x > y) - (x < y);
}

/* Of the sorted names those behind u->last, as many as may be open. */
static void
choose_names(struct mbox_undelete *u)
{
	struct mbox_return *back = &u->back;
	size_t i = 0;

	while (*u->last != '\0' && i < back->count &&
	    compare_names(back->names[i], u->last) <= 0)
		i++;
	back->count -= i;
	if (i > 0)
		memmove(back->names, back->names + i,
		    back->count * sizeof(*back->names));
	if ((u->more = back->count > OPEN_MOST))
		back->count = OPEN_MOST;
	if (back->count > 0)
		(void)strcpy(u->last, back->names[back->count - 1]);
}

int
mbox_list_batches(struct mbox_undelete *u, uint64_t since)
{
	const struct dirent *entry;
	char name[MBOX_BATCH_NAME];
	uint64_t when;
	size_t len;
	int fd, failed = 0;
	DIR *dir;

	if ((fd = openat(u->trash, ".", O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	if ((dir = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return -1;
	}
	while (failed == 0 && (errno = 0, (entry = readdir(dir)) != NULL)) {
		len = strlen(entry->d_name);
		if (len <= 4 || strcmp(entry->d_name + len - 4, ".ids") != 0 ||
		    !mbox_batch_is_name(entry->d_name, len - 4, &when) ||
		    when < since)
			continue;
		(void)snprintf(
		    name, sizeof(name), "%.*s", (int)(len - 4), entry->d_name);
		failed = add_name(u, name);
	}
	if (failed == 0 && errno != 0)
		failed = -1;
	(void)closedir(dir);
	if (u->back.count > 1)
		qsort(u->back.names, u->back.count, sizeof(*u->back.names),
		    compare_names);
	choose_names(u);
	return failed;
}

/* --- What is in them --- */

/* The list of a batch is damaged: the messages tell what their ids were, but
 * for numbers of equal ones. */
static int
hash_again(struct mbox_undelete *u, struct mbox_source *s)
{
	char text[POPPER_UID_MAX + 1];
	size_t i;

	for (i = 0; i < s->index.count; i++)
		if (mbox_hash(s->fd, &s->index.records[i], u->m->scheme,
			&s->uids[i], text) == -1)
			return -1;
		else {
			s->alike[i] = true;
			if (s->uids[i].ordinal == 0)
				s->uids[i].ordinal = 1;
		}
	return 0;
}

/* Fill s->uids and s->alike.  0, or -1 with errno. */
static int
load_uids(struct mbox_undelete *u, struct mbox_source *s, const char *name)
{
	struct mbox_batch b = { .list = NULL };
	int is = mbox_batch_read(u->trash, name, &b);
	size_t i;

	s->uids = calloc(s->index.count + 1, sizeof(*s->uids));
	s->alike = calloc(s->index.count + 1, sizeof(*s->alike));
	s->there = calloc(s->index.count + 1, sizeof(*s->there));
	if (s->uids == NULL || s->alike == NULL || s->there == NULL ||
	    is == -1) {
		mbox_batch_free(&b);
		return -1;
	}
	for (i = 0; i < b.count && i < s->index.count; i++)
		if (b.list[i].offset != s->index.records[i].offset)
			break;
	if (is == 0 || i < b.count || i < s->index.count) {
		mbox_batch_free(&b);
		return hash_again(u, s);
	}
	for (i = 0; i < b.count; i++) {
		memcpy(s->uids[i].hash, b.list[i].hash, MBOX_HASH_SIZE);
		s->uids[i].ordinal = b.list[i].ordinal;
		s->alike[i] = b.list[i].alike;
	}
	mbox_batch_free(&b);
	return 0;
}

/* Open a batch and see what is in it.  0, or -1 with errno. */
static int
open_source(struct mbox_undelete *u, struct mbox_source *s, const char *name)
{
	char file[MBOX_BATCH_NAME + 8];
	struct stat st;

	(void)snprintf(file, sizeof(file), "%s.mbox", name);
	s->fd = openat(
	    u->trash, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (s->fd == -1 || fstat(s->fd, &st) == -1)
		return -1;
	errno = EINVAL;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return -1;
	s->index.size = (uint64_t)st.st_size;
	if (mbox_scan(u->m, s->fd, MBOX_SCAN_WINDOW, &s->index) == -1 ||
	    load_uids(u, s, name) == -1)
		return -1;
	s->more = mbox_ending(s->fd, s->index.mmdf, s->index.size);
	return s->more != NULL ? 0 : -1;
}

/* --- What comes back --- */

/* Do both have the same content?  1, 0, or -1 with errno. */
static int
is_same(struct mbox_undelete *u, const struct mbox_record *there,
    const struct mbox_source *s, const struct mbox_record *kept)
{
	struct popper_slice a = { "", 0 }, b = { "", 0 };
	size_t n;

	if (mbox_normal_start(&u->a, u->m->fd, there, there->end) == -1 ||
	    mbox_normal_start(&u->b, s->fd, kept, kept->end) == -1)
		return -1;
	for (;;) {
		if ((a.len == 0 && mbox_normal_next(&u->a, &a) == -1) ||
		    (b.len == 0 && mbox_normal_next(&u->b, &b) == -1))
			return -1;
		if (a.len == 0 || b.len == 0)
			return a.len == b.len;
		n = a.len < b.len ? a.len : b.len;
		if (memcmp(a.ptr, b.ptr, n) != 0)
			return 0;
		a = popper_slice(a.ptr + n, a.len - n);
		b = popper_slice(b.ptr + n, b.len - n);
	}
}

/* Is message ${j} of the mbox message ${i} of ${s}?  1, 0, or -1 with errno. */
static int
is_it(struct mbox_undelete *u, const struct mbox_source *s, size_t i, size_t j)
{
	const struct mbox *m = u->m;
	int is = is_same(
	    u, &m->index.records[j + m->internal], s, &s->index.records[i]);

	if (is == 1)
		u->taken[j] = s->there[i] = true;
	return is;
}

/* Find message ${i} of ${s} in the mbox: under its id; or else, with ${moved},
 * under another number, if it is not there for another one.  0, or -1 with
 * errno. */
static int
find(struct mbox_undelete *u, const struct mbox_source *s, size_t i, bool moved)
{
	const struct mbox *m = u->m;
	const struct mbox_uid *uid = &s->uids[i];
	size_t j, count = m->index.count - m->internal;
	int is = 0;

	for (j = 0; j < count && is == 0; j++) {
		if (memcmp(m->uids[j].hash, uid->hash, MBOX_HASH_SIZE) != 0)
			continue;
		if (moved ? !u->taken[j] : m->uids[j].ordinal == uid->ordinal)
			is = is_it(u, s, i, j);
		if (!moved && m->uids[j].ordinal == uid->ordinal)
			break;
	}
	return is == -1 ? -1 : 0;
}

/* See which messages of the sources the mbox has.  Each that has its id comes
 * first; then those of which no equal one stayed when they went: one that is
 * there now has come back by another way. */
static int
find_all(struct mbox_undelete *u, const struct mbox_uid *sorted, size_t count,
    bool moved)
{
	struct mbox_source *s = u->sources, *end = s + u->opened;
	size_t i;

	for (; s < end; s++)
		for (i = 0; s->fits && i < s->index.count; i++) {
			if (s->there[i] || (moved && s->alike[i]) ||
			    mbox_trash_count(sorted, count, s->uids[i].hash) ==
				0)
				continue;
			if (find(u, s, i, moved) == -1)
				return -1;
		}
	return 0;
}

static int
add_uid(struct mbox_undelete *u, const struct mbox_uid *uid)
{
	struct mbox_uid *bigger;

	if (u->count == u->room) {
		bigger =
		    reallocarray(u->uids, u->room * 2 + 16, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		u->uids = bigger;
		u->room = u->room * 2 + 16;
	}
	u->uids[u->count++] = *uid;
	return 0;
}

/* Add what the mbox does not have of one batch. */
static int
add_source(struct mbox_undelete *u, const struct mbox_source *s)
{
	uint64_t from;
	size_t i;

	for (i = 0; i < s->index.count; i++) {
		if (s->there[i])
			continue;
		from = s->index.records[i].offset;
		mbox_add_octets(&u->pieces, s->fd, from,
		    mbox_region_end(&s->index, i) - from);
		if (i + 1 == s->index.count)
			mbox_add_text(&u->pieces, s->more, strlen(s->more));
		if (add_uid(u, &s->uids[i]) == -1)
			return -1;
	}
	return 0;
}

/* A batch of another form than the mbox stays where it is. */
static bool
fits(const struct mbox_undelete *u, const struct mbox_source *s,
    const char *name)
{
	const struct mbox *m = u->m;

	if (m->index.count == 0 || m->index.mmdf == s->index.mmdf)
		return true;
	m->host->log(POPPER_LOG_WARNING,
	    "%s: %s.mbox in the trash of %s is %s, the mbox is not; it stays",
	    m->path, name, m->user, s->index.mmdf ? "MMDF" : "an mbox");
	return false;
}

/* Open the batches.  One that cannot be read stays where it is. */
static void
open_sources(struct mbox_undelete *u)
{
	const struct mbox *m = u->m;
	struct mbox_source *s;
	const char *name;

	for (; u->opened < u->back.count; u->opened++) {
		s = &u->sources[u->opened];
		name = u->back.names[u->opened];
		s->fd = -1;
		if (open_source(u, s, name) == 0)
			s->fits = fits(u, s, name);
		else
			m->host->log(POPPER_LOG_ERROR,
			    "%s: cannot read %s.mbox in the trash of %s "
			    "(errno %d); it stays there",
			    m->path, name, m->user, errno);
	}
}

/* Add all that is not there; what is left of u->back.names was dealt with. */
static int
add_sources(struct mbox_undelete *u)
{
	struct mbox_return *back = &u->back;
	size_t i, used = 0;

	for (i = 0; i < back->count; i++) {
		if (!u->sources[i].fits)
			continue;
		if (add_source(u, &u->sources[i]) == -1)
			return -1;
		memmove(back->names[used++], back->names[i], MBOX_BATCH_NAME);
	}
	back->count = used;
	return 0;
}

int
mbox_choose(struct mbox_undelete *u)
{
	const struct mbox *m = u->m;
	size_t count = m->index.count - m->internal;
	struct mbox_uid *sorted;
	int failed = -1;

	u->sources = calloc(u->back.count, sizeof(*u->sources));
	u->taken = calloc(count + 1, sizeof(*u->taken));
	sorted = mbox_trash_sort(m, &count);
	if (sorted != NULL && u->sources != NULL && u->taken != NULL) {
		open_sources(u);
		if (find_all(u, sorted, count, false) == 0 &&
		    find_all(u, sorted, count, true) == 0)
			failed = add_sources(u);
	}
	free(sorted);
	return failed;
}
