/*
 * mbox_waste_match.c - which messages are gone, once the mbox has changed?
 *
 * Runs in: the session, as the user, at open and at a lazy QUIT; see
 * mbox_waste.c.
 *
 * A message is known by popper's own hash of it and by the sum of how it
 * begins, whatever unique-id it has.  That is not enough: a message that was
 * gone may come once more, octet by octet, and what has newly come must never
 * be taken for what is gone, and be removed with it.
 *
 * Mail is added at the end, behind all that was there.  So what lies before a
 * message that stayed is old, and the note has some of those, the anchors: at
 * most what lies before the last of them is gone.  What was gone behind them,
 * at the end of the mbox, is so only while it stands where it stood, and the
 * last anchor, too.
 *
 * If there are fewer copies of a message than there were, another program has
 * removed some, and nobody can tell whether those that stayed or those that
 * were gone.  Then as many fewer are left out: to show a deleted message again
 * is the lesser evil.  doc/why/lazy-purge.md
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_waste.h"

#define MANY 1000 /* hashes: the index may have them all */
#define ANCHORS_NEAR 16 /* the last ones; before that ever fewer */

/* A message with what tells it from others. */
struct item {
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t head; /* as in struct mbox_wasted */
	uint32_t i;
};

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

/* Popper's own hash; an id that is made of it has it.  0, or -1 with errno. */
static int
hash_of(const struct mbox *m, size_t i, unsigned char hash[MBOX_HASH_SIZE])
{
	if (m->uids == NULL || m->uids[i].text != 0)
		return mbox_native_hash(m->fd, record(m, i), hash);
	memcpy(hash, m->uids[i].hash, MBOX_HASH_SIZE);
	return 0;
}

/* --- Order --- */

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
	return diff != 0 ? diff : (a->i > b->i) - (a->i < b->i);
}

static int
compare_wasted(const void *va, const void *vb)
{
	const struct mbox_wasted *a = va, *b = vb;
	int diff = memcmp(a->hash, b->hash, MBOX_HASH_SIZE);

	if (diff == 0)
		diff = (a->head > b->head) - (a->head < b->head);
	return diff != 0 ? diff : (a->place > b->place) - (a->place < b->place);
}

static int
compare_heads(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static int
compare_numbers(const void *va, const void *vb)
{
	const struct mbox_wasted *a = va, *b = vb;

	return (a->number > b->number) - (a->number < b->number);
}

static bool
is_equal(const struct mbox_wasted *a, const struct mbox_wasted *b)
{
	return a->head == b->head &&
	    memcmp(a->hash, b->hash, MBOX_HASH_SIZE) == 0;
}

/* --- What may be equal to what is noted --- */

struct items {
	struct item *list; /* sorted */
	size_t count;
};

static int
gather(const struct mbox *m, const uint32_t *heads, size_t n, struct items *out)
{
	struct item *item;
	size_t i;

	for (i = 0; i < messages(m); i++) {
		if (bsearch(&record(m, i)->head_sum, heads, n, sizeof(*heads),
			compare_heads) == NULL)
			continue;
		item = &out->list[out->count++];
		item->head = record(m, i)->head_sum;
		item->i = (uint32_t)i;
		if (hash_of(m, i, item->hash) == -1)
			return -1;
	}
	qsort(out->list, out->count, sizeof(*out->list), compare);
	return 0;
}

/* All messages that begin like one of the ${n} of ${list}; out->list is to be
 * freed in either case.  0, or -1 with errno. */
static int
find_items(
    struct mbox *m, const struct mbox_wasted *list, size_t n, struct items *out)
{
	uint32_t *heads = calloc(n + 1, sizeof(*heads));
	struct popper_error ignored;
	size_t i;
	int result = -1;

	out->count = 0;
	out->list = calloc(messages(m) + 1, sizeof(*out->list));
	if (heads == NULL || out->list == NULL)
		goto out;
	for (i = 0; i < n; i++)
		heads[i] = list[i].head;
	qsort(heads, n, sizeof(*heads), compare_heads);
	if (n > MANY && m->uids == NULL)
		(void)mbox_uids(m, &ignored);
	result = gather(m, heads, n, out);
out:
	free(heads);
	return result;
}

/* The first item that is not before ${w}, and in ${n} how many equal it. */
static size_t
find(const struct items *items, const struct mbox_wasted *w, size_t *n)
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
place_of(const struct item *equals, size_t n, uint32_t i)
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
	struct items items;
	size_t i, k, n;
	int result = -1;

	for (i = 0; i < count; i++)
		if (hash_of(m, list[i].number, list[i].hash) == -1)
			return -1;
	if (find_items(m, list, count, &items) == -1)
		goto out;
	for (i = 0; i < count; i++) {
		k = find(&items, &list[i], &n);
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
	for (i = messages(m); i-- > 0;) {
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

/* --- To be found again --- */

/* Is the message where it was, behind as many others? */
static bool
stands(const struct mbox *m, const struct mbox_wasted *w)
{
	unsigned char hash[MBOX_HASH_SIZE];

	return w->number < messages(m) &&
	    record(m, w->number)->offset == w->offset &&
	    record(m, w->number)->head_sum == w->head &&
	    hash_of(m, w->number, hash) == 0 &&
	    memcmp(hash, w->hash, MBOX_HASH_SIZE) == 0;
}

/* How many messages, from the first on, were certainly there.  The list is by
 * number. */
static size_t
count_old(const struct mbox *m, const struct mbox_wasted *list, size_t count,
    size_t anchors, const struct items *items)
{
	const struct mbox_wasted *a = list + count;
	size_t i, k, n, old = 0, last = anchors == 0 ? 0 : a->number + 1;
	bool stood = anchors == 0 || stands(m, a);

	if (stood)
		old = last;
	for (i = 0; i < anchors && !stood; i++) {
		k = find(items, &a[i], &n);
		if (stands(m, &a[i]))
			old = old > a[i].number ? old : a[i].number + 1;
		else if (n > 0 && items->list[k].i >= old)
			old = items->list[k].i + 1;
	}
	for (i = 0; i < count && stood; i++)
		if (list[i].number == last && (stood = stands(m, &list[i])))
			old = ++last;
	return old;
}

/* Leave out ${w} of ${n} equal messages: those of the list, then any. */
static void
leave_out(const struct mbox_wasted *list, size_t w, const struct item *there,
    size_t n, unsigned char *gone)
{
	size_t i, k, left = w;

	for (i = 0; i < w; i++) {
		if (list[i].place == 0 || list[i].place > n)
			continue;
		k = there[list[i].place - 1].i;
		left -= !gone[k];
		gone[k] = POPPER_MARK_DELETED;
	}
	for (k = 0; k < n && left > 0; k++) {
		left -= !gone[there[k].i];
		gone[there[k].i] = POPPER_MARK_DELETED;
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

/* Of those that are old. */
static size_t
match(struct mbox_wasted *list, size_t count, const struct items *items,
    size_t old, unsigned char *gone)
{
	size_t i, w, n, at, k, found = 0;

	if (count > 1)
		qsort(list, count, sizeof(*list), compare_wasted);
	for (i = 0; i < count; i += w) {
		for (w = 1; i + w < count && is_equal(&list[i], &list[i + w]);
		     w++)
			;
		at = find(items, &list[i], &n);
		for (k = 0; k < n && items->list[at + k].i < old; k++)
			;
		found += match_group(&list[i], w, items->list + at, k, gone);
	}
	return found;
}

long
mbox_waste_match(struct mbox *m, struct mbox_wasted *list, size_t count,
    size_t anchors, unsigned char *gone)
{
	struct items items;
	long found = -1;

	if (find_items(m, list, count + anchors, &items) == 0) {
		qsort(list, count, sizeof(*list), compare_numbers);
		found = (long)match(list, count, &items,
		    count_old(m, list, count, anchors, &items), gone);
	}
	free(items.list);
	return found;
}
