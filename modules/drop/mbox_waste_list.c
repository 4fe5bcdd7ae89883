/*
 * mbox_waste_list.c - what the note of deleted messages says of each.
 *
 * Runs in: the session, as the user, at open and at a lazy QUIT; see
 * mbox_waste.c.
 *
 * A message is known by popper's own hash of it and by the sum of how it
 * begins, whatever unique-id it has.  The sums are in the index, so only
 * messages that begin like one of those in question are read.
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_waste.h"

#define MANY 1000 /* hashes: the index may have all of them */
#define ANCHORS_NEAR 16 /* the last ones; before that ever fewer */

static const struct mbox_record *
record(const struct mbox *m, size_t i)
{
	return &m->index.records[i + m->internal];
}

static size_t
messages(const struct mbox *m)
{
	return m->index.count - m->internal;
}

void
mbox_waste_hashes(struct mbox *m, size_t n)
{
	struct popper_error ignored;

	if (n > MANY && m->uids == NULL)
		(void)mbox_uids(m, &ignored);
}

int
mbox_waste_hash(
    const struct mbox *m, size_t i, unsigned char hash[MBOX_HASH_SIZE])
{
	if (m->uids == NULL || m->uids[i].text != 0)
		return mbox_native_hash(m->fd, record(m, i), hash);
	memcpy(hash, m->uids[i].hash, MBOX_HASH_SIZE);
	return 0;
}

/* --- Order --- */

/* Are they equal messages?  As memcmp answers. */
static int
order(const struct mbox_item *a, const struct mbox_wasted *b)
{
	int diff = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	return diff != 0 ? diff : (a->head > b->head) - (a->head < b->head);
}

static int
compare(const void *va, const void *vb)
{
	const struct mbox_item *a = va, *b = vb;
	int diff = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	if (diff == 0)
		diff = (a->head > b->head) - (a->head < b->head);
	return diff != 0 ? diff : (a->i > b->i) - (a->i < b->i);
}

static int
compare_heads(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* --- What may be equal to what is noted --- */

static int
gather(const struct mbox *m, const uint32_t *heads, size_t n,
    struct mbox_items *out)
{
	struct mbox_item *item;
	size_t i;

	for (i = 0; i < messages(m); i++) {
		if (bsearch(&record(m, i)->head_sum, heads, n, sizeof(*heads),
			compare_heads) == NULL)
			continue;
		item = &out->list[out->count++];
		item->head = record(m, i)->head_sum;
		item->i = (uint32_t)i;
		if (mbox_waste_hash(m, i, item->hash) == -1)
			return -1;
	}
	qsort(out->list, out->count, sizeof(*out->list), compare);
	return 0;
}

int
mbox_items_gather(struct mbox *m, const struct mbox_wasted *list, size_t n,
    struct mbox_items *out)
{
	uint32_t *heads = calloc(n + 1, sizeof(*heads));
	size_t i;
	int result = -1;

	out->count = 0;
	out->list = calloc(messages(m) + 1, sizeof(*out->list));
	if (heads == NULL || out->list == NULL)
		goto out;
	for (i = 0; i < n; i++)
		heads[i] = list[i].head;
	qsort(heads, n, sizeof(*heads), compare_heads);
	mbox_waste_hashes(m, n);
	result = gather(m, heads, n, out);
out:
	free(heads);
	return result;
}

size_t
mbox_items_find(
    const struct mbox_items *items, const struct mbox_wasted *w, size_t *n)
{
	size_t low = 0, high = items->count, middle, first;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (order(&items->list[middle], w) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	first = low;
	for (high = items->count; low < high;) {
		middle = low + (high - low) / 2;
		if (order(&items->list[middle], w) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	*n = low - first;
	return first;
}

/* --- To be written down --- */

static struct mbox_wasted
describe(const struct mbox *m, size_t i)
{
	return (struct mbox_wasted){ .octets = record(m, i)->octets,
		.offset = record(m, i)->offset,
		.number = (uint32_t)i,
		.head = record(m, i)->head_sum };
}

/* Which of ${n} equal messages is message ${i}, from 1 on? */
static uint32_t
place_of(const struct mbox_item *equals, size_t n, uint32_t i)
{
	size_t low = 0, middle;

	while (low < n) {
		middle = low + (n - low) / 2;
		if (equals[middle].i < i)
			low = middle + 1;
		else
			n = middle;
	}
	return (uint32_t)low + 1;
}

/* Fill hash, place and copies. */
static int
fill(struct mbox *m, struct mbox_wasted *list, size_t count)
{
	struct mbox_items items;
	size_t i, k, n;
	int result = -1;

	for (i = 0; i < count; i++)
		if (mbox_waste_hash(m, list[i].number, list[i].hash) == -1)
			return -1;
	if (mbox_items_gather(m, list, count, &items) == -1)
		goto out;
	for (i = 0; i < count; i++) {
		k = mbox_items_find(&items, &list[i], &n);
		list[i].copies = (uint32_t)n;
		list[i].place = place_of(items.list + k, n, list[i].number);
	}
	result = 0;
out:
	free(items.list);
	return result;
}

struct mbox_wasted *
mbox_waste_list(struct mbox *m, const unsigned char *marks, uint64_t *count,
    uint64_t *anchors)
{
	size_t i, n = 0, kept = 0, next = 0;
	struct mbox_wasted *list = calloc(messages(m) + 1, sizeof(*list));

	if (list == NULL)
		return NULL;
	for (i = 0; i < messages(m); i++)
		if ((marks[i] & POPPER_MARK_DELETED) != 0)
			list[n++] = describe(m, i);
	*count = n;
	for (i = messages(m); i-- > 0 && n < *count + MBOX_ANCHORS;) {
		if ((marks[i] & POPPER_MARK_DELETED) != 0 || kept++ != next)
			continue;
		list[n++] = describe(m, i);
		next += next < ANCHORS_NEAR ? 1 : next / 2;
	}
	*anchors = n - *count;
	if (fill(m, list, n) == 0)
		return list;
	free(list);
	return NULL;
}
