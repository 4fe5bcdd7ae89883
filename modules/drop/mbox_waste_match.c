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

/* A message with what tells it from others. */
struct item {
	const unsigned char *hash;
	uint32_t ordinal;
	size_t i;
};

static int
compare(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;
	int order = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	return order != 0
	    ? order
	    : (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
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
		list[i] =
		    (struct item){ m->uids[i].hash, m->uids[i].ordinal, i };
	qsort(list, count, sizeof(*list), compare);
	return list;
}

/* The first of ${count} items that is not before ${hash}; or, with ${behind},
 * the first behind it. */
static size_t
find(const struct item *list, size_t count, const unsigned char *hash,
    bool behind)
{
	size_t low = 0, middle;
	int order;

	while (low < count) {
		middle = low + (count - low) / 2;
		order = memcmp(list[middle].hash, hash, MBOX_HASH_SIZE);
		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

int
mbox_waste_copies(const struct mbox *m, struct mbox_wasted *list, size_t count)
{
	size_t messages = m->index.count - m->internal, i;
	struct item *there = sorted(m, messages);

	if (there == NULL)
		return -1;
	for (i = 0; i < count; i++)
		list[i].copies =
		    (uint32_t)(find(there, messages, list[i].hash, true) -
			find(there, messages, list[i].hash, false));
	free(there);
	return 0;
}

/* Leave out ${w} of ${n} equal messages: those with the numbers of the list,
 * then any. */
static void
leave_out(const struct mbox_wasted *list, size_t w, const struct item *there,
    size_t n, unsigned char *gone)
{
	size_t i, k, left = w;

	for (i = k = 0; i < w && k < n;) {
		if (list[i].ordinal == there[k].ordinal) {
			left -= !gone[there[k].i];
			gone[there[k].i] = 1;
		}
		if (list[i].ordinal < there[k].ordinal)
			i++;
		else
			k++;
	}
	for (k = 0; k < n && left > 0; k++) {
		left -= !gone[there[k].i];
		gone[there[k].i] = 1;
	}
}

/* ${w} equal messages of the list are gone, ${n} are there. */
static size_t
match_group(const struct mbox_wasted *list, size_t w, const struct item *there,
    size_t n, unsigned char *gone)
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
	leave_out(list, w, there, n, gone);
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
		found += (long)match_group(&list[i], w, there + at, n, gone);
	}
	free(there);
	return found;
}
