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
 * message that stayed is old, and the note has some of those, the anchors.  If
 * the last of them stands where it stood, nothing was removed before it, and
 * what is gone stands where it stood, too.  Otherwise a message is one that is
 * gone only if it lies before an anchor, and among all of them as it did; or
 * if it follows the last of them, with all that did.
 *
 * If there are fewer copies of a message than there were, another program has
 * removed some, and nobody can tell whether those that stayed or those that
 * were gone.  Then as many fewer are left out: to show a deleted message again
 * is the lesser evil.  doc/why/lazy-purge.md
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_waste.h"

static const struct mbox_record *
record(const struct mbox *m, size_t i)
{
	return &m->index.records[i + m->internal];
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

static bool
is_equal(const struct mbox_wasted *a, const struct mbox_wasted *b)
{
	return a->head == b->head &&
	    memcmp(a->hash, b->hash, MBOX_HASH_SIZE) == 0;
}

/* Is message ${i} equal to ${w}?  1, 0, or -1 with errno. */
static int
is_like(const struct mbox *m, size_t i, const struct mbox_wasted *w)
{
	unsigned char hash[MBOX_HASH_SIZE];

	if (i >= m->index.count - m->internal ||
	    record(m, i)->head_sum != w->head)
		return 0;
	if (mbox_waste_hash(m, i, hash) == -1)
		return -1;
	return memcmp(hash, w->hash, MBOX_HASH_SIZE) == 0;
}

/* Is the message where it was, behind as many others?  As is_like. */
static int
stands(const struct mbox *m, const struct mbox_wasted *w)
{
	if (w->number >= m->index.count - m->internal ||
	    record(m, w->number)->offset != w->offset)
		return 0;
	return is_like(m, w->number, w);
}

/* Nothing was removed before the last anchor: by number. */
static long
match_numbers(const struct mbox *m, const struct mbox_wasted *list,
    size_t count, unsigned char *gone)
{
	long found = 0;
	size_t i;
	int is;

	for (i = 0; i < count; i++) {
		if ((is = stands(m, &list[i])) == -1)
			return -1;
		if (is == 0 || gone[list[i].number])
			continue;
		gone[list[i].number] = POPPER_MARK_DELETED;
		found++;
	}
	return found;
}

/* An anchor, and where it is now. */
struct anchor {
	size_t number, at;
};

struct anchors {
	struct anchor list[MBOX_ANCHORS]; /* the last one first */
	size_t count;
	size_t old; /* so many messages are no new ones */
};

/* Those that are there, in their old order.  0, or -1 with errno. */
static int
find_anchors(const struct mbox *m, const struct mbox_wasted *a, size_t count,
    const struct mbox_items *items, struct anchors *found)
{
	size_t i, k, n, at;
	int is;

	found->count = 0;
	for (i = 0; i < count && found->count < MBOX_ANCHORS; i++) {
		k = mbox_items_find(items, &a[i], &n);
		if (n == 0)
			continue;
		if ((is = stands(m, &a[i])) == -1)
			return -1;
		/* Of equal ones the first is old for certain. */
		at = is == 1 ? a[i].number : items->list[k].i;
		if (found->count == 0 || at < found->list[found->count - 1].at)
			found->list[found->count++] =
			    (struct anchor){ a[i].number, at };
	}
	found->old = found->count == 0 ? 0 : found->list[0].at + 1;
	return 0;
}

/* What was gone behind all that stayed is old if all of it follows the last one
 * of these as it did.  The list is by number.  0, or -1 with errno. */
static int
find_end(const struct mbox *m, const struct mbox_wasted *list, size_t count,
    struct anchors *a)
{
	size_t i, next, old = a->old;
	int is;

	if (a->count == 0 || a->list[0].number != list[count].number)
		return 0;
	for (i = 0, next = list[count].number + 1; i < count; i++) {
		if (list[i].number != next)
			continue;
		if ((is = is_like(m, old, &list[i])) != 1)
			return is;
		next++;
		old++;
	}
	a->old = old;
	return 0;
}

/* Does message ${at} lie among the anchors as ${w} did?  Mail that came later
 * lies behind all of them. */
static bool
is_in_order(const struct anchors *a, const struct mbox_wasted *w, size_t at)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if ((a->list[i].number < w->number) != (a->list[i].at < at))
			return false;
	return at < a->old;
}

/* ${w} equal messages of the list are gone, ${n} are there. */
static size_t
match_group(const struct mbox_wasted *list, size_t w,
    const struct mbox_item *there, size_t n, const struct anchors *a,
    unsigned char *gone)
{
	size_t i, k, copies = 0, missing, found = 0;

	for (i = 0; i < w; i++)
		if (list[i].copies > copies)
			copies = list[i].copies;
	missing = copies > n ? copies - n : 0;
	for (i = 0; i + missing < w; i++) {
		if (list[i].place == 0 || list[i].place > n)
			continue;
		k = there[list[i].place - 1].i;
		if (gone[k] || !is_in_order(a, &list[i], k))
			continue;
		gone[k] = POPPER_MARK_DELETED;
		found++;
	}
	return found;
}

/* Another program has rewritten the mbox. */
static size_t
match_items(struct mbox_wasted *list, size_t count,
    const struct mbox_items *items, const struct anchors *a,
    unsigned char *gone)
{
	size_t i, w, n, at, k, found = 0;

	if (a->count == 0)
		return 0;
	if (count > 1)
		qsort(list, count, sizeof(*list), compare_wasted);
	for (i = 0; i < count; i += w) {
		for (w = 1; i + w < count && is_equal(&list[i], &list[i + w]);
		     w++)
			;
		at = mbox_items_find(items, &list[i], &n);
		for (k = 0; k < n && items->list[at + k].i < a->old; k++)
			;
		found += match_group(&list[i], w, items->list + at, k, a, gone);
	}
	return found;
}

long
mbox_waste_match(struct mbox *m, struct mbox_wasted *list, size_t count,
    size_t anchors, unsigned char *gone)
{
	const struct mbox_wasted *a = list + count;
	struct mbox_items items;
	struct anchors found;
	long result = -1;
	int is;

	mbox_waste_hashes(m, count);
	if ((is = anchors == 0 ? 1 : stands(m, a)) == -1)
		return -1;
	if (is == 1) {
		result = match_numbers(m, list, count, gone);
		if (result == -1 || result == (long)count || anchors == 0)
			return result;
		/* What was written into the last anchor moved the end. */
		memset(gone, 0, m->index.count - m->internal);
		result = -1;
	}
	if (mbox_items_gather(m, list, count + anchors, &items) == 0 &&
	    find_anchors(m, a, anchors, &items, &found) == 0 &&
	    find_end(m, list, count, &found) == 0)
		result = (long)match_items(list, count, &items, &found, gone);
	free(items.list);
	return result;
}
