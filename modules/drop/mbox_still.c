/*
 * mbox_still.c - is what was scanned still true?
 *
 * Runs in: the session, as the user.
 *
 * Between scan and commit no lock is held, so mail may come and a mail program
 * may rewrite the file, also while we read a message.  What is read is believed
 * only if it lay where it was scanned before and afterwards, and afterwards is
 * looked at with the lock, for the program may be in the middle.  Separator
 * lines are not enough to tell: those of the same second and sender are equal,
 * and so may be the sizes.  So the beginning of the header counts, too.
 */
#include <errno.h>
#include <fcntl.h>

#include "mbox.h"
#include "mbox_header.h"

#define BREAKS 2 /* LF that a delivery may put before its separator */

int
mbox_head_is(int fd, const struct mbox_record *r)
{
	char text[MBOX_LOOK];
	size_t len = MBOX_FROM_MAX;
	ssize_t n;

	if (r->from_len > MBOX_FROM_MAX)
		len = sizeof(text);
	if (r->end - r->offset < len)
		len = (size_t)(r->end - r->offset);
	n = mbox_read_at(fd, text, len, r->offset);
	if (n == -1)
		return -1;
	return (size_t)n == len &&
	    mbox_head_sum(text, len, r->from_len) == r->head_sum;
}

/* Does ${now} begin with the very messages of ${before}? */
static bool
is_continued(const struct mbox_index *before, const struct mbox_index *now)
{
	const struct mbox_record *a, *b;
	size_t i;

	if (now->count < before->count)
		return false;
	for (i = 0; i < before->count; i++) {
		a = &before->records[i];
		b = &now->records[i];
		if (a->offset != b->offset || a->end != b->end ||
		    a->octets != b->octets || a->from_len != b->from_len ||
		    a->head_sum != b->head_sum)
			return false;
	}
	return true;
}

static int
changed(struct mbox *m, struct popper_error *e)
{
	return m->host->fail(e, POPPER_TEMPORARY,
	    "%s: rewritten by another program during the session", m->path);
}

int
mbox_is_there(struct mbox *m, size_t i, struct popper_error *e)
{
	const struct mbox_record *r = &m->index.records[i + m->internal];
	struct stat st;
	int is;

	if (fstat(m->fd, &st) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", m->path);
	if (mbox_is_untouched(m, &st))
		return 0;
	if ((is = mbox_head_is(m->fd, r)) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: read", m->path);
	return (uint64_t)st.st_size < r->end || is == 0 ? changed(m, e) : 0;
}

/* Does the file end where it was scanned to, or does another message begin
 * there?  1, 0, or -1 with errno. */
static int
ends(const struct mbox *m)
{
	char text[BREAKS + MBOX_FROM_MAX];
	struct stat st;
	ssize_t n;
	int i = 0;

	if (fstat(m->fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size <= m->index.size)
		return (uint64_t)st.st_size == m->index.size;
	n = mbox_read_at(m->fd, text, sizeof(text), m->index.size);
	if (n == -1)
		return -1;
	while (i < BREAKS && i < n && text[i] == '\n')
		i++;
	n -= i;
	return m->index.mmdf ? mbox_mmdf(text + i, (size_t)n) > 0
			     : mbox_from(text + i, (size_t)n) > 0;
}

int
mbox_was_there(struct mbox *m, size_t i, struct popper_error *e)
{
	size_t next = i + m->internal + 1;
	struct stat st;
	int is;

	if (fstat(m->fd, &st) == 0 && mbox_is_untouched(m, &st))
		return 0;
	if (mbox_lock(m, F_RDLCK, e) == -1)
		return -1;
	is = mbox_is_there(m, i, e);
	if (is == 0) {
		is = next < m->index.count
		    ? mbox_head_is(m->fd, &m->index.records[next])
		    : ends(m);
		if (is == -1)
			m->host->fail_system(
			    e, POPPER_TEMPORARY, "%s: read", m->path);
		else
			is = is == 1 ? 0 : changed(m, e);
	}
	mbox_unlock(m);
	return is;
}

int
mbox_unchanged(struct mbox *m, struct mbox_index *now, struct popper_error *e)
{
	struct stat st;

	if (fstat(m->fd, &st) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", m->path);
	if (mbox_is_untouched(m, &st))
		return 0;
	now->size = (uint64_t)st.st_size;
	if (mbox_scan(m, m->fd, MBOX_SCAN_WINDOW, now) == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: changed by another program, cannot be read again",
		    m->path);
	return is_continued(&m->index, now) ? 0 : changed(m, e);
}

int
mbox_still(struct mbox *m, struct popper_error *e)
{
	struct mbox_index now = { .records = NULL };
	struct stat st;
	int result;

	bool held = m->lock.kernel;

	if (m->fd == -1)
		return 0; /* there was no file, and so no message */
	if (fstat(m->fd, &st) == 0 && mbox_is_untouched(m, &st))
		return 0;
	if (!held && mbox_lock(m, F_RDLCK, e) == -1)
		return -1;
	result = mbox_unchanged(m, &now, e);
	if (!held)
		mbox_unlock(m);
	mbox_index_free(&now);
	return result;
}
