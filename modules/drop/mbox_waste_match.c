/*
 * mbox_waste_match.c - which messages are gone, once the mbox has changed?
 *
 * Runs in: the session, as the user, at open; see mbox_waste.c.
 *
 * By hash and, of equal messages, by number.  If there are fewer copies of a
 * message than there were, another program has removed some, and nobody can
 * tell whether those that stayed or those that were gone.  Then as many fewer
 * are left out: to show a deleted message again is the lesser evil.
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_waste.h"

/* A message, or one that is gone, with its hash. */
struct item {
	const unsigned char *hash;
	size_t i;
};

static int
compare(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;
	int order = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	return order != 0 ? order : (a->i > b->i) - (a->i < b->i);
}

static int
compare_wasted(const void *va, const void *vb)
{
	const struct mbox_wasted *a = va, *b = vb;
	int order = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	return order != 0
	    ? order
	    : (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

static struct item *
sorted(const struct mbox *m, size_t count)
{
	struct item *list = calloc(count + 1, sizeof(*list));
	size_t i;

	if (list == NULL)
		return NULL;
	for (i = 0; i < count; i++)
		list[i] = (struct item){ m->uids[i].hash, i };
	qsort(list, count, sizeof(*list), compare);
	return list;
}

/* The one of ${n} equal messages with this number, or any that is left. */
static void
leave_out(const struct mbox *m, const struct item *there, size_t n,
    uint32_t ordinal, unsigned char *gone)
{
	size_t k, found = n;

	for (k = 0; k < n; k++) {
		if (gone[there[k].i])
			continue;
		if (found == n || m->uids[there[k].i].ordinal == ordinal)
			found = k;
		if (m->uids[there[k].i].ordinal == ordinal)
			break;
	}
	if (found < n)
		gone[there[found].i] = 1;
}

/* ${w} equal messages of the list are gone, ${n} are there. */
static size_t
match_group(const struct mbox *m, const struct mbox_wasted *list, size_t w,
    const struct item *there, size_t n, unsigned char *gone)
{
	size_t k, copies = 0, missing;

	for (k = 0; k < w; k++)
		if (list[k].copies > copies)
			copies = list[k].copies;
	missing = copies > n ? copies - n : 0;
	if (missing >= w)
		return 0;
	w -= missing;
	if (w > n)
		w = n;
	for (k = 0; k < w; k++)
		leave_out(m, there, n, list[k].ordinal, gone);
	return w;
}

long
mbox_waste_match(const struct mbox *m, struct mbox_wasted *list, size_t count,
    unsigned char *gone)
{
	size_t messages = m->index.count - m->internal, at = 0, i, n, w;
	struct item *there = sorted(m, messages);
	long found = 0;

	if (there == NULL)
		return -1;
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_wasted);
	for (i = 0; i < count; i += w) {
		for (w = 1; i + w < count &&
		     memcmp(list[i].hash, list[i + w].hash, MBOX_HASH_SIZE) ==
			 0;
		     w++)
			;
		while (at < messages &&
		    memcmp(there[at].hash, list[i].hash, MBOX_HASH_SIZE) < 0)
			at++;
		for (n = 0; at + n < messages &&
		     memcmp(there[at + n].hash, list[i].hash, MBOX_HASH_SIZE) ==
			 0;
		     n++)
			;
		found += (long)match_group(m, &list[i], w, there + at, n, gone);
	}
	free(there);
	return found;
}
