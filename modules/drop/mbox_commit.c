/*
 * mbox_commit.c - removing messages from the mbox, all or nothing.
 *
 * Runs in: the session, as the user, at QUIT.
 *
 * The file keeps its inode, owner and mode, since mail programs hold it open;
 * what is kept moves down inside it, and mail that came meanwhile moves along.
 * The order of things makes every failure harmless:
 *
 *	1. lock; see that what was scanned is still there, else stop;
 *	2. if only the end goes, and who finds it so need not know whether it
 *	   was us: cut the file, done;
 *	3. note in the state folder what is to be kept, on stable storage: a
 *	   promise to finish (mbox_journal.c);
 *	4. move the kept parts down, and note how far that is; cut the file
 *	   (mbox_move.c).  Or, instead of 3 and 4, cut whole blocks out of it
 *	   (mbox_collapse.c);
 *	5. take the promise back.
 *
 * A failure up to 3 has touched nothing.  After one in 4 that trying again does
 * not mend, and after a crash, the next open finishes the commit
 * (mbox_resume.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_collapse.h"
#include "mbox_foreign.h"
#include "mbox_index.h"
#include "mbox_journal.h"
#include "mbox_rewrite.h"
#include "mbox_trash.h"
#include "mbox_twins.h"
#include "mbox_waste.h"

void
mbox_plan_free(struct mbox_plan *plan)
{
	free(plan->runs);
	*plan = (struct mbox_plan){ .runs = NULL };
}

static bool
marked(const struct popper_changes *c, size_t i)
{
	return (c->marks[i] & POPPER_MARK_DELETED) != 0;
}

static size_t
count_marked(const struct popper_changes *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->count; i++)
		n += marked(c, i);
	return n;
}

/* Bring the index up to date with mail that arrived; anything else that
 * happened to the file stops the commit.  ${st} is the file now. */
static int
look_again(struct mbox *m, struct stat *st, struct popper_error *e)
{
	struct mbox_index now = { .records = NULL };

	if (fstat(m->fd, st) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", m->path);
	if (!mbox_is_current(m))
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: replaced by another file; nothing removed", m->path);
	if (mbox_unchanged(m, &now, e) == -1) {
		mbox_index_free(&now);
		return -1;
	}
	if (now.count == 0)
		return 0;
	mbox_index_free(&m->index);
	m->index = now;
	return 0;
}

int
mbox_plan_keep(struct mbox_plan *plan, uint64_t from, uint64_t to)
{
	struct mbox_run *bigger;
	size_t room;

	if (from == to)
		return 0;
	plan->final += to - from;
	if (plan->count > 0) {
		struct mbox_run *last = &plan->runs[plan->count - 1];

		if (last->from + last->len == from) {
			last->len += to - from;
			return 0;
		}
	}
	if (plan->count == plan->room) {
		room = plan->room == 0 ? 16 : plan->room * 2;
		bigger = reallocarray(plan->runs, room, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		plan->runs = bigger;
		plan->room = room;
	}
	plan->runs[plan->count].from = from;
	plan->runs[plan->count++].len = to - from;
	return 0;
}

static int
make_plan(const struct mbox *m, const struct popper_changes *c,
    struct mbox_plan *plan)
{
	const struct mbox_index *x = &m->index;
	size_t i = 0, first;

	while (!marked(c, i))
		i++;
	first = i + m->internal;
	plan->size = x->size;
	plan->tail = plan->final = x->records[first].offset;
	for (; i < c->count; i++)
		if (!marked(c, i) &&
		    mbox_plan_keep(plan, x->records[i + m->internal].offset,
			mbox_region_end(x, i + m->internal)) == -1)
			return -1;
	/* Mail that arrived since the snapshot. */
	return mbox_plan_keep(
	    plan, mbox_region_end(x, c->count + m->internal - 1), x->size);
}

/* Mail programs take a file written after it was last read for new mail. */
void
mbox_set_times(const struct mbox *m, const struct stat *old)
{
	struct timespec t[2];
	bool arrived = old->st_size > m->seen.st_size;

	t[0] = old->st_atim;
	if (!arrived)
		t[0].tv_nsec = UTIME_NOW;
	t[1] = old->st_mtim;
	(void)futimens(m->fd, t);
}

/* Only the end of the file goes. */
static enum popper_outcome
cut(struct mbox *m, const struct mbox_plan *plan, struct popper_error *e)
{
	bool whole;

	if (mbox_shorten(m, plan->final, &whole) == -1) {
		m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot truncate", m->path);
		return whole ? POPPER_NOT_DONE : POPPER_UNKNOWN;
	}
	if (fsync(m->fd) == 0)
		return POPPER_DONE;
	m->host->fail_system(e, POPPER_TEMPORARY, "%s: fsync", m->path);
	return POPPER_UNKNOWN;
}

/* It failed before anything was touched, errno says why. */
static enum popper_outcome
give_up(struct mbox *m, struct mbox_journal *j, struct popper_error *e)
{
	m->host->fail_system(e, POPPER_TEMPORARY,
	    "%s: cannot begin to remove messages (notes of it go into the "
	    "state folder of %s); nothing removed",
	    m->path, m->user);
	if (mbox_journal_cancel(m, j) == 0)
		return POPPER_NOT_DONE;
	m->host->log(POPPER_LOG_ERROR,
	    "%s: cannot take " MBOX_JOURNAL " in the state folder of %s back "
	    "(errno %d): the next login may remove what could not be removed "
	    "now",
	    m->path, m->user, errno);
	return POPPER_UNKNOWN;
}

/* Steps 3 and 4. */
static enum popper_outcome
rewrite(struct mbox *m, struct mbox_journal *j, struct popper_error *e)
{
	bool touched = false, failed;
	int done;

	if ((done = mbox_collapse(m, j, &touched)) == 0)
		failed = mbox_journal_begin(m, j) == -1 ||
		    mbox_move(m, j, &touched) == -1;
	else
		failed = done == -1;
	if (failed && !touched)
		return give_up(m, j, e);
	if (failed) {
		m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot go on removing messages; the next login of %s "
		    "does, by " MBOX_JOURNAL " in the state folder",
		    m->path, m->user);
		return POPPER_UNKNOWN;
	}
	return POPPER_DONE;
}

/* With the promise still there the next open finds it kept, so a failure is
 * only worth a line. */
static void
end_journal(struct mbox *m, struct mbox_journal *j)
{
	if (j->active && mbox_journal_end(m, j) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot rename " MBOX_JOURNAL " in the state folder "
		    "of %s (errno %d)",
		    m->path, m->user, errno);
}

/* With the locks held.  ${told}: the state folder tells of the commit. */
static enum popper_outcome
commit_locked(struct mbox *m, const struct popper_changes *c, bool told,
    struct popper_error *e)
{
	struct mbox_journal j = { .fd = -1 };
	struct mbox_batch kept = { .list = NULL };
	enum popper_outcome outcome = POPPER_NOT_DONE;
	struct stat st;

	if (look_again(m, &st, e) == -1 ||
	    (m->conf->trash > 0 && mbox_trash_keep(m, c, &kept, e) == -1))
		return outcome;
	told = told || *kept.name != '\0' || m->waste != NULL;
	if (make_plan(m, c, &j.plan) == -1)
		m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	else if (j.plan.count > 0 || told)
		outcome = rewrite(m, &j, e);
	else {
		mbox_index_drop(m);
		outcome = cut(m, &j.plan, e);
	}
	if (outcome == POPPER_DONE) {
		mbox_set_times(m, &st);
		if (m->uids != NULL || count_marked(c) == c->count)
			mbox_twins_save(m, c);
	}
	if (*kept.name != '\0')
		mbox_trash_end(m, &kept, outcome);
	if (outcome == POPPER_DONE && m->waste != NULL)
		mbox_waste_drop(m);
	/* Last: who finds the journal knows what became of the rest. */
	if (outcome == POPPER_DONE)
		end_journal(m, &j);
	mbox_journal_free(&j);
	return outcome;
}

/* Remove what is marked: ${gone} messages, at least one. */
static enum popper_outcome
remove_marked(struct mbox *m, const struct popper_changes *c, size_t gone,
    struct popper_error *e)
{
	enum popper_outcome outcome;
	struct popper_error ignored;
	bool told;

	if (!m->writable) {
		m->host->fail(e, POPPER_PERMANENT,
		    "%s: read-only; its owner, or the file system, must allow "
		    "to write",
		    m->path);
		return POPPER_NOT_DONE;
	}
	/* To know what is left of equal messages; that is worth no failure. */
	if (m->conf->trash > 0 && mbox_uids(m, e) == -1)
		return POPPER_NOT_DONE;
	mbox_twins_load(m);
	if ((gone < c->count || m->twins.count > 0) &&
	    mbox_uids(m, &ignored) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s; removing messages without them", ignored.text);
	told = mbox_twins_intend(m, c);
	if (mbox_lock(m, F_WRLCK, e) == -1)
		return POPPER_NOT_DONE;
	outcome = commit_locked(m, c, told, e);
	mbox_unlock(m);
	/* Unless they may come back. */
	if (outcome == POPPER_DONE && m->conf->trash == 0 &&
	    (gone == c->count || m->uids != NULL))
		mbox_given_forget(m, c);
	return outcome;
}

enum popper_outcome
mbox_commit(void *self, const struct popper_changes *c, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);
	size_t gone = count_marked(c);
	enum popper_outcome outcome = POPPER_DONE;
	struct popper_error ignored;
	bool notes;

	if (c->count + m->internal != m->index.count) {
		m->host->fail(e, POPPER_TEMPORARY, "%s: marks for %zu messages",
		    m->path, c->count);
		return POPPER_NOT_DONE;
	}
	if (mbox_records(m, e) == -1)
		return POPPER_NOT_DONE;
	notes = m->conf->update_status_headers && m->writable &&
	    gone < c->count && mbox_uids(m, &ignored) == 0;
	if (gone > 0)
		outcome = remove_marked(m, c, gone, e);
	if (outcome == POPPER_DONE && notes)
		mbox_status(m, c);
	else if (outcome == POPPER_DONE && gone > 0)
		mbox_index_keep_rest(m, c);
	return outcome;
}
