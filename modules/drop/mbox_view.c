/*
 * mbox_view.c - the driver without the messages that are gone.
 *
 * Runs in: the session, as the user.
 *
 * A lazy QUIT writes down what is gone and leaves the mbox alone.  It needs the
 * lock only if somebody has written to the mbox since it was scanned, or if it
 * is to be read (option trash).  If it cannot be written down, messages are
 * removed as with purge = quit: that may be what makes room again.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_foreign.h"
#include "mbox_index.h"
#include "mbox_trash.h"
#include "mbox_waste.h"

size_t
mbox_view_count(const void *self)
{
	const struct mbox *m = self;

	return m->waste == NULL ? m->index.count - m->internal
				: m->waste->messages - m->waste->count;
}

/* The number of message ${i} in the mbox. */
static size_t
number(const struct mbox *m, size_t i)
{
	assert(i < mbox_view_count(m));
	return m->waste == NULL ? i : m->waste->shown[i];
}

int
mbox_view_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *e)
{
	return mbox_describe(
	    self, number(mbox_from_self(self), i), want, message, e);
}

int
mbox_view_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	return mbox_read(
	    self, number(mbox_from_self(self), i), offset, sink, e);
}

int
mbox_view_top(void *self, size_t i, uint64_t lines, struct popper_sink *sink,
    struct popper_error *e)
{
	return mbox_top(self, number(mbox_from_self(self), i), lines, sink, e);
}

int
mbox_view_total(void *self, uint64_t *octets, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	size_t i;

	if (mbox_total(self, octets, e) == -1)
		return -1;
	if (m->waste == NULL)
		return 0;
	/* Without the records, what was written down is believed. */
	if (m->index.records == NULL && m->waste->octets <= *octets) {
		*octets -= m->waste->octets;
		return 0;
	}
	if (mbox_records(m, e) == -1)
		return -1;
	*octets = 0;
	for (i = 0; i < mbox_view_count(m); i++)
		*octets += m->index.records[number(m, i) + m->internal].octets;
	return 0;
}

/* --- Lists --- */

struct shown_only {
	struct popper_lister lister;
	struct popper_lister *to;
	const struct mbox_waste *waste;
	size_t next;
};

static int
put_shown(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct shown_only *s = (struct shown_only *)(void *)lister;

	return s->waste->gone[i] ? 0
				 : s->to->put(s->to, s->next++, octets, uid);
}

int
mbox_view_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *e)
{
	const struct mbox *m = mbox_from_self(self);
	struct shown_only s = {
		.lister = { put_shown }, .to = lister, .waste = m->waste
	};

	return mbox_list(self, want, m->waste == NULL ? lister : &s.lister, e);
}

struct shown_lines {
	struct popper_sink sink;
	struct popper_sink *to;
	const struct mbox_waste *waste;
	size_t line;
};

/* Lines come in whatever pieces. */
static int
put_lines(struct popper_sink *sink, struct popper_slice piece)
{
	struct shown_lines *s = (struct shown_lines *)(void *)sink;
	const char *lf;
	size_t len;
	int more = 0;

	while (piece.len > 0 && more == 0) {
		lf = memchr(piece.ptr, '\n', piece.len);
		len = lf == NULL ? piece.len : (size_t)(lf - piece.ptr) + 1;
		if (s->line < s->waste->messages && !s->waste->gone[s->line])
			more = s->to->put(s->to, popper_slice(piece.ptr, len));
		s->line += lf != NULL;
		piece = popper_slice(piece.ptr + len, piece.len - len);
	}
	return more;
}

int
mbox_view_export(void *self, struct popper_sink *sink, struct popper_error *e)
{
	const struct mbox *m = mbox_from_self(self);
	struct shown_lines s = {
		.sink = { put_lines }, .to = sink, .waste = m->waste
	};

	return mbox_export_uids(self, m->waste == NULL ? sink : &s.sink, e);
}

/* --- Commit --- */

/* The marks of all messages in the mbox; to be freed, or NULL. */
static unsigned char *
all_marks(const struct mbox *m, const struct popper_changes *c)
{
	size_t i, count = m->index.count - m->internal;
	unsigned char *marks = calloc(count + 1, 1);

	if (marks == NULL)
		return NULL;
	for (i = 0; m->waste != NULL && i < count; i++)
		if (m->waste->gone[i])
			marks[i] = POPPER_MARK_DELETED | MBOX_MARK_WASTED;
	for (i = 0; i < c->count; i++)
		marks[number(m, i)] = c->marks[i];
	return marks;
}

/* Nobody may have changed what was scanned.  ${proven}: nobody has written. */
static int
see_mbox(struct mbox *m, bool *proven, struct popper_error *e)
{
	struct mbox_index now = { .records = NULL };
	struct stat st;
	int result;

	if (fstat(m->fd, &st) == -1 || !mbox_is_current(m))
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: replaced by another file; nothing removed", m->path);
	*proven = mbox_is_untouched(m, &st);
	if (*proven && m->conf->trash == 0)
		return 0;
	if (mbox_lock(m, F_RDLCK, e) == -1)
		return -1;
	result = mbox_unchanged(m, &now, e);
	mbox_index_free(&now);
	if (result == -1)
		mbox_unlock(m);
	return result;
}

/* Write down what is gone.  POPPER_NOT_DONE without an error: remove it. */
static enum popper_outcome
note(struct mbox *m, const struct popper_changes *c, bool *refused,
    struct popper_error *e)
{
	struct mbox_batch kept = { .list = NULL };
	enum popper_outcome outcome = POPPER_NOT_DONE;
	bool proven = false;

	*refused = true;
	if ((m->conf->trash > 0 && mbox_uids(m, e) == -1) ||
	    see_mbox(m, &proven, e) == -1)
		return POPPER_NOT_DONE;
	if (m->conf->trash == 0 || mbox_trash_keep(m, c, &kept, e) == 0) {
		outcome = mbox_waste_write(m, c->marks, proven);
		if (outcome != POPPER_DONE)
			m->host->fail_system(e, POPPER_TEMPORARY,
			    "%s: cannot write the state file " MBOX_WASTE
			    " of %s",
			    m->path, m->user);
		*refused = outcome == POPPER_UNKNOWN;
		if (*kept.name != '\0')
			mbox_trash_end(m, &kept, outcome);
		mbox_trash_expire(m);
	}
	mbox_unlock(m);
	return outcome;
}

static bool
removes(const struct popper_changes *c, unsigned not )
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if ((c->marks[i] & POPPER_MARK_DELETED) != 0 &&
		    (c->marks[i] & not ) == 0)
			return true;
	return false;
}

static enum popper_outcome
commit_all(
    struct mbox *m, const struct popper_changes *c, struct popper_error *e)
{
	enum popper_outcome outcome;
	bool refused;

	if (mbox_records(m, e) == -1)
		return POPPER_NOT_DONE;
	if (removes(c, 0) && !mbox_purge_is_due(m, c)) {
		if (!removes(c, MBOX_MARK_WASTED))
			return POPPER_DONE;
		outcome = note(m, c, &refused, e);
		if (outcome == POPPER_DONE || refused)
			return outcome;
		m->host->log(POPPER_LOG_WARNING, "%s; removing now", e->text);
	}
	outcome = mbox_commit(m, c, e);
	/* Not by mbox_view_purge: that may come before an undelete. */
	if (removes(c, 0))
		mbox_trash_expire(m);
	return outcome;
}

enum popper_outcome
mbox_view_commit(
    void *self, const struct popper_changes *c, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	struct popper_changes all = { .size = sizeof(all),
		.count = m->index.count - m->internal };
	unsigned char *marks;
	enum popper_outcome outcome;

	if (c->count != mbox_view_count(m)) {
		m->host->fail(e, POPPER_TEMPORARY, "%s: marks for %zu messages",
		    m->path, c->count);
		return POPPER_NOT_DONE;
	}
	if ((marks = all_marks(m, c)) == NULL) {
		m->host->fail(e, POPPER_TEMPORARY, "out of memory");
		return POPPER_NOT_DONE;
	}
	all.marks = marks;
	outcome = commit_all(m, &all, e);
	free(marks);
	return outcome;
}

int
mbox_view_purge(struct mbox *m, struct popper_error *e)
{
	struct popper_changes none = { .size = sizeof(none) }, all = none;
	unsigned char *shown = calloc(mbox_view_count(m) + 1, 1), *marks;
	enum popper_outcome outcome = POPPER_NOT_DONE;

	none.count = mbox_view_count(m);
	none.marks = shown;
	marks = shown == NULL ? NULL : all_marks(m, &none);
	all.count = m->index.count - m->internal;
	all.marks = marks;
	if (marks == NULL)
		m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	else
		outcome = mbox_commit(m, &all, e);
	free(shown);
	free(marks);
	return outcome == POPPER_DONE ? 0 : -1;
}

int
mbox_view_tidy(void *self, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);

	if (m->waste == NULL || !mbox_purge_is_overdue(m))
		return 0;
	/* Equal messages keep their numbers only if ids are known: what nobody
	 * has asked for now can wait. */
	if (mbox_records(m, e) == -1 || mbox_uids(m, e) == -1)
		return -1;
	return mbox_view_purge(m, e);
}
