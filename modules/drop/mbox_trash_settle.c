/*
 * mbox_trash_settle.c - a session that kept something, or brought it back, was
 * interrupted: how far did it get?
 *
 * Runs in: the session, as the user, at open.
 *
 * If the removal was finished just now, that tells (mbox_resume.c); else the
 * mbox does.  If a message of the note's list has fewer copies than before
 * the commit, the commit took place, since it is all or nothing.  And what was
 * to come back lies in the mbox where the note says, octet by octet, or it does
 * not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_trash.h"
#include "mbox_waste.h"

/* Was a message of the list noted as gone?  Then all were. */
static bool
was_noted(const struct mbox *m, const struct mbox_batch *b)
{
	size_t i;

	if (m->waste == NULL || b->count == 0)
		return false;
	for (i = 0; i < m->waste->messages; i++)
		if (m->waste->gone[i] &&
		    m->uids[i].ordinal == b->list->ordinal &&
		    memcmp(m->uids[i].hash, b->list->hash, MBOX_HASH_SIZE) == 0)
			return true;
	return false;
}

/* Are there fewer of some message than before the commit?  1, 0 or -1. */
static int
was_committed(struct mbox *m, const struct mbox_batch *b)
{
	size_t i, count = m->index.count - m->internal;
	struct mbox_uid *sorted;
	struct popper_error e;
	bool fewer = false;

	if (mbox_uids(m, &e) == -1) {
		m->host->log(POPPER_LOG_WARNING, "%s", e.text);
		return -1;
	}
	if (was_noted(m, b))
		return 1;
	if ((sorted = mbox_trash_sort(m, &count)) == NULL)
		return -1;
	for (i = 0; i < b->count && !fewer; i++)
		fewer = mbox_trash_count(sorted, count, b->list[i].hash) <
		    b->list[i].copies;
	free(sorted);
	return fewer ? 1 : 0;
}

static int
settle_kept(struct mbox *m, int trash, const struct mbox_batch *b)
{
	int was = m->finished ? 1 : was_committed(m, b);

	if (was == -1)
		return -1;
	m->host->log(POPPER_LOG_NOTICE,
	    "%s: a removal of %zu messages of %s was interrupted; %s", m->path,
	    b->count, m->user,
	    was == 1 ? "they are gone and in the trash" : "it had not begun");
	return was == 1 ? mbox_trash_seal(m, trash, b->name)
			: mbox_trash_forget(m, trash, b->name);
}

/* Is what was to come back in the mbox?  1, 0, or -1. */
static int
is_back(struct mbox *m, const struct mbox_return *back)
{
	unsigned char sum[SHA256_DIGEST_SIZE];
	uint64_t at = back->size, left = back->len;
	struct sha256_ctx sha;
	size_t n = 0;
	char *buf;

	if (m->fd == -1 || m->seen.st_ino != back->inode ||
	    (uint64_t)m->seen.st_size < back->size ||
	    (uint64_t)m->seen.st_size - back->size < back->len)
		return 0;
	if ((buf = malloc(MBOX_WINDOW)) == NULL)
		return -1;
	sha256_init(&sha);
	for (; left > 0; left -= n, at += n) {
		n = left < MBOX_WINDOW ? (size_t)left : MBOX_WINDOW;
		if (mbox_read_at(m->fd, buf, n, at) != (ssize_t)n)
			break;
		sha256_update(&sha, n, (const uint8_t *)buf);
	}
	free(buf);
	sha256_digest(&sha, sizeof(sum), sum);
	if (left > 0)
		return -1;
	return memcmp(sum, back->sum, sizeof(sum)) == 0;
}

static int
settle_return(struct mbox *m, int trash, const struct mbox_return *back)
{
	int is = is_back(m, back);
	size_t i;

	if (is == -1)
		return -1;
	for (i = 0; is == 1 && i < back->count; i++)
		mbox_trash_drop(trash, back->names[i]);
	m->host->log(POPPER_LOG_NOTICE,
	    "%s: an undelete of %s was interrupted; %s", m->path, m->user,
	    is == 1 ? "the messages are there" : "the trash is as it was");
	if (is == 1 && fsync(trash) == -1)
		return -1;
	return unlinkat(m->state, MBOX_TRASH_NOTE, 0);
}

void
mbox_trash_settle(struct mbox *m)
{
	struct mbox_batch kept = { .list = NULL };
	struct mbox_return back = { .names = NULL };
	int trash, is = -1, failed = -1;

	if (!mbox_trash_pending(m))
		return;
	trash = mbox_trash_folder(m, true);
	if (trash != -1)
		is = mbox_note_read(m, &kept, &back);
	if (is == 0)
		/* Nothing was done before it was whole. */
		failed = unlinkat(m->state, MBOX_TRASH_NOTE, 0);
	else if (is == 1 && back.count > 0)
		failed = settle_return(m, trash, &back);
	else if (is == 1)
		failed = settle_kept(m, trash, &kept);
	if (failed == -1)
		m->host->log(POPPER_LOG_ERROR,
		    "%s: cannot settle " MBOX_TRASH_NOTE " in the state folder "
		    "of %s (errno %d); deletions are refused until it can",
		    m->path, m->user, errno);
	if (trash != -1)
		(void)close(trash);
	mbox_batch_free(&kept);
	mbox_return_free(&back);
}
