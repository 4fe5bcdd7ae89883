/*
 * mbox_waste_match.c - which messages are gone, once the mbox has changed?
 *
 * Runs in: the session, as the user, at open; see mbox_waste.c.
 *
 * By hash and, of equal messages, by number.  Where the hash is that of an id
 * which the message brought along, the beginning of its header counts, too: any
 * sender can write such an id, and what nobody has deleted must not be taken
 * for what is gone, and be removed with it.  If there are fewer copies of a
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
	uint32_t head; /* as in struct mbox_wasted */
	uint32_t ordinal;
	size_t i;
};

uint32_t
mbox_waste_head(const struct mbox *m, size_t i)
{
	return m->uids[i].text == 0
	    ? 0
	    : m->index.records[i + m->internal].head_sum;
}

/* Are they equal messages?  As memcmp answers. */
static int
order(const struct item *a, const struct mbox_wasted *b)
{
	int diff = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	return diff != 0 ? diff : (a->head > b->head) - (a->head < b->head);
}

static int
compare(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;
	int diff = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	if (diff == 0)
		diff = (a->head > b->head) - (a->head < b->head);
	return diff != 0
	    ? diff
	    : (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

static int
compare_wasted(const void *va, const void *vb)
{
	const struct mbox_wasted *a = va, *b = vb;
	const struct item x = { a->hash, a->head, a->ordinal, 0 };
	const struct item y = { b->hash, b->head, b->ordinal, 0 };

	return compare(&x, &y);
}

static bool
is_equal(const struct mbox_wasted *a, const struct mbox_wasted *b)
{
	return a->head == b->head &&
	    memcmp(a->hash, b->hash, MBOX_HASH_SIZE) == 0;
}

static struct item *
sorted(const struct mbox *m, size_t count)
{
	struct item *list = calloc(count + 1, sizeof(*list));
	size_t i;

	if (list == NULL)
		return NULL;
	for (i = 0; i < count; i++)
		list[i] = (struct item){ m->uids[i].hash, mbox_waste_head(m, i),
			m->uids[i].ordinal, i };
	qsort(list, count, sizeof(*list), compare);
	return list;
}

/* The first of ${count} items that is not before ${w}; or, with ${behind}, the
 * first behind it. */
static size_t
find(const struct item *list, size_t count, const struct mbox_wasted *w,
    bool behind)
{
	size_t low = 0, middle;
	int diff;

	while (low < count) {
		middle = low + (count - low) / 2;
		diff = order(&list[middle], w);
		if (diff < 0 || (behind && diff == 0))
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
		    (uint32_t)(find(there, messages, &list[i], true) -
			find(there, messages, &list[i], false));
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
		for (w = 1; i + w < count && is_equal(&list[i], &list[i + w]);
		     w++)
			;
		while (at < messages && order(&there[at], &list[i]) < 0)
			at++;
		for (n = 0;
		     at + n < messages && order(&there[at + n], &list[i]) == 0;
		     n++)
			;
		found += (long)match_group(&list[i], w, there + at, n, gone);
	}
	free(there);
	return found;
}
