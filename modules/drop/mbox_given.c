/*
 * mbox_given.c - unique-ids that messages brought along from another server.
 *
 * Runs in: the session, as the user, when unique-ids are computed.
 *
 * Ids that IMAP servers wrote into the header are taken over once, into the
 * file "uids" of the state folder (pins.h), and then no header is asked any
 * more: the one that says what all have in common is gone with the first
 * message, and a sender can write such fields, too.  popperctl puts ids into
 * that file as well.  The key is popper's own hash of the message; of equal
 * messages the first in the mbox has the first pin.
 */
#define _GNU_SOURCE
#include "mbox_foreign.h"
#include "mbox_pad.h"
#include "pins.h"

#define PINS_MBOX "mbox" /* we, in the file "uids" */
#define HEADER_FIRST 8192 /* octets that are read of a message at first */
#define HEADER_MAX ((size_t)1 << 20) /* and at most */

struct mbox_given {
	struct mbox *m;
	struct pins pins;
	struct mbox_imap imap; /* base, and the last uid that was seen */
	FILE *lines; /* new pins, or NULL: nothing is taken over */
	char *text;
	size_t size;
	char *buf; /* HEADER_MAX at most */
	size_t room;
	size_t from_len; /* of the separator line of what is in ${buf} */
};

static bool
is_imap(const struct mbox *m)
{
	return m->scheme >= MBOX_IMAP_UV;
}

/* The message in g->buf without its pad. */
static struct popper_slice
without_pad(struct mbox_given *g, const struct mbox_record *r, size_t len)
{
	size_t pad;

	g->from_len = mbox_line_len(g->buf, r->from_len);
	pad = r->from_len - g->from_len;
	if (pad > 0)
		memmove(g->buf + g->from_len, g->buf + r->from_len,
		    len - r->from_len);
	return popper_slice(g->buf, len - pad);
}

/* Read a message up to the end of its header, and something more. */
static int
read_head(
    struct mbox_given *g, const struct mbox_record *r, struct popper_slice *out)
{
	uint64_t len = r->end - r->offset;
	size_t room = HEADER_FIRST, want;
	struct popper_slice body;
	ssize_t n;
	char *buf;

	for (;; room *= 8) {
		if (room > HEADER_MAX)
			room = HEADER_MAX;
		if (room > g->room) {
			if ((buf = realloc(g->buf, room)) == NULL)
				return -1;
			g->buf = buf;
			g->room = room;
		}
		want = len < room ? (size_t)len : room;
		n = mbox_read_at(g->m->fd, g->buf, want, r->offset);
		if (n == -1)
			return -1;
		if ((size_t)n < want || want < r->from_len) {
			errno = ESTALE;
			return -1;
		}
		body = popper_slice(g->buf + r->from_len, want - r->from_len);
		if (want == len || room == HEADER_MAX ||
		    mbox_foreign_header(body) < body.len) {
			*out = without_pad(g, r, want);
			return 0;
		}
	}
}

/* What the first message says about all. */
static int
find_base(struct mbox_given *g)
{
	struct popper_slice text;
	const struct mbox_record *r = g->m->index.records;

	if (g->m->index.count == 0 || read_head(g, r, &text) == -1)
		return g->m->index.count == 0 ? 0 : -1;
	mbox_foreign_imap(
	    popper_slice(text.ptr + g->from_len, text.len - g->from_len),
	    &g->imap);
	g->imap.uid = 0;
	if (g->imap.validity != 0 &&
	    (g->lines = open_memstream(&g->text, &g->size)) == NULL)
		return -1;
	return 0;
}

struct mbox_given *
mbox_given_new(struct mbox *m, struct popper_error *e)
{
	struct mbox_given *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		m->host->fail(e, POPPER_TEMPORARY, "out of memory");
		return NULL;
	}
	g->m = m;
	if (pins_read(&g->pins, m->state) == -1) {
		m->host->fail_system(e, POPPER_PERMANENT,
		    "%s: the state file " PINS_FILE " of %s cannot be read or "
		    "is damaged; put it right, or remove it and import the "
		    "unique-ids again",
		    m->path, m->user);
		goto fail;
	}
	if (!is_imap(m) ||
	    pins_has_taken(&g->pins, PINS_MBOX, m->conf->unique_id) ||
	    find_base(g) == 0)
		return g;
	m->host->fail_system(e, POPPER_TEMPORARY,
	    "%s: no unique-ids: cannot read the first header", m->path);
fail:
	mbox_given_free(g);
	return NULL;
}

bool
mbox_given_is_over(const struct mbox_given *g)
{
	return g->lines == NULL;
}

/* The number must be one that the IMAP server has given out, and higher than
 * all before: else it comes from a sender. */
static int
pick_number(struct mbox_given *g, const struct mbox_record *r, const char *key,
    char text[POPPER_UID_MAX + 1])
{
	struct mbox_imap imap;
	struct popper_slice s;

	if (g->lines == NULL)
		return 0;
	if (read_head(g, r, &s) == -1)
		return -1;
	mbox_foreign_imap(
	    popper_slice(s.ptr + g->from_len, s.len - g->from_len), &imap);
	if (imap.uid <= g->imap.uid || imap.uid > g->imap.last)
		return 0;
	g->imap.uid = imap.uid;
	mbox_foreign_uid(g->m->scheme, &g->imap, text);
	return fprintf(g->lines, "%s %llu %s\n", text,
		   (unsigned long long)r->octets, key) < 0
	    ? -1
	    : 0;
}

/* A header that is too long is no reason to fail: the id is popper's own. */
static int
pick_hash(struct mbox_given *g, const struct mbox_record *r,
    char text[POPPER_UID_MAX + 1])
{
	struct popper_slice s;

	/* There we have put it ourselves, into the octets that are hashed. */
	if (g->m->scheme == MBOX_TPOP3D && g->m->conf->update_status_headers &&
	    *text != '\0')
		return 0;
	*text = '\0';
	if (read_head(g, r, &s) == -1)
		return -1;
	if (s.len < HEADER_MAX)
		mbox_foreign_md5(g->m->scheme, s, g->from_len, text);
	return 0;
}

int
mbox_given_pick(struct mbox_given *g, const struct mbox_record *r,
    const unsigned char hash[MBOX_HASH_SIZE], char text[POPPER_UID_MAX + 1])
{
	char key[MBOX_HASH_TEXT + 1];
	const struct pin *pin = NULL;

	mbox_hash_text(hash, key);
	if (g->pins.count > 0)
		pin = pins_take(&g->pins, key);
	if (pin != NULL) {
		memcpy(text, pin->uid, strlen(pin->uid) + 1);
		return 0;
	}
	if (g->m->scheme < MBOX_POPA3D)
		return 0; /* what X-UIDL or Qpopper's rule said */
	if (!is_imap(g->m))
		return pick_hash(g, r, text);
	*text = '\0';
	return pick_number(g, r, key, text);
}

/* Put the new pins behind the old ones and write them all. */
static int
save(struct mbox_given *g)
{
	uint32_t line = (uint32_t)g->pins.count;
	int failed = fclose(g->lines);
	char *text = g->text;

	g->lines = NULL;
	g->text = NULL;
	if (text == NULL || pins_adopt(&g->pins, text) == -1 || failed != 0 ||
	    pins_add_lines(&g->pins, text, "", &line) == -1)
		return -1;
	pins_sort(&g->pins);
	if (!pins_set_taken(&g->pins, PINS_MBOX, g->m->conf->unique_id))
		return 0;
	return pins_write(&g->pins, g->m->state);
}

void
mbox_given_end(struct mbox_given *g)
{
	const struct mbox *m = g->m;

	if (g->lines == NULL || m->looking)
		return;
	if (save(g) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot keep the unique-ids of the other server in the "
		    "state file " PINS_FILE " of %s (%s): make room; they may "
		    "change when the first message is deleted",
		    m->path, m->user, strerror(errno));
}

void
mbox_given_free(struct mbox_given *g)
{
	if (g == NULL)
		return;
	if (g->lines != NULL)
		(void)fclose(g->lines);
	free(g->text);
	free(g->buf);
	pins_free(&g->pins);
	free(g);
}

/* --- Pins of messages whose ids are known, or that are gone. --- */

static int
compare_uids(const void *va, const void *vb)
{
	const struct pin *const *a = va, *const *b = vb;

	return strcmp((*a)->uid, (*b)->uid);
}

/* The id may be there twice: once more for where the mail was before. */
static void
mark_equals(struct pin **list, size_t count, struct pin **found)
{
	struct pin **first = found, **at;

	while (first > list && compare_uids(first - 1, found) == 0)
		first--;
	for (at = first; at < list + count && compare_uids(at, found) == 0;
	     at++)
		(*at)->used = true;
}

/* Mark the pins of the first ${count} messages as used; with ${c} only of those
 * that are removed. */
static int
mark_used(const struct mbox *m, const struct popper_changes *c, size_t count,
    struct pins *pins)
{
	struct pin **list = calloc(pins->count + 1, sizeof(*list)), **found;
	char uid[POPPER_UID_MAX + 1];
	struct pin key = { .uid = uid }, *p = &key;
	size_t i;

	if (list == NULL)
		return -1;
	for (i = 0; i < pins->count; i++)
		list[i] = &pins->list[i];
	qsort(list, pins->count, sizeof(*list), compare_uids);
	for (i = 0; i < count; i++) {
		if (c != NULL && (c->marks[i] & POPPER_MARK_DELETED) == 0)
			continue;
		mbox_uid_text(m, &m->uids[i], uid);
		found =
		    bsearch(&p, list, pins->count, sizeof(*list), compare_uids);
		if (found != NULL)
			mark_equals(list, pins->count, found);
	}
	free(list);
	return 0;
}

int
mbox_given_known(struct mbox_given *g, size_t count)
{
	if (count == 0 || g->pins.count == 0)
		return 0;
	return mark_used(g->m, NULL, count, &g->pins);
}

/* Is it about a message of an mbox, and not of another driver? */
static bool
is_ours(const struct pin *pin)
{
	unsigned char hash[MBOX_HASH_SIZE];

	return strlen(pin->key) == MBOX_HASH_TEXT &&
	    mbox_hash_parse(pin->key, hash);
}

/* Without m->uids all messages are gone. */
static int
forget(struct mbox *m, const struct popper_changes *c, struct pins *pins)
{
	size_t i, kept = 0, count = pins->count;

	if (m->uids != NULL && mark_used(m, c, c->count, pins) == -1)
		return -1;
	for (i = 0; i < count; i++)
		if (m->uids != NULL ? !pins->list[i].used
				    : !is_ours(&pins->list[i]))
			pins->list[kept++] = pins->list[i];
	pins->count = kept;
	return kept == count ? 0 : pins_write(pins, m->state);
}

void
mbox_given_forget(struct mbox *m, const struct popper_changes *c)
{
	struct pins pins = { .count = 0 };

	if (pins_read(&pins, m->state) == 1 && forget(m, c, &pins) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: cannot write the state file " PINS_FILE
		    " of %s (%s); messages equal to removed ones may get their "
		    "unique-ids",
		    m->path, m->user, strerror(errno));
	pins_free(&pins);
}
