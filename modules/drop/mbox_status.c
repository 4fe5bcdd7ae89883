/*
 * mbox_status.c - notes in the header, as Qpopper writes them.
 *
 * Runs in: the session, as the user, at QUIT, after the removals.
 *
 * Only with update-status-headers: each message that stays gets its unique-id
 * as first field, "X-UIDL: id", and a last one, "Status: RO" once it was
 * fetched, else "Status: U".  Fields of these names that are there are changed
 * or, if they are too many, removed; nothing else is.  It is all one rewriting
 * (mbox_rewrite.c).  If it cannot be done nothing is lost: ids and removals do
 * not depend on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "mbox_rewrite.h"
#include "mbox_xuidl.h"

#define HEADER_MAX 65536 /* octets; larger ones stay as they are */
#define NOTE (8 + POPPER_UID_MAX + 3) /* "X-UIDL: ", id, line end, NUL */

static const char read_note[] = "Status: RO\r\n";
static const char new_note[] = "Status: U\r\n";

struct notes {
	struct mbox *m;
	struct mbox_index now; /* the mbox after the removals */
	struct mbox_pieces pieces;
	bool begun; /* something is to be changed */
	uint64_t tail; /* what comes first of that */
	uint64_t at; /* of the old file, up to there all is in ${pieces} */
	char *ids; /* NOTE octets for each message */
	char header[HEADER_MAX];
};

/* The header of one message, at offset ${base} of the file. */
struct header {
	const char *text;
	size_t len; /* up to the empty line */
	uint64_t base;
	size_t eol; /* octets of a line end: 1 or 2 */
};

/* Put ${text} in the place of ${len} octets at ${from}. */
static void
replace(struct notes *n, uint64_t from, size_t len, const char *text,
    size_t text_len)
{
	if (!n->begun)
		n->tail = from;
	else
		mbox_add_octets(&n->pieces, n->m->fd, n->at, from - n->at);
	n->begun = true;
	n->at = from + len;
	mbox_add_text(&n->pieces, text, text_len);
}

/* A note has CR and LF; without CR it is two pieces. */
static void
replace_note(struct notes *n, const struct header *h, size_t from, size_t len,
    const char *note)
{
	size_t text = strlen(note) - 2;

	replace(n, h->base + from, len, note, text);
	mbox_add_text(&n->pieces, note + text + 2 - h->eol, h->eol);
}

/* The field at ${at} of the header, with its folded lines. */
static struct popper_slice
field(const struct header *h, size_t at)
{
	const char *p = h->text + at, *end = h->text + h->len;
	const char *start = p;

	do
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	while (p < end && (*p == ' ' || *p == '\t'));
	return popper_slice(start, (size_t)(p - start));
}

static bool
is_field(struct popper_slice f, const char *name)
{
	size_t len = strlen(name);

	return f.len > len && strncasecmp(f.ptr, name, len) == 0;
}

static bool
has_id(struct popper_slice f, const char *id)
{
	char text[POPPER_UID_MAX + 1];

	return mbox_xuidl(f, text) && strcmp(text, id) == 0;
}

/* Is the id there already? */
static bool
is_noted(const struct header *h, const char *id)
{
	struct popper_slice f;
	size_t at;

	for (at = 0; at < h->len; at += f.len) {
		f = field(h, at);
		if (is_field(f, "X-UIDL:") && has_id(f, id))
			return true;
	}
	return false;
}

static bool
says_read(struct popper_slice f)
{
	return memchr(f.ptr + 7, 'R', f.len - 7) != NULL &&
	    memchr(f.ptr + 7, 'O', f.len - 7) != NULL;
}

/* Change what is to be changed.  ${note}: "X-UIDL: id" with its line end, or
 * NULL: leave that field alone. */
static void
edit(struct notes *n, const struct header *h, const char *id, const char *note,
    bool fetched)
{
	bool noted = note == NULL || is_noted(h, id), status = false;
	bool kept = false;
	struct popper_slice f;
	size_t at;

	if (!noted)
		replace_note(n, h, 0, 0, note);
	for (at = 0; at < h->len; at += f.len) {
		f = field(h, at);
		if (note != NULL && is_field(f, "X-UIDL:")) {
			if (noted && !kept && has_id(f, id))
				kept = true;
			else
				replace(n, h->base + at, f.len, "", 0);
		} else if (is_field(f, "Status:")) {
			if (status)
				replace(n, h->base + at, f.len, "", 0);
			else if (fetched && !says_read(f))
				replace_note(n, h, at, f.len, read_note);
			status = true;
		}
	}
	if (!status)
		replace_note(n, h, h->len, 0, fetched ? read_note : new_note);
}

/* Find the header of a message.  1; 0: better leave it alone; or -1. */
static int
load_header(struct notes *n, const struct mbox_record *r, struct header *h)
{
	uint64_t left = r->end - r->offset - r->from_len;
	size_t len = left < HEADER_MAX ? (size_t)left : HEADER_MAX, at;
	const char *lf;

	h->base = r->offset + r->from_len;
	h->text = n->header;
	errno = ESTALE;
	if (mbox_read_at(n->m->fd, n->header, len, h->base) != (ssize_t)len)
		return -1;
	if (len == 0 || *n->header == ' ' || *n->header == '\t')
		return 0;
	for (at = 0; at < len; at = (size_t)(lf - n->header) + 1) {
		if (n->header[at] == '\n' ||
		    (at + 1 < len && n->header[at] == '\r' &&
			n->header[at + 1] == '\n'))
			break;
		if ((lf = memchr(n->header + at, '\n', len - at)) == NULL)
			return 0;
	}
	if (at == len && len < left)
		return 0;
	h->len = at;
	lf = memchr(n->header, '\n', len);
	h->eol = lf > n->header && lf[-1] == '\r' ? 2 : 1;
	return 1;
}

static int
edit_message(
    struct notes *n, const struct mbox_record *r, size_t i, bool fetched)
{
	const struct mbox_uid *uid = &n->m->uids[i];
	char id[POPPER_UID_MAX + 1], *note = n->ids + i * NOTE;
	struct header h;
	int is = load_header(n, r, &h);

	if (is != 1)
		return is;
	/* One that somebody claims who has no right to it: what tells them
	 * apart is that both have it. */
	if (uid->text != 0 && uid->ordinal > 1)
		note = NULL;
	mbox_uid_text(n->m, uid, id);
	if (note != NULL)
		(void)snprintf(note, NOTE, "X-UIDL: %s\r\n", id);
	edit(n, &h, id, note, fetched);
	return 0;
}

/* Are they the same message, before and after the removals? */
static bool
is_same(const struct mbox_record *a, const struct mbox_record *b)
{
	/* The removal may have put a pad there, or made it another one. */
	return a->octets == b->octets && a->head_sum == b->head_sum &&
	    a->end - a->offset - a->from_len ==
	    b->end - b->offset - b->from_len;
}

/* All messages that the session has kept. */
static int
edit_all(struct notes *n, const struct popper_changes *c)
{
	const struct mbox *m = n->m;
	size_t i, now = m->internal;

	for (i = 0; i < c->count; i++) {
		if ((c->marks[i] & POPPER_MARK_DELETED) != 0)
			continue;
		errno = ESTALE;
		if (now >= n->now.count ||
		    !is_same(&m->index.records[i + m->internal],
			&n->now.records[now]) ||
		    edit_message(n, &n->now.records[now], i,
			(c->marks[i] & POPPER_MARK_SEEN) != 0) == -1)
			return -1;
		now++;
	}
	if (n->begun)
		mbox_add_octets(&n->pieces, m->fd, n->at, n->now.size - n->at);
	return 0;
}

/* With the locks held. */
static int
write_notes(
    struct notes *n, const struct popper_changes *c, struct popper_error *e)
{
	struct mbox *m = n->m;
	struct stat st;

	if (fstat(m->fd, &st) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", m->path);
	if (!mbox_is_current(m) || mbox_journal_exists(m) ||
	    mbox_rewrite_exists(m))
		return m->host->fail(
		    e, POPPER_TEMPORARY, "%s: not in order", m->path);
	n->now.size = (uint64_t)st.st_size;
	if (mbox_scan(m, m->fd, MBOX_SCAN_WINDOW, &n->now) == -1 ||
	    edit_all(n, c) == -1)
		return m->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: changed by another program", m->path);
	if (!n->begun)
		return 0;
	m->index.size = n->now.size;
	if (mbox_rewrite(m, n->tail, &n->pieces, e) != POPPER_DONE)
		return -1;
	mbox_set_times(m, &st);
	return 0;
}

void
mbox_status(struct mbox *m, const struct popper_changes *c)
{
	struct notes *n = calloc(1, sizeof(*n));
	struct popper_error e;
	int result = -1;

	if (n == NULL || (n->ids = calloc(c->count + 1, NOTE)) == NULL)
		m->host->fail(&e, POPPER_TEMPORARY, "out of memory");
	else if (mbox_lock(m, F_WRLCK, &e) == 0) {
		n->m = m;
		result = write_notes(n, c, &e);
		mbox_unlock(m);
	}
	if (result == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "Status and X-UIDL headers of %s are not written: %s",
		    m->user, e.text);
	if (n != NULL) {
		mbox_pieces_free(&n->pieces);
		mbox_index_free(&n->now);
		free(n->ids);
	}
	free(n);
}
