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
 *	2. if only the end goes: cut the file, done;
 *	3. write everything from the first removed message on into a backup in
 *	   the state folder, on stable storage (mbox_backup.c);
 *	4. move the kept parts down; on stable storage;
 *	5. cut the file; on stable storage;
 *	6. remove the backup.
 *
 * A failure in 3 has touched nothing.  One in 4 or 5 is undone from the
 * backup.  A crash is dealt with at the next open (mbox_recover.c); for its
 * sake 4 must be on the disk before 5 begins.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_foreign.h"
#include "mbox_rewrite.h"
#include "mbox_trash.h"
#include "mbox_twins.h"

void
mbox_plan_free(struct mbox_plan *plan)
{
	free(plan->runs);
	plan->runs = NULL;
	if (plan->backup != -1)
		(void)close(plan->backup);
	plan->backup = -1;
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

/* Keep what lies between two offsets. */
static int
keep(struct mbox_plan *plan, uint64_t from, uint64_t to)
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
		    keep(plan, x->records[i + m->internal].offset,
			mbox_region_end(x, i + m->internal)) == -1)
			return -1;
	/* Mail that arrived since the snapshot. */
	return keep(
	    plan, mbox_region_end(x, c->count + m->internal - 1), x->size);
}

/* Move the kept parts down.  ${done} is how far the file was written, also
 * when this fails.  0, or -1 with errno. */
static int
move_down(
    struct mbox *m, const struct mbox_plan *plan, char *buf, uint64_t *done)
{
	const struct mbox_run *run = plan->runs;
	const struct mbox_run *last = run + plan->count;
	uint64_t from, left;
	size_t want;
	ssize_t n;

	for (*done = plan->tail; run < last; run++)
		for (from = run->from, left = run->len; left > 0;
		     left -= (uint64_t)n, from += (uint64_t)n) {
			want = left < MBOX_WINDOW ? (size_t)left : MBOX_WINDOW;
			n = mbox_read_at(m->fd, buf, want, from);
			if (n == 0)
				errno = ESTALE;
			if (n <= 0)
				return -1;
			/* A write that fails may have got anywhere. */
			*done += (uint64_t)n;
			if (mbox_write_at(m->fd, buf, (size_t)n,
				*done - (uint64_t)n) == -1)
				return -1;
			mbox_lock_keep(m);
		}
	return 0;
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

/* 0, or -1 with errno.  One that fails may have cut it all the same. */
static int
try_cut(const struct mbox *m, const struct mbox_plan *plan)
{
	struct stat st;
	int cause;

	if (ftruncate(m->fd, (off_t)plan->final) == 0)
		return 0;
	cause = errno;
	if (fstat(m->fd, &st) == 0 && (uint64_t)st.st_size == plan->final)
		return 0;
	errno = cause;
	return -1;
}

/*
 * Cut the file.  Where a file system copies on write (btrfs), this needs room
 * for the block that holds the new end; without it ftruncate fails with the
 * length unchanged, but has zeroed the rest of that block.  So the octet behind
 * the new end is written once more, which reserves the block or fails before
 * any harm; and what is behind the end is put back, should it fail after that.
 * 0; or -1 with errno and ${whole}: is all as it was?
 */
static int
shorten(struct mbox *m, const struct mbox_plan *plan, bool *whole)
{
	char *old = malloc((size_t)2 * MBOX_BUFFER);
	int cause, failed = -1;
	ssize_t n;

	*whole = true;
	if (old == NULL)
		return -1;
	n = mbox_read_at(m->fd, old, MBOX_BUFFER, plan->final);
	if (n > 0 && mbox_write_at(m->fd, old, 1, plan->final) == -1)
		n = -1;
	if (n != -1 && (failed = try_cut(m, plan)) == -1 && fsync(m->fd) == 0)
		failed = try_cut(m, plan); /* the block is there by now */
	cause = errno;
	if (failed == -1 && n > 0)
		*whole = mbox_put_back(m->fd, old, old + MBOX_BUFFER, (size_t)n,
			     plan->final) == 0;
	free(old);
	errno = cause;
	return failed;
}

/* Only the end of the file goes. */
static enum popper_outcome
cut(struct mbox *m, const struct mbox_plan *plan, struct popper_error *e)
{
	bool whole;

	if (shorten(m, plan, &whole) == -1) {
		m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot truncate", m->path);
		return whole ? POPPER_NOT_DONE : POPPER_UNKNOWN;
	}
	if (fsync(m->fd) == 0)
		return POPPER_DONE;
	m->host->fail_system(e, POPPER_TEMPORARY, "%s: fsync", m->path);
	return POPPER_UNKNOWN;
}

/* Something failed halfway, errno says what: put the old octets back. */
static enum popper_outcome
undo(struct mbox *m, struct mbox_plan *plan, uint64_t done,
    struct popper_error *e)
{
	m->host->fail_system(
	    e, POPPER_TEMPORARY, "%s: cannot rewrite", m->path);
	if (mbox_backup_restore(m, plan, plan->tail, done) == 0) {
		if (mbox_backup_drop(m, plan) == -1)
			m->host->log(POPPER_LOG_ERROR,
			    "%s: cannot remove " MBOX_BACKUP " in the state "
			    "folder of %s (errno %d)",
			    m->path, m->user, errno);
		return POPPER_NOT_DONE;
	}
	m->host->log(POPPER_LOG_ERROR,
	    "%s: half rewritten, and cannot be restored (errno %d): its "
	    "octets from %llu on are safe in " MBOX_BACKUP " in the state "
	    "folder of %s, behind a head of %llu octets; the next login tries "
	    "again",
	    m->path, errno, (unsigned long long)plan->tail, m->user,
	    (unsigned long long)(sizeof(struct mbox_backup) +
		plan->count * sizeof(struct mbox_run)));
	return POPPER_UNKNOWN;
}

/* Steps 3 to 6. */
static enum popper_outcome
rewrite(struct mbox *m, struct mbox_plan *plan, struct popper_error *e)
{
	uint64_t done = plan->tail;
	char *buf = malloc(MBOX_WINDOW);
	enum popper_outcome outcome = POPPER_NOT_DONE;
	bool whole;

	if (buf == NULL || mbox_backup_make(m, plan, e) == -1) {
		if (buf == NULL)
			m->host->fail(e, POPPER_TEMPORARY, "out of memory");
		free(buf);
		return outcome;
	}
	if (move_down(m, plan, buf, &done) == -1 || fsync(m->fd) == -1) {
		outcome = undo(m, plan, done, e);
		goto out;
	}
	/* From here on there may be zeros behind the new end. */
	if (shorten(m, plan, &whole) == -1) {
		outcome = undo(m, plan, plan->size, e);
		goto out;
	}
	if (fsync(m->fd) == -1) {
		outcome = undo(m, plan, plan->size, e);
		goto out;
	}
	/* With the backup still there the next open finds a finished commit,
	 * so this failure is only worth a line. */
	if (mbox_backup_drop(m, plan) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot remove " MBOX_BACKUP " in the state folder "
		    "of %s (errno %d)",
		    m->path, m->user, errno);
	outcome = POPPER_DONE;
out:
	free(buf);
	return outcome;
}

/* With the locks held. */
static enum popper_outcome
commit_locked(struct mbox *m, const struct popper_changes *c,
    struct mbox_batch *kept, struct popper_error *e)
{
	struct mbox_plan plan = { .backup = -1 };
	enum popper_outcome outcome = POPPER_NOT_DONE;
	struct stat st;

	mbox_index_drop(m);
	if (look_again(m, &st, e) == -1 ||
	    (m->conf->trash > 0 && mbox_trash_keep(m, c, kept, e) == -1))
		return outcome;
	if (make_plan(m, c, &plan) == -1)
		m->host->fail(e, POPPER_TEMPORARY, "out of memory");
	else if (plan.count == 0)
		outcome = cut(m, &plan, e);
	else
		outcome = rewrite(m, &plan, e);
	if (outcome == POPPER_DONE)
		mbox_set_times(m, &st);
	mbox_plan_free(&plan);
	return outcome;
}

/* Remove what is marked: ${gone} messages, at least one. */
static enum popper_outcome
remove_marked(struct mbox *m, const struct popper_changes *c, size_t gone,
    struct popper_error *e)
{
	struct mbox_batch kept = { .list = NULL };
	enum popper_outcome outcome;
	struct popper_error ignored;

	if (!m->writable) {
		m->host->fail(e, POPPER_PERMANENT,
		    "%s: read-only; give its owner the right to write",
		    m->path);
		return POPPER_NOT_DONE;
	}
	/* To know what is left of equal messages; that is worth no failure. */
	if (m->conf->trash > 0 && mbox_uids(m, e) == -1)
		return POPPER_NOT_DONE;
	if (gone < c->count)
		(void)mbox_uids(m, &ignored);
	mbox_twins_intend(m, c);
	if (mbox_lock(m, F_WRLCK, e) == -1)
		return POPPER_NOT_DONE;
	outcome = commit_locked(m, c, &kept, e);
	mbox_unlock(m);
	if (outcome == POPPER_DONE && (gone == c->count || m->uids != NULL)) {
		mbox_twins_save(m, c);
		if (*kept.name == '\0') /* else they may come back */
			mbox_given_forget(m, c);
	}
	if (*kept.name != '\0')
		mbox_trash_end(m, &kept, outcome);
	mbox_trash_expire(m);
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
	return outcome;
}
