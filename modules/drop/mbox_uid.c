/*
 * mbox_uid.c - unique-ids that come from the message itself.
 *
 * Runs in: the session, as the user.  Nothing is computed until a client asks.
 *
 * A message that has an X-UIDL header keeps that id (mbox_xuidl.c).  Of others
 * it is a hash of what no program changes: the separator line, the header
 * without the fields in which mail programs keep their own notes, the size of
 * the body and its beginning.  Line ends do not count, so a file converted from
 * LF to CRLF keeps its ids.  Equal messages are numbered (mbox_twins.c).  Or,
 * if the administrator wants so, it is Qpopper's hash (mbox_qpopper.c), or the
 * id of another server (mbox_given.c).
 */
#include <errno.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "mbox_foreign.h"
#include "mbox_header.h"
#include "mbox_index.h"
#include "mbox_pad.h"
#include "mbox_twins.h"
#include "mbox_xuidl.h"

#define WINDOW 8192 /* octets read at once: a header and a bit of body */
#define LINE_START 32 /* octets that tell what field it is */
#define XUIDL_LINE 256 /* octets in which an X-UIDL field must end */
#define BODY 512 /* octets of the body that count */

struct window {
	char buf[WINDOW];
	size_t len;
	uint64_t base;
	int fd;
};

/* One message on its way through the hash. */
struct digest {
	struct window *window;
	struct sha256_ctx sha;
	struct md5_ctx md5;
	bool qpopper; /* md5 is wanted */
	uint64_t at, end; /* what is left of the message */
	uint64_t octets; /* of the header, as sent */
	bool skip; /* this field is private */
	bool seen;
	char *xuidl; /* its first good X-UIDL, or "" */
};

static const char *const private_fields[] = { "Status:", "X-UIDL:", "X-Status:",
	"X-Keywords:", "X-UID:", "X-IMAP:", "X-IMAPbase:", "Content-Length:",
	MBOX_PAD_FIELD };
enum { STATUS, XUIDL }; /* the first two */
#define PRIVATE_FIELDS (sizeof(private_fields) / sizeof(*private_fields))

/* Which of them the line begins, or PRIVATE_FIELDS. */
static size_t
find_private(struct popper_slice line)
{
	size_t i, len;

	for (i = 0; i < PRIVATE_FIELDS; i++) {
		len = strlen(private_fields[i]);
		if (line.len >= len &&
		    strncasecmp(line.ptr, private_fields[i], len) == 0)
			break;
	}
	return i;
}

bool
mbox_is_private(struct popper_slice line)
{
	return find_private(line) < PRIVATE_FIELDS;
}

/* Make at least ${want} octets at ${offset} readable (fewer at the end of the
 * file) and store all that are there. */
static int
look(struct window *w, uint64_t offset, size_t want, struct popper_slice *out)
{
	size_t skip;
	ssize_t n;

	if (offset < w->base || offset + want > w->base + w->len) {
		n = mbox_read_at(w->fd, w->buf, WINDOW, offset);
		if (n == -1)
			return -1;
		w->base = offset;
		w->len = (size_t)n;
	}
	skip = (size_t)(offset - w->base);
	*out = popper_slice(w->buf + skip, w->len - skip);
	return 0;
}

/* The same for what is left of the message; the end of the file is an error. */
static int
look_on(struct digest *d, size_t want, struct popper_slice *out)
{
	if (want > d->end - d->at)
		want = (size_t)(d->end - d->at);
	if (look(d->window, d->at, want, out) == -1)
		return -1;
	if (out->len < want) {
		errno = ESTALE;
		return -1;
	}
	if (out->len > d->end - d->at)
		out->len = (size_t)(d->end - d->at);
	return 0;
}

static void
update(struct digest *d, const char *text, size_t len)
{
	if (!d->skip)
		sha256_update(&d->sha, len, (const uint8_t *)text);
}

/* Qpopper takes lines for texts that end in NUL. */
static void
update_md5(struct digest *d, struct popper_slice line)
{
	const char *lf = memchr(line.ptr, '\n', line.len);
	char text[MBOX_QPOPPER_LINE];
	size_t i, len = lf == NULL ? line.len : (size_t)(lf - line.ptr) + 1;

	if (len > sizeof(text))
		len = sizeof(text);
	for (i = 0; i < len; i++)
		text[i] = line.ptr[i];
	for (i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	md5_update(&d->md5, len, (const uint8_t *)text);
}

/* "Status: RO": has a mail program seen it read? */
static bool
says_read(struct popper_slice line)
{
	const char *lf = memchr(line.ptr, '\n', line.len);
	size_t len = lf == NULL ? line.len : (size_t)(lf - line.ptr);

	return len > 7 && memchr(line.ptr + 7, 'R', len - 7) != NULL;
}

/* A line of the header begins here: is it a field to leave out, and does it
 * tell something? */
static int
begin_field(struct digest *d, struct popper_slice line)
{
	size_t i;

	if (*line.ptr == ' ' || *line.ptr == '\t')
		return 0; /* a folded line shares the fate of its field */
	i = find_private(line);
	d->skip = i < PRIVATE_FIELDS;
	if (i == STATUS)
		d->seen = d->seen || says_read(line);
	if (i == XUIDL && *d->xuidl == '\0') {
		if (look_on(d, XUIDL_LINE, &line) == -1)
			return -1;
		if (!mbox_xuidl(line, d->xuidl))
			*d->xuidl = '\0';
	}
	if (d->qpopper && mbox_qpopper_is_hashed(line)) {
		if (look_on(d, MBOX_QPOPPER_LINE, &line) == -1)
			return -1;
		update_md5(d, line);
	}
	return 0;
}

/* Hash one line of the header, however long. */
static int
hash_line(struct digest *d, struct popper_slice s)
{
	const char *lf;
	size_t len;

	while ((lf = memchr(s.ptr, '\n', s.len)) == NULL &&
	    d->at + s.len < d->end) {
		/* A CR at the edge waits for what comes behind it. */
		len = s.ptr[s.len - 1] == '\r' ? s.len - 1 : s.len;
		update(d, s.ptr, len);
		d->at += len;
		d->octets += len;
		if (look_on(d, LINE_START, &s) == -1)
			return -1;
	}
	len = lf == NULL ? s.len : (size_t)(lf - s.ptr);
	d->at += lf == NULL ? len : len + 1;
	if (lf != NULL && len > 0 && lf[-1] == '\r')
		len--;
	update(d, s.ptr, len);
	update(d, "\n", 1);
	d->octets += len + 2;
	return 0;
}

static int
hash_header(struct digest *d)
{
	struct popper_slice s;

	while (d->at < d->end) {
		if (look_on(d, LINE_START, &s) == -1)
			return -1;
		if (*s.ptr == '\n' ||
		    (s.len > 1 && *s.ptr == '\r' && s.ptr[1] == '\n')) {
			d->at += *s.ptr == '\n' ? 1 : 2;
			d->octets += 2;
			break;
		}
		if (begin_field(d, s) == -1 ||
		    look_on(d, LINE_START, &s) == -1 || hash_line(d, s) == -1)
			return -1;
	}
	d->skip = false;
	return 0;
}

/* The size of the body, and its first octets without CR before LF. */
static int
hash_body(struct digest *d, uint64_t octets)
{
	char body[BODY], head[32];
	struct popper_slice s;
	size_t i, n = 0;

	n = (size_t)snprintf(head, sizeof(head), "%c%llu", '\0',
	    (unsigned long long)(octets - d->octets));
	update(d, head, n);
	if (look_on(d, (size_t)2 * BODY, &s) == -1)
		return -1;
	for (i = 0, n = 0; i < s.len && n < BODY; i++)
		if (s.ptr[i] != '\r' || i + 1 == s.len || s.ptr[i + 1] != '\n')
			body[n++] = s.ptr[i];
	if (i == s.len && n > 0 && n < BODY && body[n - 1] != '\n')
		body[n++] = '\n';
	update(d, body, n);
	return 0;
}

/* Is it still the message that was scanned? */
static int
hash_from(struct digest *d, const struct mbox_record *r)
{
	struct popper_slice s;

	d->at = r->offset;
	d->end = r->end;
	if (look_on(d, r->from_len > MBOX_FROM_MAX ? MBOX_LOOK : MBOX_FROM_MAX,
		&s) == -1)
		return -1;
	if (mbox_head_sum(s.ptr, s.len, r->from_len) != r->head_sum) {
		errno = ESTALE;
		return -1;
	}
	d->end = r->offset + r->from_len;
	if (d->qpopper)
		update_md5(d, popper_slice(s.ptr, r->from_len));
	if (hash_line(d, popper_slice(s.ptr, r->from_len)) == -1)
		return -1;
	if (r->from_len > MBOX_FROM_MAX)
		d->at = d->end; /* behind the pad */
	return 0;
}

/* Qpopper 4 ends with the separator line, once more. */
static int
end_md5(struct digest *d, const struct mbox_record *r, bool old, char *text)
{
	uint8_t sum[MD5_DIGEST_SIZE];
	struct popper_slice s;

	d->at = r->offset;
	d->end = r->offset + r->from_len;
	if (!old) {
		if (look_on(d, r->from_len, &s) == -1)
			return -1;
		update_md5(d, popper_slice(s.ptr, r->from_len));
	}
	md5_digest(&d->md5, sizeof(sum), sum);
	mbox_qpopper_text(sum, old, text);
	return 0;
}

/* The id is ${text}: what a header or Qpopper's rule says.  Unless it is one
 * that was made of this very message's hash, ${uid} has it. */
static void
take_text(struct mbox_uid *uid, char *text)
{
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t ordinal;

	if (mbox_own_form(text, hash, &ordinal) &&
	    memcmp(hash, uid->hash, MBOX_HASH_SIZE) == 0) {
		uid->ordinal = ordinal;
		*text = '\0';
	} else
		mbox_text_hash(text, uid->hash);
}

/* Popper's own hash, and in ${text} what X-UIDL or Qpopper's rule says. */
static int
hash_message(struct window *w, const struct mbox_record *r,
    enum mbox_scheme scheme, struct mbox_uid *uid,
    char text[POPPER_UID_MAX + 1])
{
	struct digest d = { .window = w, .xuidl = text };
	uint8_t sum[SHA256_DIGEST_SIZE];

	*text = '\0';
	uid->ordinal = uid->text = 0;
	d.qpopper = scheme == MBOX_QPOPPER || scheme == MBOX_QPOPPER_OLD;
	sha256_init(&d.sha);
	if (d.qpopper)
		md5_init(&d.md5);
	if (hash_from(&d, r) == -1)
		return -1;
	d.end = r->end;
	d.octets = 0;
	if (hash_header(&d) == -1 || hash_body(&d, r->octets) == -1)
		return -1;
	sha256_digest(&d.sha, sizeof(sum), sum);
	memcpy(uid->hash, sum, MBOX_HASH_SIZE);
	uid->seen = d.seen;
	if (*text == '\0' && d.qpopper &&
	    end_md5(&d, r, scheme == MBOX_QPOPPER_OLD, text) == -1)
		return -1;
	return 0;
}

int
mbox_hash(int fd, const struct mbox_record *r, enum mbox_scheme scheme,
    struct mbox_uid *uid, char text[POPPER_UID_MAX + 1])
{
	struct window w;

	w.fd = fd;
	w.len = 0;
	w.base = 0;
	if (hash_message(&w, r, scheme, uid, text) == -1)
		return -1;
	if (*text != '\0')
		take_text(uid, text);
	return 0;
}

int
mbox_native_hash(
    int fd, const struct mbox_record *r, unsigned char hash[MBOX_HASH_SIZE])
{
	char text[POPPER_UID_MAX + 1];
	struct mbox_uid uid;
	struct window w;

	w.fd = fd;
	w.len = 0;
	w.base = 0;
	if (hash_message(&w, r, MBOX_POPPER, &uid, text) == -1)
		return -1;
	memcpy(hash, uid.hash, MBOX_HASH_SIZE);
	return 0;
}

/* The hash of one message, and the id that it brought along, if any. */
static int
hash_one(struct window *w, struct mbox *m, size_t i, struct mbox_given *given)
{
	const struct mbox_record *r = &m->index.records[i + m->internal];
	struct mbox_uid *uid = &m->uids[i];
	char text[POPPER_UID_MAX + 1];

	if (hash_message(w, r, m->scheme, uid, text) == -1 ||
	    mbox_given_pick(given, r, uid->hash, text) == -1)
		return -1;
	if (*text != '\0')
		take_text(uid, text);
	return *text == '\0' ? 0 : mbox_texts_add(&m->texts, text, uid);
}

static int
hash_all(struct mbox *m, size_t i, size_t count, struct mbox_given *given)
{
	struct window w;

	w.fd = m->fd;
	w.len = 0;
	w.base = 0;
	for (; i < count; i++)
		if (hash_one(&w, m, i, given) == -1)
			return -1;
	return 0;
}

int
mbox_uids(struct mbox *m, struct popper_error *e)
{
	size_t count = m->index.count - m->internal, known = 0;
	struct mbox_given *given;
	int result = -1;

	if (m->uids != NULL || count == 0 || mbox_kept_ids(m))
		return 0;
	if (mbox_records(m, e) == -1 || (given = mbox_given_new(m, e)) == NULL)
		return -1;
	m->texts.len = 0;
	if (mbox_given_is_over(given))
		known = mbox_older_ids(m, count);
	if (known == 0)
		m->uids = calloc(count, sizeof(*m->uids));
	if (m->uids == NULL || mbox_given_known(given, known) == -1 ||
	    hash_all(m, known, count, given) == -1)
		goto fail;
	if (mbox_still(m, e) == -1)
		goto out;
	mbox_twins_load(m);
	if ((!mbox_number_new(m, known, count) &&
		mbox_twins_number(m, count) == -1) ||
	    mbox_refuse_lookalikes(m, count) == -1)
		goto fail;
	mbox_given_end(given);
	if (known == 0) /* else the beginning has its old ones */
		mbox_warn_changed(m);
	m->unsaved = true;
	result = 0;
	goto out;
fail:
	m->host->fail_system(e, POPPER_TEMPORARY, "%s: no unique-ids", m->path);
out:
	mbox_given_free(given);
	if (result == -1) {
		free(m->uids);
		m->uids = NULL;
	}
	return result;
}
