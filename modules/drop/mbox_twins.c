/*
 * mbox_twins.c - telling equal messages apart, also once some are gone.
 *
 * Runs in: the session, as the user.
 *
 * Equal messages have equal hashes; the first, second ... in the file has the
 * ordinal 1, 2 ...  When the first is removed the second must stay the second,
 * so the ordinals that remain are written down, in the order of the mbox, and
 * the highest that was ever given out, so that none is given out twice.  Only
 * messages that have or had twins are in the file, so as a rule there is none.
 * Losing it costs a twin its id, never a message.
 *
 * The file: a first line, one line "hash ordinal highest" per remaining copy,
 * a last line.  Each version is written whole and renamed into place.  Before
 * a commit it is written with those that are to go, too, their lines ending in
 * " -": if that session dies, the number of copies that are there tells which
 * of the two states came of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_twins.h"

#define TEMPORARY "twins.new"

/* Pointers into one array: equal hashes stay in the array's order. */
static int
compare_uids(const void *va, const void *vb)
{
	const struct mbox_uid *a = *(struct mbox_uid *const *)va;
	const struct mbox_uid *b = *(struct mbox_uid *const *)vb;
	int order = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	return order != 0 ? order : (a > b) - (a < b);
}

static struct mbox_uid **
sorted(struct mbox_uid *uids, size_t count)
{
	struct mbox_uid **list = calloc(count, sizeof(*list));
	size_t i;

	if (list == NULL)
		return NULL;
	for (i = 0; i < count; i++)
		list[i] = &uids[i];
	qsort(list, count, sizeof(*list), compare_uids);
	return list;
}

static bool
same(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, MBOX_HASH_SIZE) == 0;
}

/* Is one of ${n} messages the ${ordinal}th already? */
static bool
is_given(struct mbox_uid **group, size_t n, uint32_t ordinal)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (group[i]->ordinal == ordinal)
			return true;
	return false;
}

/* Some of these ${n} equal messages say in their header which one they are;
 * ${most}: the highest ordinal that is on record. */
static void
number_stored(struct mbox_uid **group, size_t n, uint32_t most)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (is_given(group, i, group[i]->ordinal))
			group[i]->ordinal = 0; /* a copy: it says the same */
		if (group[i]->ordinal > most)
			most = group[i]->ordinal;
	}
	for (i = 0; i < n; i++)
		if (group[i]->ordinal == 0)
			group[i]->ordinal = ++most;
}

/* Give ${n} equal messages the ordinals that are on record, ${known} from ${t}
 * on; or only see whether those that have one have just that. */
static bool
number_recorded(struct mbox_uid **group, size_t n, const struct mbox_twin *t,
    size_t known, bool give)
{
	uint32_t most = known == 0 ? 0 : t->most, ordinal;
	size_t i, k = 0;

	for (i = 0; i < n; i++) {
		/* All are there: the commit did not take place. */
		while (k < known && t[k].goes && n < known)
			k++;
		ordinal = k < known ? t[k++].ordinal : ++most;
		if (give)
			group[i]->ordinal = ordinal;
		else if (group[i]->ordinal != 0 && group[i]->ordinal != ordinal)
			return false;
	}
	return true;
}

/* ${n} equal messages, ${known} of which there are records from ${t} on.  Some
 * may have ordinals: of the index of before mail came, or from their headers,
 * and only these may contradict the records. */
static void
number_group(
    struct mbox_uid **group, size_t n, const struct mbox_twin *t, size_t known)
{
	bool stored = false;
	size_t i;

	for (i = 0; i < n; i++)
		stored = stored || group[i]->ordinal != 0;
	if (stored &&
	    (known == 0 || !number_recorded(group, n, t, known, false)))
		number_stored(group, n, known == 0 ? 0 : t->most);
	else
		(void)number_recorded(group, n, t, known, true);
}

int
mbox_twins_number(struct mbox *m, size_t count)
{
	const struct mbox_twins *known = &m->twins;
	struct mbox_uid **list = sorted(m->uids, count);
	size_t i, n, k, t = 0;

	if (list == NULL)
		return -1;
	for (i = 0; i < count; i += n) {
		for (n = 1;
		     i + n < count && same(list[i]->hash, list[i + n]->hash);
		     n++)
			;
		while (t < known->count &&
		    memcmp(known->list[t].hash, list[i]->hash, MBOX_HASH_SIZE) <
			0)
			t++;
		for (k = 0; t + k < known->count &&
		     same(known->list[t + k].hash, list[i]->hash);
		     k++)
			;
		number_group(
		    list + i, n, k > 0 ? known->list + t : known->list, k);
		t += k;
	}
	free(list);
	return 0;
}

/* The highest ordinal that the hash of ${uid} ever had, as recorded. */
static uint32_t
recorded_most(const struct mbox_twins *twins, const struct mbox_uid *uid)
{
	size_t low = 0, high = twins->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (memcmp(twins->list[middle].hash, uid->hash,
			MBOX_HASH_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == twins->count || !same(twins->list[low].hash, uid->hash))
		return 0;
	return twins->list[low].most;
}

/* What is to be written down, and of what. */
struct account {
	const struct mbox *m;
	const struct popper_changes *c;
	bool before; /* the commit: it may fail */
	FILE *f; /* or NULL: lines are only counted */
};

static bool
goes(const struct account *a, const struct mbox_uid *uid)
{
	return (a->c->marks[uid - a->m->uids] & POPPER_MARK_DELETED) != 0;
}

/* One group of ${n} equal messages; returns how many lines.  A group of which
 * nothing is missing needs none. */
static size_t
write_group(const struct account *a, struct mbox_uid **group, size_t n)
{
	char text[MBOX_HASH_TEXT + 1];
	uint32_t most = recorded_most(&a->m->twins, *group);
	bool straight = true; /* 1, 2, 3 ... */
	size_t i, kept = 0, lines;

	for (i = 0; i < n; i++) {
		if (group[i]->ordinal > most)
			most = group[i]->ordinal;
		if (!goes(a, group[i]))
			straight = group[i]->ordinal == ++kept && straight;
	}
	lines = a->before ? n : kept;
	if ((kept == most && straight) ||
	    (kept == 0 && (!a->before || n == most)))
		return 0;
	mbox_hash_text((*group)->hash, text);
	for (i = 0; a->f != NULL && i < n; i++)
		if (a->before || !goes(a, group[i]))
			(void)fprintf(a->f, "%s %lu %lu%s\n", text,
			    (unsigned long)group[i]->ordinal,
			    (unsigned long)most,
			    goes(a, group[i]) ? MBOX_TWINS_GOES : "");
	return lines;
}

/* All groups; returns how many lines. */
static size_t
write_groups(const struct account *a, struct mbox_uid **list)
{
	size_t i, n, count = a->c->count, lines = 0;

	for (i = 0; i < count; i += n) {
		for (n = 1;
		     i + n < count && same(list[i]->hash, list[i + n]->hash);
		     n++)
			;
		lines += write_group(a, list + i, n);
	}
	return lines;
}

/* Make the new file and put it in the old one's place. */
static int
replace_file(struct account *a, struct mbox_uid **list)
{
	const struct mbox *m = a->m;
	bool good;
	FILE *f;
	int fd;

	(void)unlinkat(m->state, TEMPORARY, 0);
	fd = openat(m->state, TEMPORARY,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if ((f = fdopen(fd, "w")) == NULL) {
		(void)close(fd);
		return -1;
	}
	(void)fputs(MBOX_TWINS_FIRST, f);
	a->f = f;
	(void)write_groups(a, list);
	(void)fputs(MBOX_TWINS_LAST, f);
	good = fflush(f) == 0 && !ferror(f) && fsync(fd) == 0;
	good = fclose(f) == 0 && good;
	if (good && renameat(m->state, TEMPORARY, m->state, MBOX_TWINS) == 0)
		return fsync(m->state);
	(void)unlinkat(m->state, TEMPORARY, 0);
	return -1;
}

/* Is, or was, any message equal to another?  As a rule none is. */
static bool
has_twins(const struct mbox *m, size_t count)
{
	size_t i;

	if (m->uids == NULL || m->twins.count > 0)
		return m->uids != NULL;
	for (i = 0; i < count && m->uids[i].ordinal == 1; i++)
		;
	return i < count;
}

/* Has a commit that came to nothing left its marks? */
static bool
is_marked(const struct mbox_twins *t)
{
	size_t i;

	for (i = 0; i < t->count && !t->list[i].goes; i++)
		;
	return i < t->count;
}

/* 1; 0: there was nothing to write down; or -1. */
static int
save(struct account *a)
{
	const struct mbox *m = a->m;
	struct mbox_uid **list = NULL;
	int failed = 0;

	if (has_twins(m, a->c->count) &&
	    (list = sorted(m->uids, a->c->count)) == NULL)
		return -1;
	if (list != NULL && write_groups(a, list) > 0)
		failed = replace_file(a, list) == -1 ? -1 : 1;
	else if ((!a->before || (list != NULL && is_marked(&m->twins))) &&
	    unlinkat(m->state, MBOX_TWINS, 0) == -1 && errno != ENOENT)
		failed = -1;
	free(list);
	return failed;
}

bool
mbox_twins_intend(struct mbox *m, const struct popper_changes *c)
{
	struct account a = { .m = m, .c = c, .before = true };

	mbox_twins_load(m);
	return save(&a) == 1;
}

void
mbox_twins_save(struct mbox *m, const struct popper_changes *c)
{
	struct account a = { .m = m, .c = c };

	mbox_twins_load(m);
	if (save(&a) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot write the state file " MBOX_TWINS " of %s "
		    "(errno %d); equal messages may get new unique-ids",
		    m->path, m->user, errno);
}

/* Of ${n} equal messages those from ${first} on come back: who has the ordinal
 * of one of them by now keeps it. */
static void
number_back(struct mbox_uid **group, size_t n, const struct mbox_uid *first,
    uint32_t most)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (group[i]->ordinal > most)
			most = group[i]->ordinal;
	for (i = 0; i < n; i++)
		if (group[i] >= first &&
		    (group[i]->ordinal == 0 ||
			is_given(group, i, group[i]->ordinal)))
			group[i]->ordinal = ++most;
}

/* ${m} has c->count uids, those from ${first} on of messages that come. */
static int
write_added(struct mbox *m, const struct popper_changes *c, size_t first)
{
	struct account a = { .m = m, .c = c };
	struct mbox_uid **list = sorted(m->uids, c->count);
	size_t i, n;
	int failed = 0;

	if (list == NULL)
		return -1;
	for (i = 0; i < c->count; i += n) {
		for (n = 1;
		     i + n < c->count && same(list[i]->hash, list[i + n]->hash);
		     n++)
			;
		number_back(list + i, n, m->uids + first,
		    recorded_most(&m->twins, list[i]));
	}
	if (write_groups(&a, list) > 0)
		failed = replace_file(&a, list);
	free(list);
	return failed;
}

int
mbox_twins_add(struct mbox *m, const struct mbox_uid *back, size_t count)
{
	size_t i, first = m->index.count - m->internal;
	struct popper_changes c = { .size = sizeof(c), .count = first + count };
	unsigned char *marks = calloc(c.count, 1);
	struct mbox_uid *bigger;
	int failed = -1;

	mbox_twins_load(m);
	if (marks == NULL || (errno = m->twins.failed) != 0)
		goto out;
	bigger = reallocarray(m->uids, c.count, sizeof(*bigger));
	if (bigger == NULL)
		goto out;
	m->uids = bigger;
	for (i = 0; i < count; i++) {
		bigger[first + i] = back[i];
		bigger[first + i].text = 0;
	}
	c.marks = marks;
	failed = write_added(m, &c, first);
out:
	free(marks);
	return failed;
}
