/*
 * mbox_rewrite.c - putting something else in the place of a part of the mbox,
 * all or nothing, also if it becomes longer.
 *
 * Runs in: the session, as the user, with the mbox locked for writing.
 *
 * For what is not a removal (that is mbox_commit.c): notes in headers, and mail
 * that comes back from a crash of another server.  The order of things:
 *
 *	1. write the new octets and the old ones into "rewrite.mbox" in the
 *	   state folder, on stable storage, its head last;
 *	2. if the file becomes longer: empty lines behind its end, on stable
 *	   storage.  They are the room that is needed, and hurt no reader;
 *	3. write the new octets over it; on stable storage;
 *	4. if it becomes shorter: cut it; on stable storage;
 *	5. remove "rewrite.mbox".
 *
 * A failure is undone from the old octets.  A crash is dealt with at the next
 * open (mbox_redo.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_record.h"
#include "mbox_rewrite.h"

_Static_assert(sizeof(struct mbox_rewrite) == 72, "no holes on the disk");

static void
add(struct mbox_pieces *p, struct mbox_piece piece)
{
	struct mbox_piece *bigger;
	size_t room;

	if (piece.len == 0 || p->failed != 0)
		return;
	if (p->count == p->room) {
		room = p->room == 0 ? 64 : p->room * 2;
		bigger = reallocarray(p->list, room, sizeof(*bigger));
		if (bigger == NULL) {
			p->failed = ENOMEM;
			return;
		}
		p->list = bigger;
		p->room = room;
	}
	p->list[p->count++] = piece;
	p->len += piece.len;
}

void
mbox_add_octets(struct mbox_pieces *p, int fd, uint64_t from, uint64_t len)
{
	struct mbox_piece *last = p->count > 0 ? &p->list[p->count - 1] : NULL;

	if (last != NULL && last->fd == fd && last->from + last->len == from) {
		last->len += len;
		p->len += len;
		return;
	}
	add(p, (struct mbox_piece){ .fd = fd, .from = from, .len = len });
}

void
mbox_add_text(struct mbox_pieces *p, const char *text, size_t len)
{
	add(p, (struct mbox_piece){ .fd = -1, .text = text, .len = len });
}

void
mbox_pieces_free(struct mbox_pieces *p)
{
	free(p->list);
	*p = (struct mbox_pieces){ .list = NULL };
}

int
mbox_rewrite_sum(int fd, const struct mbox_rewrite *head, unsigned char sum[32])
{
	return mbox_record_sum(
	    fd, head, offsetof(struct mbox_rewrite, sum), sizeof(*head), sum);
}

/* Pieces may be small and many: they are written by the window. */
struct out {
	int fd;
	uint64_t at; /* where the buffer goes */
	size_t len; /* octets in it */
	char buf[MBOX_WINDOW];
};

static int
flush(struct out *o)
{
	if (mbox_write_at(o->fd, o->buf, o->len, o->at) == -1)
		return -1;
	o->at += o->len;
	o->len = 0;
	return 0;
}

static int
put(struct mbox *m, struct out *o, const struct mbox_piece *piece)
{
	uint64_t done;
	size_t n;

	for (done = 0; done < piece->len; done += n) {
		if (o->len == sizeof(o->buf)) {
			if (flush(o) == -1)
				return -1;
			mbox_lock_keep(m);
		}
		n = sizeof(o->buf) - o->len;
		if (n > piece->len - done)
			n = (size_t)(piece->len - done);
		errno = ESTALE;
		if (piece->fd == -1)
			memcpy(o->buf + o->len, piece->text + done, n);
		else if (mbox_read_at(piece->fd, o->buf + o->len, n,
			     piece->from + done) != (ssize_t)n)
			return -1;
		o->len += n;
	}
	return 0;
}

/* Step 1, but for the head. */
static int
write_octets(struct mbox *m, int fd, const struct mbox_rewrite *head,
    const struct mbox_pieces *p)
{
	struct mbox_piece old = {
		.fd = m->fd, .from = head->tail, .len = head->size - head->tail
	};
	struct out *o = malloc(sizeof(*o));
	int failed = 0;
	size_t i;

	if (o == NULL)
		return -1;
	o->fd = fd;
	o->at = sizeof(*head);
	o->len = 0;
	for (i = 0; i < p->count && failed == 0; i++)
		failed = put(m, o, &p->list[i]);
	if (failed == 0)
		failed = put(m, o, &old);
	if (failed == 0)
		failed = flush(o);
	free(o);
	return failed;
}

static int
write_file(struct mbox *m, int fd, struct mbox_rewrite *head,
    const struct mbox_pieces *p)
{
	const struct mbox_rewrite none = { .magic = { 0 } };
	struct stat st;

	if (fstat(m->fd, &st) == -1 ||
	    mbox_write_at(fd, &none, sizeof(none), 0) == -1 ||
	    write_octets(m, fd, head, p) == -1)
		return -1;
	head->inode = st.st_ino;
	if (mbox_rewrite_sum(fd, head, head->sum) == -1 || fsync(fd) == -1 ||
	    mbox_write_at(fd, head, sizeof(*head), 0) == -1 || fsync(fd) == -1)
		return -1;
	return fsync(m->state);
}

/* Step 2. */
static int
make_room(struct mbox *m, const struct mbox_rewrite *head)
{
	char *buf = malloc(MBOX_WINDOW);
	uint64_t at;
	size_t n = 0;

	if (buf == NULL)
		return -1;
	memset(buf, '\n', MBOX_WINDOW);
	for (at = head->size; at < head->final; at += n) {
		n = head->final - at < MBOX_WINDOW ? (size_t)(head->final - at)
						   : MBOX_WINDOW;
		if (mbox_write_at(m->fd, buf, n, at) == -1)
			break;
	}
	free(buf);
	return at < head->final ? -1 : fsync(m->fd);
}

static int
give_room_back(struct mbox *m, const struct mbox_rewrite *head)
{
	if (ftruncate(m->fd, (off_t)head->size) == -1)
		return -1;
	return fsync(m->fd);
}

int
mbox_rewrite_apply(struct mbox *m, int fd, const struct mbox_rewrite *head)
{
	if (mbox_copy(m, fd, sizeof(*head), head->final - head->tail, m->fd,
		head->tail) == -1 ||
	    fsync(m->fd) == -1)
		return -1;
	if (head->final >= head->size)
		return 0;
	if (ftruncate(m->fd, (off_t)head->final) == -1)
		return -1;
	return fsync(m->fd);
}

int
mbox_rewrite_undo(struct mbox *m, int fd, const struct mbox_rewrite *head)
{
	uint64_t old = sizeof(*head) + head->final - head->tail;

	/* What is longer than the new octets was not written over, but may
	 * have been cut. */
	if (mbox_copy(m, fd, old, head->size - head->tail, m->fd, head->tail) ==
	    -1)
		return -1;
	if (head->final > head->size)
		return give_room_back(m, head);
	return fsync(m->fd);
}

static int
drop_file(struct mbox *m)
{
	if (unlinkat(m->state, MBOX_REWRITE, 0) == -1)
		return -1;
	return fsync(m->state);
}

/* Steps 2 to 5, or all of it undone. */
static enum popper_outcome
carry_out(struct mbox *m, int fd, const struct mbox_rewrite *head,
    struct popper_error *e)
{
	enum popper_outcome outcome = POPPER_DONE;
	int undone = 0;

	if (head->final > head->size && make_room(m, head) == -1) {
		m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot become longer", m->path);
		undone = give_room_back(m, head);
		outcome = POPPER_NOT_DONE;
	} else if (mbox_rewrite_apply(m, fd, head) == -1) {
		m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: cannot rewrite", m->path);
		undone = mbox_rewrite_undo(m, fd, head);
		outcome = POPPER_NOT_DONE;
	}
	if (undone == -1)
		outcome = POPPER_UNKNOWN;
	if (outcome == POPPER_UNKNOWN)
		m->host->log(POPPER_LOG_ERROR,
		    "%s: half rewritten, and cannot be restored (errno %d): "
		    "all of it is safe in " MBOX_REWRITE " in the state folder "
		    "of %s; the next login tries again",
		    m->path, errno, m->user);
	/* With that file still there the next open finds what was finished. */
	else if (drop_file(m) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot remove " MBOX_REWRITE " in the state folder "
		    "of %s (errno %d)",
		    m->path, m->user, errno);
	return outcome;
}

enum popper_outcome
mbox_rewrite(struct mbox *m, uint64_t tail, const struct mbox_pieces *p,
    struct popper_error *e)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct mbox_rewrite head = { .magic = MBOX_REWRITE_MAGIC,
		.size = m->index.size,
		.tail = tail,
		.final = tail + p->len };
	enum popper_outcome outcome = POPPER_NOT_DONE;
	int fd, cause;

	if ((errno = p->failed) != 0)
		goto fail;
	fd = openat(m->state, MBOX_REWRITE, flags, 0600);
	if (fd == -1)
		goto fail;
	if (write_file(m, fd, &head, p) == 0) {
		mbox_index_drop(m);
		outcome = carry_out(m, fd, &head, e);
		(void)close(fd);
		return outcome;
	}
	cause = errno;
	(void)close(fd);
	(void)drop_file(m);
	errno = cause;
fail:
	m->host->fail_system(e, POPPER_TEMPORARY,
	    "%s: cannot write " MBOX_REWRITE " in the state folder of %s",
	    m->path, m->user);
	return outcome;
}

bool
mbox_rewrite_exists(const struct mbox *m)
{
	struct stat st;

	return fstatat(m->state, MBOX_REWRITE, &st, AT_SYMLINK_NOFOLLOW) == 0;
}
