/*
 * mbox_grown.c - an mbox that has an index of before new mail came, or of just
 * after a commit.
 *
 * Runs in: the session, as the user, at open, with the lock held.
 *
 * A delivery appends, so what the index says is true of the beginning.  But a
 * mail program may have rewritten the file, which is longer now.  There is no
 * sign of that but the content: each message of the index must begin where it
 * did, with the same separator line and header (mbox_head_is), by which a
 * session knows its messages all along; and the last one, read again, must come
 * out as it was.  Whoever removes, inserts or lengthens anything moves what
 * lies behind, or leaves a message that ends elsewhere than the next begins.
 * What would not be seen is a change of a body in place that leaves its size;
 * mail programs make none.  Everything is checked again when it is read, and
 * at a commit.
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_index.h"

#define FEW 16 /* new messages that are compared with each other one */

/* Is the index about this file, with the same options, when it was shorter?
 * Or of just after a commit, when it has no times (mbox_rest.c)? */
static bool
may_be_older(const struct mbox *m, const struct mbox_head *head)
{
	struct mbox_head ours = mbox_index_head(m);

	if (head->size > ours.size || head->mmdf != 0 ||
	    (head->size == ours.size && head->ctime[0] != 0))
		return false;
	ours.size = head->size;
	memcpy(ours.mtime, head->mtime, sizeof(ours.mtime));
	memcpy(ours.ctime, head->ctime, sizeof(ours.ctime));
	return memcmp(head, &ours, offsetof(struct mbox_head, count)) == 0;
}

/* Is every message where it was? */
static bool
are_there(struct mbox *m, const struct mbox_record *records, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (mbox_head_is(m->fd, &records[i]) != 1)
			return false;
		if (i % 1024 == 0)
			mbox_lock_keep(m);
	}
	return true;
}

static bool
is_same(const struct mbox_record *a, const struct mbox_record *b)
{
	return a->offset == b->offset && a->end == b->end &&
	    a->octets == b->octets && a->from_len == b->from_len &&
	    a->head_sum == b->head_sum && a->head_len == b->head_len;
}

/* Fill m->index from ${kept} and from what came behind it. */
static bool
go_on(struct mbox *m, const struct mbox_kept *kept)
{
	size_t count = (size_t)kept->head.count;
	struct mbox_index *x = &m->index;
	struct mbox_record last;

	x->records = mbox_kept_records(kept);
	if (x->records == NULL || !are_there(m, x->records, count))
		return false;
	x->count = x->room = count;
	last = x->records[count - 1];
	return mbox_scan(m, m->fd, MBOX_SCAN_WINDOW, x) == 0 &&
	    x->count >= count && is_same(&x->records[count - 1], &last);
}

int
mbox_look(struct mbox *m)
{
	struct mbox_kept *kept = mbox_kept_open(m);
	uint64_t size = m->index.size;

	if (kept != NULL && may_be_older(m, &kept->head) && go_on(m, kept)) {
		m->older = kept;
		return 0;
	}
	mbox_kept_close(kept);
	mbox_index_free(&m->index);
	m->index.size = size;
	return mbox_scan(m, m->fd, MBOX_SCAN_WINDOW, &m->index);
}

size_t
mbox_older_ids(struct mbox *m, size_t count)
{
	const struct mbox_kept *kept = m->older;
	struct mbox_uid *ids, *more;
	size_t known;

	if (kept == NULL || kept->head.internal != m->internal)
		return 0;
	known = (size_t)kept->head.count - m->internal;
	if (known > count)
		return 0;
	free(m->texts.ptr);
	m->texts = (struct mbox_texts){ .ptr = NULL };
	if ((ids = mbox_kept_uids(kept, &m->texts)) == NULL)
		return 0;
	if ((more = reallocarray(ids, count, sizeof(*ids))) == NULL) {
		free(ids);
		m->texts.len = 0;
		return 0;
	}
	memset(more + known, 0, (count - known) * sizeof(*more));
	m->uids = more;
	return known;
}

bool
mbox_number_new(struct mbox *m, size_t known, size_t count)
{
	size_t i, k;

	if (known == 0 || count - known > FEW || m->twins.count > 0)
		return false;
	for (i = known; i < count; i++) {
		if (m->uids[i].ordinal != 0)
			return false;
		for (k = 0; k < i; k++)
			if (memcmp(m->uids[k].hash, m->uids[i].hash,
				MBOX_HASH_SIZE) == 0)
				return false;
	}
	for (i = known; i < count; i++)
		m->uids[i].ordinal = 1;
	return true;
}
