/*
 * mbox_collapse.c - a commit that cuts whole blocks out of the mbox.
 *
 * Runs in: the session, as the user, with the mbox locked.
 *
 * What is left over, less than a block and a pad's least length, becomes a pad
 * of the next message that stays (mbox_pad.h).  The order of things:
 *
 *	1. the seam goes into the journal, under the name that promises to
 *	   finish it;
 *	2. it is written to its place (mbox_seam.c);
 *	3. the blocks are cut out.
 *
 * Whoever finds the journal does 2 and 3 again.  Where the file system refuses
 * although it said that it can, all moves down as ever: by then the seam is
 * written, so the plan is another one, and its journal takes this one's place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "mbox_collapse.h"
#include "mbox_index.h"
#include "mbox_pad.h"

#define SEAM_MAX                                                        \
	(2 * MBOX_COLLAPSE_BLOCK + MBOX_COLLAPSE_KEPT + MBOX_PAD_LINE + \
	    MBOX_PAD_MAX)

_Static_assert(sizeof(struct mbox_collapse_head) == 128, "no holes");
_Static_assert(sizeof(struct mbox_collapse_head) <= MBOX_JOURNAL_SLOT, "fits");

static uint64_t
head_sum(const struct mbox_collapse_head *h)
{
	return mbox_index_sum(
	    h->inode, h, offsetof(struct mbox_collapse_head, sum));
}

static bool
read_all(int fd, char *buf, size_t len, uint64_t offset)
{
	return mbox_read_at(fd, buf, len, offset) == (ssize_t)len;
}

/* What is to be cut, if that can be and is worth it.  ${line}, of MBOX_LEAD_MAX
 * octets: how the part behind begins. */
static bool
choose(
    struct mbox *m, const struct mbox_plan *p, struct mbox_seam *s, char *line)
{
	const struct mbox_run *last;
	ssize_t n;

	if (m->conf->collapse == 0 || p->count == 0 || m->index.mmdf)
		return false;
	last = &p->runs[p->count - 1];
	*s = (struct mbox_seam){ .tail = p->tail,
		.next = last->from,
		.kept = p->final - p->tail - last->len };
	if (last->from + last->len != p->size || s->next < s->tail ||
	    s->kept > MBOX_COLLAPSE_KEPT ||
	    last->len < m->conf->collapse + MBOX_LEAD_MAX ||
	    last->len <= MBOX_LEAD_MAX)
		return false;
	n = mbox_read_at(m->fd, line, MBOX_LEAD_MAX, s->next);
	if (n != MBOX_LEAD_MAX || (s->lead = mbox_lead(line, (size_t)n)) == 0)
		return false;
	s->line = mbox_line_len(line, (size_t)s->lead);
	return s->line <= MBOX_PAD_LINE && line[s->line - 2] != '\r' &&
	    mbox_seam_fit(s, mbox_cut_can(m, p->size));
}

/* The octets of the seam. */
static int
make_seam(const struct mbox *m, const struct mbox_plan *p,
    const struct mbox_seam *s, const char *line, char *seam)
{
	size_t n = (size_t)(s->tail - s->from), i;
	uint64_t nonce;

	errno = ESTALE;
	if (!read_all(m->fd, seam, n, s->from))
		return -1;
	seam += n;
	for (i = 0; i + 1 < p->count; i++, seam += n) {
		n = (size_t)p->runs[i].len;
		if (!read_all(m->fd, seam, n, p->runs[i].from))
			return -1;
	}
	memcpy(seam, line, (size_t)s->line);
	if (getrandom(&nonce, sizeof(nonce), 0) != (ssize_t)sizeof(nonce))
		return -1;
	mbox_pad_make(seam + s->line, (size_t)s->pad, nonce,
	    popper_slice(line, (size_t)s->line));
	return 0;
}

static uint32_t
piece(uint64_t len)
{
	return len < MBOX_JOURNAL_PIECE ? (uint32_t)len : MBOX_JOURNAL_PIECE;
}

static int
fill_head(const struct mbox *m, uint64_t size, const struct mbox_seam *s,
    struct mbox_collapse_head *h)
{
	uint64_t body = s->next + s->lead;
	struct stat st;

	if (fstat(m->fd, &st) == -1)
		return -1;
	*h = (struct mbox_collapse_head){ .inode = st.st_ino,
		.size = size,
		.tail = s->tail,
		.next = s->next,
		.from = s->from,
		.len = s->len,
		.lead = s->lead,
		.seam = s->seam,
		.before = piece(s->tail),
		.behind = piece(size - body),
		.end = piece(size - body) };
	memcpy(h->magic, MBOX_COLLAPSE_MAGIC, sizeof(h->magic));
	if (mbox_journal_piece(m, h->tail, h->before, &h->before_sum) == -1 ||
	    mbox_journal_piece(
		m, body + h->behind, h->behind, &h->behind_sum) == -1)
		return -1;
	return mbox_journal_piece(m, h->size, h->end, &h->end_sum);
}

/* Head and seam, as the journal has them; c->seam points into it. */
static char *
prepare(struct mbox *m, const struct mbox_plan *p, const struct mbox_seam *s,
    const char *line, struct mbox_collapse *c)
{
	char *octets = calloc(1, MBOX_JOURNAL_SLOT + (size_t)s->seam);

	if (octets == NULL)
		return NULL;
	c->seam = octets + MBOX_JOURNAL_SLOT;
	if (make_seam(m, p, s, line, c->seam) == 0 &&
	    fill_head(m, p->size, s, &c->head) == 0) {
		c->head.seam_sum =
		    mbox_index_sum(c->head.tail, c->seam, (size_t)s->seam);
		c->head.sum = head_sum(&c->head);
		memcpy(octets, &c->head, sizeof(c->head));
		return octets;
	}
	free(octets);
	return NULL;
}

/* The blocks cannot be cut out: let what follows them move down. */
static int
move_down(struct mbox *m, struct mbox_journal *j, const struct mbox_collapse *c)
{
	const struct mbox_collapse_head *h = &c->head;
	struct mbox_journal next = { .fd = -1 };
	bool touched = true;
	int failed = -1;

	next.plan.tail = next.plan.final = h->tail;
	next.plan.size = h->size;
	if (fsync(m->fd) == 0 &&
	    mbox_plan_keep(&next.plan, h->tail + h->len, h->size) == 0 &&
	    mbox_journal_begin(m, &next) == 0)
		failed = mbox_move(m, &next, &touched);
	if (next.active) {
		mbox_journal_free(j);
		*j = next;
	} else
		mbox_journal_free(&next);
	return failed;
}

static int
carry_out(struct mbox *m, struct mbox_journal *j, const struct mbox_collapse *c,
    bool *touched)
{
	enum mbox_cut cut;
	uint64_t hole;
	int cause;

	if (mbox_cut_out(m, c, touched) == 0)
		return 0;
	cause = errno;
	if (*touched && mbox_cut_look(m, c, &cut, &hole) == 0 &&
	    cut == MBOX_WHOLE && mbox_cut_has_seam(m, c) == 1)
		return move_down(m, j, c);
	errno = cause;
	return -1;
}

int
mbox_collapse(struct mbox *m, struct mbox_journal *j, bool *touched)
{
	char line[MBOX_LEAD_MAX], *octets;
	struct mbox_collapse c;
	struct mbox_seam s;
	int result = 0;

	m->lead = 0;
	if (!choose(m, &j->plan, &s, line) ||
	    (octets = prepare(m, &j->plan, &s, line, &c)) == NULL)
		return 0;
	if (mbox_journal_put(
		m, j, octets, MBOX_JOURNAL_SLOT + (size_t)s.seam) == 0)
		result = carry_out(m, j, &c, touched) == -1 ? -1 : 1;
	else if (j->active)
		result = -1;
	if (result == 1) {
		m->padded = s.next;
		m->lead = (uint16_t)(s.line + s.pad);
	}
	free(octets);
	return result;
}

/* --- One that was left behind --- */

static bool
is_sound(const struct mbox_collapse_head *h)
{
	return h->sum == head_sum(h) && h->size <= INT64_MAX &&
	    h->seam <= SEAM_MAX && h->lead <= MBOX_LEAD_MAX &&
	    h->tail < h->next && h->next + h->lead < h->size &&
	    h->from <= h->tail && h->tail - h->from < MBOX_COLLAPSE_BLOCK &&
	    h->len > 0 && h->len < h->size && h->next >= 2 &&
	    h->from + h->len + h->seam == h->next + h->lead &&
	    h->tail <= h->from + h->len && h->before <= MBOX_JOURNAL_PIECE &&
	    h->before <= h->tail && h->behind <= MBOX_JOURNAL_PIECE &&
	    h->end <= MBOX_JOURNAL_PIECE && h->end <= h->size;
}

/* 0; 1: it is no journal of this kind; -1 with errno, EBADMSG: damaged. */
static int
load(struct mbox *m, struct mbox_journal *j, struct mbox_collapse *c)
{
	struct mbox_collapse_head *h = &c->head;
	struct stat st;
	ssize_t n;

	j->fd = openat(m->state, MBOX_JOURNAL,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (j->fd == -1 || !mbox_journal_is_ours(j->fd, &st) ||
	    (n = mbox_read_at(j->fd, h, sizeof(*h), 0)) == -1)
		return -1;
	if (n < (ssize_t)sizeof(h->magic) ||
	    memcmp(h->magic, MBOX_COLLAPSE_MAGIC, sizeof(h->magic)) != 0)
		return 1;
	errno = EBADMSG;
	if (n < (ssize_t)sizeof(*h) || !is_sound(h))
		return -1;
	if ((c->seam = malloc((size_t)h->seam + 1)) == NULL)
		return -1;
	errno = EBADMSG;
	if (!read_all(j->fd, c->seam, (size_t)h->seam, MBOX_JOURNAL_SLOT) ||
	    mbox_index_sum(h->tail, c->seam, (size_t)h->seam) != h->seam_sum)
		return -1;
	j->active = true;
	/* It may have been killed before that was on the disk. */
	return fdatasync(j->fd) == -1 || fsync(m->state) == -1 ? -1 : 0;
}

static int
finish(struct mbox *m, struct mbox_journal *j, const struct mbox_collapse *c,
    struct popper_error *e)
{
	bool touched = true;

	if (carry_out(m, j, c, &touched) == 0) {
		j->now.number = 1;
		m->host->log(POPPER_LOG_WARNING,
		    "%s: finished a removal of messages of %s that was "
		    "interrupted; all others are there",
		    m->path, m->user);
		return 0;
	}
	if (errno != ESTALE)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot finish an interrupted removal of messages",
		    m->path);
	return m->host->fail(e, POPPER_PERMANENT,
	    "%s: a removal of messages was interrupted and the file has been "
	    "changed since: from octet %llu up to %llu there may be pieces of "
	    "removed messages; put the mbox right, then remove " MBOX_JOURNAL
	    " in the state folder of %s",
	    m->path, (unsigned long long)c->head.tail,
	    (unsigned long long)c->head.next, m->user);
}

int
mbox_collapse_resume(
    struct mbox *m, struct mbox_journal *j, struct popper_error *e)
{
	struct mbox_collapse c = { .seam = NULL };
	int state = load(m, j, &c);

	if (state == 0)
		state = finish(m, j, &c, e);
	else if (state == 1)
		mbox_journal_free(j);
	else if (errno == EBADMSG)
		m->host->fail(e, POPPER_PERMANENT,
		    "%s: a removal of messages was interrupted, "
		    "and " MBOX_JOURNAL
		    " in the state folder of %s is damaged; look "
		    "at the mbox, then remove that file",
		    m->path, m->user);
	else
		m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: " MBOX_JOURNAL " of %s", m->path, m->user);
	free(c.seam);
	return state;
}
