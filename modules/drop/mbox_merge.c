/*
 * mbox_merge.c - taking mail back that a crash of Qpopper left in ".user.pop".
 *
 * Runs in: the session, as the user, at open, with mbox and that file locked.
 *
 * The old server may have died at any moment, so the same message can be in
 * both files, and the last one of either may have been cut.  One rule decides
 * (doc/why/merge.md): a message is left out only if another one that stays has
 * all of it.  Both are compared in their normal form (mbox_normal.c), message
 * by message; of two that are equal the one in the mbox stays, since it has the
 * newer notes.  Two in one file are two messages.
 *
 * The result goes into the mbox by mbox_rewrite, and only then the other file
 * is emptied.  If that comes to nothing, the next login finds that all of it is
 * there already.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_merge.h"
#include "mbox_trash.h"

#define SEPARATOR "\1\1\1\1\n"

const char *
mbox_ending(int fd, bool mmdf, uint64_t end)
{
	char last[6];
	size_t n = end < sizeof(last) ? (size_t)end : sizeof(last);

	errno = ESTALE;
	if (mbox_read_at(fd, last, n, end - n) != (ssize_t)n)
		return NULL;
	if (n < 2)
		return mmdf ? "\n" SEPARATOR : "\n\n";
	if (mmdf) {
		if (n >= 5 && memcmp(last + n - 5, SEPARATOR, 5) == 0)
			return "";
		if (n >= 6 && memcmp(last, "\1\1\1\1\r\n", 6) == 0)
			return "";
		return last[n - 1] == '\n' ? SEPARATOR : "\n" SEPARATOR;
	}
	if (last[n - 1] != '\n')
		return "\n\n";
	if (last[n - 2] == '\n' ||
	    (n > 2 && last[n - 2] == '\r' && last[n - 3] == '\n'))
		return "";
	return "\n";
}

static void
emit(struct mbox_merge *g, const struct mbox_side *s, size_t i)
{
	uint64_t from = s->index.records[i].offset;
	uint64_t to = mbox_region_end(&s->index, i);
	const char *more = mbox_ending(s->fd, s->index.mmdf, to);

	if (i == 0)
		from = 0; /* whatever stands before it */
	g->added += s == &g->left;
	if (s == &g->mbox && g->pieces.count == 0 && from == g->tail)
		g->tail = to;
	else
		mbox_add_octets(&g->pieces, s->fd, from, to - from);
	if (more == NULL)
		g->pieces.failed = errno;
	else
		mbox_add_text(&g->pieces, more, strlen(more));
}

/* What the old server had, in its order, then what came later. */
static void
emit_all(struct mbox_merge *g)
{
	struct mbox_side *l = &g->left, *r = &g->mbox;
	const struct mbox_entry *x;
	size_t i;

	if (r->first == 1)
		emit(g, r, 0);
	else if (l->first == 1)
		emit(g, l, 0);
	for (i = l->first; i < l->index.count; i++) {
		x = &l->entries[i];
		if (x->other != NULL && x->other->i >= r->first)
			emit(g, r, x->other->i);
		else if (x->other == NULL && x->fate == STAYS)
			emit(g, l, i);
	}
	for (i = r->first; i < r->index.count; i++) {
		x = &r->entries[i];
		if (x->fate == STAYS &&
		    (x->other == NULL || x->other->i < l->first))
			emit(g, r, i);
	}
}

/* The mail is in the mbox: the other file has done its duty. */
static int
empty(
    struct mbox_merge *g, const struct mbox_remains *r, struct popper_error *e)
{
	struct mbox *m = g->m;

	if (ftruncate(r->fd, 0) == -1 || fsync(r->fd) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot empty it", r->path);
	if (unlink(r->path) == -1)
		m->host->log(POPPER_LOG_INFO,
		    "%s: emptied, but not removed (errno %d)", r->path, errno);
	m->host->log(POPPER_LOG_NOTICE,
	    "%s: %zu of %zu messages of %s that a crash of another server had "
	    "left here are in %s again; the rest was there",
	    r->path, g->added, g->left.index.count, m->user, m->path);
	return 0;
}

/* Is there anything that the mbox does not have? */
static bool
is_needed(const struct mbox_merge *g)
{
	size_t i;

	for (i = g->left.first; i < g->left.index.count; i++)
		if (g->left.entries[i].other == NULL &&
		    g->left.entries[i].fate == STAYS)
			return true;
	return g->left.first > g->mbox.first;
}

static int
merge(
    struct mbox_merge *g, const struct mbox_remains *r, struct popper_error *e)
{
	struct mbox *m = g->m;
	const char *why;

	switch (mbox_compare(g, &why)) {
	case -1:
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot compare it with %s", r->path, m->path);
	case 0:
		m->host->log(POPPER_LOG_WARNING,
		    "%s: left alone, %s; if it has mail of %s from a crash of "
		    "another server, see to it",
		    r->path, why, m->user);
		return 0;
	default:
		break;
	}
	if (is_needed(g)) {
		emit_all(g);
		m->index.size = g->mbox_size;
		if (mbox_rewrite(m, g->tail, &g->pieces, e) != POPPER_DONE)
			return -1;
		if (mbox_rewrite_exists(m))
			return m->host->fail(e, POPPER_TEMPORARY,
			    "%s: " MBOX_REWRITE " is still in the state folder "
			    "of %s",
			    m->path, m->user);
	}
	return empty(g, r, e);
}

static void
free_side(struct mbox_side *s)
{
	mbox_index_free(&s->index);
	free(s->entries);
	free(s->sorted);
}

int
mbox_merge(struct mbox *m, const struct mbox_remains *r, struct popper_error *e)
{
	struct mbox_merge *g = calloc(1, sizeof(*g));
	struct stat st;
	int result = -1;

	if (g == NULL || fstat(m->fd, &st) == -1) {
		m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot look at it", m->path);
		free(g);
		return -1;
	}
	g->m = m;
	g->left.fd = r->fd;
	g->left.index.size = (uint64_t)r->st.st_size;
	g->mbox.fd = m->fd;
	g->mbox.index.size = g->mbox_size = (uint64_t)st.st_size;
	result = merge(g, r, e);
	m->index.size = 0;
	free_side(&g->left);
	free_side(&g->mbox);
	mbox_pieces_free(&g->pieces);
	free(g);
	return result;
}
