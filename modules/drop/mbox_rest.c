/*
 * mbox_rest.c - an index of what a commit has left.
 *
 * Runs in: the session, as the user, after a commit.
 *
 * The commit knows where every message lies that it kept, so the next session
 * need not read a large mbox from end to end because one message went.  The
 * file has just changed, so its times prove nothing: the index has none, and is
 * believed only after the mail itself was looked at, as if new mail had come
 * (mbox_grown.c).
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_index.h"

#define WORTH ((uint64_t)1 << 20) /* octets; less is read as quickly */

/* So many octets has the message more than before; less than none wrap. */
static uint64_t
longer(const struct mbox *m, const struct mbox_record *r)
{
	return m->lead > 0 && r->offset == m->padded
	    ? (uint64_t)m->lead - r->from_len
	    : 0;
}

/* Keep record ${i} as number ${*n}; ${gone} octets before it went. */
static void
keep(struct mbox *m, size_t i, size_t *n, uint64_t gone)
{
	struct mbox_record r = m->index.records[i];

	r.offset -= gone;
	r.end -= gone - longer(m, &m->index.records[i]);
	if (m->lead > 0 && m->index.records[i].offset == m->padded)
		r.from_len = m->lead;
	m->index.records[*n] = r;
	if (m->uids != NULL && i >= m->internal)
		m->uids[*n - m->internal] = m->uids[i - m->internal];
	(*n)++;
}

/* Take what was removed, and what came meanwhile, out of the index. */
static void
take_out(struct mbox *m, const struct popper_changes *c)
{
	struct mbox_index *x = &m->index;
	size_t last = c->count + m->internal, i, n = 0;
	uint64_t gone = 0, end = mbox_region_end(x, last - 1), next;
	uint64_t more;

	for (i = 0; i < last; i++) {
		next = mbox_region_end(x, i);
		if (i >= m->internal &&
		    (c->marks[i - m->internal] & POPPER_MARK_DELETED) != 0)
			gone += next - x->records[i].offset;
		else {
			more = longer(m, &x->records[i]);
			keep(m, i, &n, gone);
			gone -= more;
		}
	}
	x->count = n;
	x->size = end - gone;
}

void
mbox_index_keep_rest(struct mbox *m, const struct popper_changes *c)
{
	struct mbox_head head = mbox_index_head(m);

	if (m->index.records == NULL || m->index.mmdf || m->waste != NULL ||
	    m->index.count < c->count + m->internal)
		return;
	take_out(m, c);
	if (m->index.size < WORTH || m->index.count <= m->internal)
		return;
	head.size = m->index.size;
	memset(head.mtime, 0, sizeof(head.mtime));
	memset(head.ctime, 0, sizeof(head.ctime));
	mbox_index_write(m, &head);
}
