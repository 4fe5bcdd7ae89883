/*
 * mbox_read.c - a message, as it is stored, for a sink.
 *
 * Runs in: the session, as the user.
 *
 * What was read is believed only if it lay where it was scanned, so it is
 * looked at afterwards.  A message that fits the buffer costs one pread(2) and
 * one fstat(2), and if it is not there any more none of it has gone out.
 */
#include <assert.h>
#include <stdlib.h>

#include "mbox.h"

/* The octets of message ${i} from ${at} on, as far as the buffer goes. */
static int
fill(struct mbox *m, size_t i, uint64_t at, size_t *len, struct popper_error *e)
{
	uint64_t left = m->index.records[i + m->internal].end - at;
	ssize_t n;

	*len = left < MBOX_BUFFER ? (size_t)left : MBOX_BUFFER;
	n = mbox_read_at(m->fd, m->buffer, *len, at);
	if (n == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: read", m->path);
	if ((size_t)n < *len)
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: cut by another program during the session", m->path);
	return 0;
}

/* Pour from ${at} on.  ${checked}: all of it lay there for certain. */
static int
pour(struct mbox *m, size_t i, uint64_t at, struct popper_sink *sink,
    bool *checked, struct popper_error *e)
{
	uint64_t end = m->index.records[i + m->internal].end;
	bool first = true;
	int more = 0;
	size_t len;

	for (; at < end && more == 0; at += len) {
		if (fill(m, i, at, &len, e) == -1)
			return -1;
		*checked = first && at + len == end;
		if (first &&
		    (*checked ? mbox_was_there(m, i, e)
			      : mbox_is_there(m, i, e)) == -1)
			return -1;
		first = false;
		more = sink->put(sink, popper_slice(m->buffer, len));
	}
	if (more == -1)
		return m->host->fail(
		    e, POPPER_TEMPORARY, "the message was not taken");
	return 0;
}

int
mbox_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	const struct mbox_record *r;
	bool checked = false;
	uint64_t at;

	assert(i < m->index.count - m->internal);
	if (mbox_records(m, e) == -1)
		return -1;
	r = &m->index.records[i + m->internal];
	at = r->offset + r->from_len;
	at = offset < r->end - at ? at + offset : r->end;
	if (m->buffer == NULL && (m->buffer = malloc(MBOX_BUFFER)) == NULL)
		return m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	if (pour(m, i, at, sink, &checked, e) == -1)
		return -1;
	return checked ? 0 : mbox_was_there(m, i, e);
}
