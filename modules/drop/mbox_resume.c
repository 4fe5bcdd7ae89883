/*
 * mbox_resume.c - a commit stopped in the middle: the machine or the process
 * died, or something could not be written.
 *
 * Runs in: the session, as the user, at open, with the mbox locked.
 *
 * The journal says what is to be kept and how far that was moved
 * (mbox_move.c).  Since then mail may have been delivered behind the old end;
 * it is kept, too.  Anything else that somebody has done to the file would make
 * nonsense of the journal, so before it is gone on with:
 *
 *	octets before the first removed message and before the old end, where
 *	the commit does not write, are what they were;
 *	each part that is still to be moved begins with a separator line;
 *	so does what follows the old end;
 *	what the current window was to hold is found somewhere.
 *
 * If the file had been cut already, it ends where it should, or mail follows.
 * Else nothing is touched and a person is asked for.
 */
#include <errno.h>
#include <fcntl.h>

#include "mbox_collapse.h"
#include "mbox_journal.h"
#include "mbox_trash.h"
#include "mbox_twins.h"
#include "mbox_waste.h"

/* Is a piece that the commit leaves alone what it was?  1, 0, or -1. */
static int
is_same(const struct mbox *m, uint64_t end, uint32_t len, uint64_t sum)
{
	uint64_t now;

	if (mbox_journal_piece(m, end, len, &now) == -1)
		return errno == ESTALE ? 0 : -1;
	return now == sum;
}

/* Do the runs that are still to be moved begin with messages? */
static bool
are_runs(const struct mbox *m, const struct mbox_journal *j, uint64_t done)
{
	const struct mbox_plan *p = &j->plan;
	uint64_t at = p->tail;
	size_t i;

	for (i = 0; i < p->count; at += p->runs[i].len, i++)
		if (at >= done && !mbox_ends_well(m, p->runs[i].from, 2))
			return false;
	return true;
}

/* Is the mbox what a commit in the middle of moving leaves?  1, 0, or -1. */
static int
is_moving(struct mbox *m, struct mbox_journal *j)
{
	const struct mbox_journal_head *h = &j->head;
	uint64_t done = j->now.done;
	enum mbox_window window;
	struct stat st;
	int same;

	if (fstat(m->fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size < j->plan.size ||
	    !mbox_ends_well(m, j->plan.size, 2))
		return 0;
	/* Mail that came after a crash may have been moved over it. */
	if (j->plan.final + MBOX_MARKER <= h->size - h->behind) {
		same = is_same(m, h->size, h->behind, h->behind_sum);
		if (same != 1)
			return same;
	}
	if (mbox_move_look(m, j, &window) == -1)
		return -1;
	if (window != MBOX_SOURCE)
		done += j->now.window;
	return window != MBOX_LOST && are_runs(m, j, done);
}

/* Is the mbox what a commit leaves that is finished, or needs only the cut?
 * 1, 0, or -1. */
static int
is_moved(struct mbox *m, struct mbox_journal *j)
{
	char marker[MBOX_MARKER], now[MBOX_MARKER];
	size_t len = mbox_journal_marker(j, marker);
	struct stat st;
	ssize_t n;

	if (fstat(m->fd, &st) == -1 ||
	    (n = mbox_read_at(m->fd, now, len, j->plan.final)) == -1)
		return -1;
	if (n == (ssize_t)len && memcmp(marker, now, len) == 0)
		return (uint64_t)st.st_size >= j->plan.size &&
		    mbox_ends_well(m, j->plan.size, 2);
	return (uint64_t)st.st_size >= j->plan.final &&
	    mbox_ends_well(m, j->plan.final, 2);
}

/* Is all as the journal says?  1, 0, or -1. */
static int
is_ours(struct mbox *m, struct mbox_journal *j)
{
	const struct mbox_journal_head *h = &j->head;
	struct stat st;
	int same;

	if (fstat(m->fd, &st) == -1)
		return -1;
	/* The device's number may be another after a reboot. */
	if (st.st_ino != h->inode)
		return 0;
	same = is_same(m, h->tail, h->before, h->before_sum);
	if (same != 1)
		return same;
	return j->now.phase == MBOX_CUTTING ? is_moved(m, j) : is_moving(m, j);
}

static int
doubt(struct mbox *m, const struct mbox_journal *j, struct popper_error *e)
{
	return m->host->fail(e, POPPER_PERMANENT,
	    "%s: a removal of messages was interrupted and the file has been "
	    "changed since: it was right up to octet %llu, behind which there "
	    "may be pieces of messages twice; put the mbox right, then "
	    "remove " MBOX_JOURNAL " in the state folder of %s",
	    m->path, (unsigned long long)j->now.done, m->user);
}

static int
finish(struct mbox *m, struct mbox_journal *j, struct popper_error *e)
{
	bool touched = false;
	int ours = is_ours(m, j);

	if (ours == 0)
		return doubt(m, j, e);
	if (ours == -1 || mbox_move(m, j, &touched) == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot finish an interrupted removal of messages",
		    m->path);
	m->host->log(POPPER_LOG_WARNING,
	    "%s: finished a removal of messages of %s that was interrupted; "
	    "all others are there",
	    m->path, m->user);
	return 0;
}

static int
load(struct mbox *m, struct mbox_journal *j, struct popper_error *e)
{
	int state = mbox_journal_load(m, j);

	if (state == -1 && errno == EBADMSG)
		return m->host->fail(e, POPPER_PERMANENT,
		    "%s: a removal of messages was interrupted, "
		    "and " MBOX_JOURNAL
		    " in the state folder of %s is damaged; look "
		    "at the mbox, then remove that file",
		    m->path, m->user);
	if (state == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: " MBOX_JOURNAL " of %s", m->path, m->user);
	return state;
}

int
mbox_resume(struct mbox *m, struct popper_error *e)
{
	struct mbox_journal j = { .fd = -1 };
	int state = mbox_collapse_resume(m, &j, e);

	if (state == 1 && (state = load(m, &j, e)) == 1)
		state = finish(m, &j, e);
	if (state == 0 && j.now.number > 0) {
		m->finished = true;
		mbox_twins_gone(m);
		mbox_trash_settle(m);
		/* Each removal is also one of what was noted as gone. */
		mbox_waste_drop(m);
	}
	if (state != -1 && mbox_journal_end(m, &j) == -1)
		state = m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot rename " MBOX_JOURNAL " in the state folder "
		    "of %s",
		    m->path, m->user);
	mbox_journal_free(&j);
	return state == -1 ? -1 : 0;
}
