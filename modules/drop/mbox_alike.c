/*
 * mbox_alike.c - does a message stay that is like one that goes?
 *
 * Runs in: the session, as the user, before a commit; see mbox_trash.c.
 *
 * An undelete must know of messages whose ids they brought along: others may
 * have brought the same ones, and then their numbers depend on their order.  If
 * none that stays is like it, by popper's own hash, one that is there later has
 * come back by another way, under whatever number.
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_trash.h"

#define DELETED POPPER_MARK_DELETED

/* A message that stays. */
struct item {
	unsigned char hash[MBOX_HASH_SIZE]; /* popper's own */
};

struct items {
	struct item *list;
	size_t count;
};

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, MBOX_HASH_SIZE);
}

static int
own_hash(const struct mbox *m, size_t i, unsigned char hash[MBOX_HASH_SIZE])
{
	return mbox_native_hash(
	    m->fd, &m->index.records[i + m->internal], hash);
}

/* Is it one whose id others may have? */
static bool
is_shared(const struct mbox *m, const struct mbox_trashed *k)
{
	return k->copies > 1 && m->uids[k->number].text != 0;
}

/* The hashes of what goes and is not the only one, in order. */
static struct item *
wanted(const struct mbox *m, const struct mbox_batch *b, size_t *count)
{
	struct item *list = calloc(b->count + 1, sizeof(*list));
	size_t i;

	for (*count = 0, i = 0; list != NULL && i < b->count; i++)
		if (is_shared(m, &b->list[i]))
			memcpy(list[(*count)++].hash, b->list[i].hash,
			    MBOX_HASH_SIZE);
	if (*count > 1)
		qsort(list, *count, sizeof(*list), compare);
	return list;
}

/* What stays and has the id of one that goes. */
static int
list_staying(const struct mbox *m, const struct popper_changes *c,
    const struct mbox_batch *b, struct items *stay)
{
	struct item *want;
	size_t i, count;
	int failed = 0;

	stay->list = calloc(c->count + 1, sizeof(*stay->list));
	if (stay->list == NULL || (want = wanted(m, b, &count)) == NULL)
		return -1;
	for (i = 0; count > 0 && failed == 0 && i < c->count; i++)
		if ((c->marks[i] & DELETED) == 0 &&
		    bsearch(m->uids[i].hash, want, count, sizeof(*want),
			compare) != NULL)
			failed = own_hash(m, i, stay->list[stay->count++].hash);
	free(want);
	if (stay->count > 1)
		qsort(stay->list, stay->count, sizeof(*stay->list), compare);
	return failed;
}

/* Does one of them have that hash? */
static bool
is_staying(const struct items *stay, const unsigned char *hash)
{
	return stay->count > 0 &&
	    bsearch(hash, stay->list, stay->count, sizeof(*stay->list),
		compare) != NULL;
}

void
mbox_alike_find(
    const struct mbox *m, const struct popper_changes *c, struct mbox_batch *b)
{
	unsigned char hash[MBOX_HASH_SIZE];
	struct items stay = { .list = NULL };
	bool known = list_staying(m, c, b, &stay) == 0;
	size_t i;

	for (i = 0; i < b->count; i++) {
		struct mbox_trashed *k = &b->list[i];

		k->alike = m->uids[k->number].text == 0 ||
		    (is_shared(m, k) &&
			(!known || own_hash(m, k->number, hash) == -1 ||
			    is_staying(&stay, hash)));
	}
	free(stay.list);
}
