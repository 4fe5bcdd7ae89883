/*
 * mbox_read.c - a message, as it is stored, for a sink.
 *
 * Runs in: the session, as the user.
 *
 * What was read is believed only if it lay where it was scanned, so it is
 * looked at afterwards.  A message that fits the buffer costs one pread(2) and
 * one fstat(2), and if it is not there any more none of it has gone out.  So
 * does what TOP wants of a message, since the index has the length of its
 * header; the sink looks for the empty line all the same.
 */
#include <assert.h>
#include <stdlib.h>

#include "mbox.h"

#define LINE 80 /* octets of a line of the body, where they must be guessed */

/* What is to be read. */
struct part {
	size_t i; /* of this message */
	uint64_t at, end; /* in the file */
	size_t first; /* octets at first; all that is wanted, it seems */
	bool checked; /* what was poured lay there for certain */
};

/* The next octets, as far as the buffer goes. */
static int
fill(struct mbox *m, const struct part *p, size_t most, size_t *len,
    struct popper_error *e)
{
	uint64_t left = p->end - p->at;
	ssize_t n;

	*len = left < most ? (size_t)left : most;
	n = mbox_read_at(m->fd, m->buffer, *len, p->at);
	if (n == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: read", m->path);
	if ((size_t)n < *len)
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: cut by another program during the session", m->path);
	return 0;
}

static int
pour(struct mbox *m, struct part *p, struct popper_sink *sink,
    struct popper_error *e)
{
	size_t most = p->first, len;
	bool first = true;
	int more = 0;

	for (; p->at < p->end && more == 0; p->at += len) {
		if (fill(m, p, most, &len, e) == -1)
			return -1;
		p->checked =
		    first && (len < MBOX_BUFFER || p->at + len == p->end);
		if (first &&
		    (p->checked ? mbox_was_there(m, p->i, e)
				: mbox_is_there(m, p->i, e)) == -1)
			return -1;
		first = false;
		most = MBOX_BUFFER;
		more = sink->put(sink, popper_slice(m->buffer, len));
	}
	if (more == -1)
		return m->host->fail(
		    e, POPPER_TEMPORARY, "the message was not taken");
	return 0;
}

static int
read_part(struct mbox *m, struct part *p, struct popper_sink *sink,
    struct popper_error *e)
{
	if (m->buffer == NULL && (m->buffer = malloc(MBOX_BUFFER)) == NULL)
		return m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	if (pour(m, p, sink, e) == -1)
		return -1;
	return p->checked ? 0 : mbox_was_there(m, p->i, e);
}

/* All of message ${i}: its record, or NULL. */
static const struct mbox_record *
find(struct mbox *m, size_t i, struct part *p, struct popper_error *e)
{
	const struct mbox_record *r;

	assert(i < m->index.count - m->internal);
	if (mbox_records(m, e) == -1)
		return NULL;
	r = &m->index.records[i + m->internal];
	*p = (struct part){ .i = i,
		.at = r->offset + r->from_len,
		.end = r->end,
		.first = MBOX_BUFFER };
	return r;
}

int
mbox_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	struct part p;

	if (find(m, i, &p, e) == NULL)
		return -1;
	p.at = offset < p.end - p.at ? p.at + offset : p.end;
	return read_part(m, &p, sink, e);
}

int
mbox_top(void *self, size_t i, uint64_t lines, struct popper_sink *sink,
    struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	const struct mbox_record *r;
	struct part p;

	if ((r = find(m, i, &p, e)) == NULL)
		return -1;
	if (r->head_len > 0 &&
	    lines < (size_t)(MBOX_BUFFER - r->head_len) / LINE)
		p.first = r->head_len + (size_t)lines * LINE;
	return read_part(m, &p, sink, e);
}
