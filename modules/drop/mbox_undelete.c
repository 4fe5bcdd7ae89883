/*
 * mbox_undelete.c - bringing back what clients have deleted.
 *
 * Runs in: popperctl, as the user, with the session lock held.
 *
 * What is in the trash goes behind the end of the mbox, under the locks, as
 * mail that is delivered does, but by mbox_rewrite: all of it or nothing, on
 * stable storage.  Before that the note says what will be there, and numbers of
 * equal messages are written down; afterwards the batches and then the note are
 * removed.  So a note that is found later is settled by looking whether those
 * octets are there (mbox_trash.c).
 *
 * A message is left out if the mbox has it: the same unique-id, and the same
 * content but for what mail programs change.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "mbox_index.h"
#include "mbox_twins.h"
#include "mbox_undelete.h"
#include "mbox_waste.h"

/* So much of the trash as is brought back at once. */
struct part {
	uint64_t since;
	uint64_t count; /* messages that came back */
	char last[MBOX_BATCH_NAME]; /* the last batch of it */
	bool more; /* there are others behind */
};

/* The sum of all pieces: what the note says.  0, or -1 with errno. */
static int
sum_pieces(struct mbox_undelete *u)
{
	const struct mbox_piece *p = u->pieces.list;
	const struct mbox_piece *end = p + u->pieces.count;
	struct sha256_ctx sha;
	uint64_t done;
	size_t n;
	char *buf = malloc(MBOX_WINDOW);

	if (buf == NULL)
		return -1;
	sha256_init(&sha);
	for (; p < end; p++) {
		if (p->fd == -1)
			sha256_update(&sha, p->len, (const uint8_t *)p->text);
		for (done = 0; p->fd != -1 && done < p->len; done += n) {
			n = p->len - done < MBOX_WINDOW
			    ? (size_t)(p->len - done)
			    : MBOX_WINDOW;
			errno = ESTALE;
			if (mbox_read_at(p->fd, buf, n, p->from + done) !=
			    (ssize_t)n) {
				free(buf);
				return -1;
			}
			sha256_update(&sha, n, (const uint8_t *)buf);
		}
	}
	free(buf);
	sha256_digest(&sha, sizeof(u->back.sum), u->back.sum);
	return 0;
}

/* Remove the batches, and then the note: what it says is done. */
static int
clear(struct mbox_undelete *u)
{
	size_t i;

	for (i = 0; i < u->back.count; i++)
		mbox_trash_drop(u->trash, u->back.names[i]);
	if (fsync(u->trash) == -1)
		return -1;
	if (unlinkat(u->m->state, MBOX_TRASH_NOTE, 0) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

static int
put_back(struct mbox_undelete *u, struct popper_error *e)
{
	struct mbox *m = u->m;
	enum popper_outcome outcome;

	u->back.inode = m->seen.st_ino;
	u->back.size = m->index.size;
	u->back.len = u->pieces.len;
	if ((errno = u->pieces.failed) != 0 || sum_pieces(u) == -1 ||
	    mbox_return_write(m, &u->back) == -1)
		goto fail;
	if (mbox_twins_add(m, u->uids, u->count) == -1) {
		(void)unlinkat(m->state, MBOX_TRASH_NOTE, 0);
		goto fail;
	}
	outcome = mbox_rewrite(m, m->index.size, &u->pieces, e);
	if (outcome == POPPER_NOT_DONE)
		(void)unlinkat(m->state, MBOX_TRASH_NOTE, 0);
	return outcome == POPPER_DONE ? 0 : -1;
fail:
	return m->host->fail_system(e, POPPER_TEMPORARY,
	    "%s: cannot bring back what %s deleted", m->path, m->user);
}

/* With the mbox locked: be up to date with what came. */
static int
look_again(struct mbox *m, struct popper_error *e)
{
	struct mbox_index now = { .records = NULL };
	struct stat st;

	if (fstat(m->fd, &st) == -1 || !mbox_is_current(m))
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: replaced by another file; try again", m->path);
	if (mbox_records(m, e) == -1 || mbox_unchanged(m, &now, e) == -1) {
		mbox_index_free(&now);
		return -1;
	}
	if (now.count > 0) {
		mbox_kept_close(m->kept);
		m->kept = NULL;
		mbox_index_free(&m->index);
		m->index = now;
		free(m->uids);
		m->uids = NULL;
	}
	m->index.size = (uint64_t)st.st_size;
	return mbox_uids(m, e);
}

static int
undelete(struct mbox_undelete *u, struct popper_error *e)
{
	struct mbox *m = u->m;
	const char *more;

	if (!m->writable)
		return m->host->fail(e, POPPER_PERMANENT,
		    "%s: read-only; its owner, or the file system, must allow "
		    "to write",
		    m->path);
	if (mbox_lock(m, F_WRLCK, e) == -1 || look_again(m, e) == -1)
		return -1;
	more = m->index.size == 0
	    ? ""
	    : mbox_ending(m->fd, m->index.mmdf, m->index.size);
	if (more != NULL)
		mbox_add_text(&u->pieces, more, strlen(more));
	if (more == NULL || mbox_choose(u) == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot read the trash of %s", m->path, m->user);
	if (u->count > 0 && put_back(u, e) == -1)
		return -1;
	if (clear(u) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot empty the trash of %s (errno %d)", m->path,
		    m->user, errno);
	return 0;
}

/* There may be no mbox by now. */
static int
make_mbox(struct mbox *m, struct popper_error *e)
{
	int fd;

	if (m->fd != -1)
		return 0;
	fd = openat(m->folder, m->name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return m->host->fail_system(e, POPPER_PERMANENT,
		    "%s: is not there and cannot be made; make it, owned by %s",
		    m->path, m->user);
	(void)close(fd);
	if (mbox_open_file(m, e) == -1)
		return -1;
	return m->fd != -1
	    ? 0
	    : m->host->fail(e, POPPER_TEMPORARY, "%s: is not there", m->path);
}

static void
free_all(struct mbox_undelete *u)
{
	size_t i;

	for (i = 0; i < u->opened; i++) {
		if (u->sources[i].fd != -1)
			(void)close(u->sources[i].fd);
		mbox_index_free(&u->sources[i].index);
		free(u->sources[i].uids);
		free(u->sources[i].alike);
		free(u->sources[i].there);
	}
	free(u->sources);
	free(u->taken);
	free(u->uids);
	mbox_return_free(&u->back);
	mbox_pieces_free(&u->pieces);
	if (u->trash != -1)
		(void)close(u->trash);
	free(u);
}

/* What was only noted as gone is removed first: else it would be taken for a
 * copy of what comes back. */
static int
open_purged(const struct popper_host *h, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *e)
{
	struct mbox *m;
	int failed;

	if (mbox_open(h, conf, place, self, e) == -1)
		return -1;
	m = mbox_from_self(*self);
	if (m->waste == NULL)
		return 0;
	failed = mbox_view_purge(m, e);
	mbox_close(m);
	return failed == -1 ? -1 : mbox_open(h, conf, place, self, e);
}

/* What is behind part->last. */
static int
undelete_part(const struct popper_host *h, const void *conf,
    const struct popper_place *place, struct part *part, struct popper_error *e)
{
	struct mbox_undelete *u;
	int result = -1;
	void *self;

	if (open_purged(h, conf, place, &self, e) == -1)
		return -1;
	if ((u = calloc(1, sizeof(*u))) == NULL) {
		mbox_close(self);
		return h->fail(e, POPPER_TEMPORARY, "out of memory");
	}
	u->m = self;
	(void)strcpy(u->last, part->last);
	u->trash = mbox_trash_folder(u->m, false);
	if (u->trash == -1 && errno == ENOENT)
		result = 0;
	else if (u->trash == -1 || mbox_list_batches(u, part->since) == -1)
		h->fail_system(e, POPPER_TEMPORARY,
		    "%s: cannot read the trash of %s", u->m->path, u->m->user);
	else if (mbox_trash_pending(u->m))
		h->fail(e, POPPER_TEMPORARY,
		    "%s: " MBOX_TRASH_NOTE " of %s is not settled", u->m->path,
		    u->m->user);
	else if (u->back.count == 0)
		result = 0;
	else if (make_mbox(u->m, e) == 0)
		result = undelete(u, e);
	if (result == 0) {
		part->count = u->count;
		part->more = u->more;
		(void)strcpy(part->last, u->last);
		if (u->m->conf->trash > 0 && !u->more)
			mbox_trash_expire(u->m);
	}
	mbox_close(self);
	free_all(u);
	return result;
}

int
mbox_undelete(const struct popper_host *h, const void *conf,
    const struct popper_place *place, uint64_t since, uint64_t *count,
    struct popper_error *e)
{
	struct part part = { .since = since };

	*count = 0;
	do {
		if (undelete_part(h, conf, place, &part, e) == -1)
			return -1;
		*count += part.count;
	} while (part.more);
	return 0;
}
