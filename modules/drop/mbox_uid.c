/*
 * mbox_uid.c - unique-ids that come from the message itself.
 *
 * Runs in: the session, as the user.  Nothing is computed until a client asks.
 *
 * An mbox has no place for an id that mail programs would leave alone, so it
 * is a hash of what no program changes: the separator line, the header without
 * the fields in which mail programs keep their own notes, the size of the body
 * and its beginning.  Line ends do not count, so a file converted from LF to
 * CRLF keeps its ids.  Equal messages are numbered (mbox_twins.c).
 */
#include <errno.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "mbox.h"

#define WINDOW 8192 /* octets read at once: a header and a bit of body */
#define LINE_START 32 /* octets that tell what field it is */
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
	uint64_t at, end; /* what is left of the message */
	uint64_t octets; /* of the header, as sent */
	bool skip; /* this field is private */
	bool seen;
};

static const char *const private_fields[] = { "Status:", "X-Status:",
	"X-Keywords:", "X-UID:", "X-UIDL:", "X-IMAP:", "X-IMAPbase:",
	"Content-Length:" };

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

/* ${line} begins a line of the header: is it a field to leave out? */
static void
begin_field(struct digest *d, struct popper_slice line)
{
	size_t i, len;

	if (*line.ptr == ' ' || *line.ptr == '\t')
		return; /* a folded line shares the fate of its field */
	d->skip = false;
	for (i = 0; i < sizeof(private_fields) / sizeof(*private_fields); i++) {
		len = strlen(private_fields[i]);
		if (line.len < len ||
		    strncasecmp(line.ptr, private_fields[i], len) != 0)
			continue;
		d->skip = true;
		if (i == 0 && line.len > len + 2)
			d->seen = line.ptr[len + 1] == 'R' ||
			    line.ptr[len + 2] == 'R';
	}
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
		begin_field(d, s);
		if (hash_line(d, s) == -1)
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

/* Is the separator line still the one that was scanned? */
static int
hash_from(struct digest *d, const struct mbox_record *r)
{
	struct popper_slice s;

	d->at = r->offset;
	d->end = r->offset + r->from_len;
	if (look_on(d, r->from_len, &s) == -1)
		return -1;
	if (mbox_sum(s.ptr, r->from_len) != r->from_sum) {
		errno = ESTALE;
		return -1;
	}
	return hash_line(d, popper_slice(s.ptr, r->from_len));
}

static int
hash_message(
    struct window *w, const struct mbox_record *r, struct mbox_uid *uid)
{
	struct digest d = { .window = w };
	uint8_t sum[SHA256_DIGEST_SIZE];

	sha256_init(&d.sha);
	if (hash_from(&d, r) == -1)
		return -1;
	d.end = r->end;
	d.octets = 0;
	if (hash_header(&d) == -1 || hash_body(&d, r->octets) == -1)
		return -1;
	sha256_digest(&d.sha, sizeof(sum), sum);
	memcpy(uid->hash, sum, MBOX_HASH_SIZE);
	uid->seen = d.seen;
	return 0;
}

int
mbox_hash(int fd, const struct mbox_record *r, struct mbox_uid *uid)
{
	struct window w;

	w.fd = fd;
	w.len = 0;
	w.base = 0;
	return hash_message(&w, r, uid);
}

int
mbox_uids(struct mbox *m, struct popper_error *e)
{
	size_t i, count = m->index.count - m->internal;
	struct window w;

	if (m->uids != NULL || count == 0)
		return 0;
	if ((m->uids = calloc(count, sizeof(*m->uids))) == NULL)
		goto fail;
	w.fd = m->fd;
	w.len = 0;
	w.base = 0;
	for (i = 0; i < count; i++)
		if (hash_message(&w, &m->index.records[i + m->internal],
			&m->uids[i]) == -1)
			goto fail;
	mbox_twins_load(m);
	if (mbox_twins_number(m, count) == 0) {
		m->unsaved = true;
		return 0;
	}
fail:
	free(m->uids);
	m->uids = NULL;
	return m->host->fail_system(
	    e, POPPER_TEMPORARY, "%s: no unique-ids", m->path);
}

/* --- As text: base64url without padding. --- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789-_";

void
mbox_hash_text(
    const unsigned char hash[MBOX_HASH_SIZE], char text[MBOX_HASH_TEXT + 1])
{
	unsigned bits = 0, have = 0;
	size_t i, n = 0;

	for (i = 0; i < MBOX_HASH_SIZE; i++) {
		bits = (bits << 8 | hash[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			text[n++] = digits[bits >> (have - 6) & 63];
	}
	text[n++] = digits[bits << (6 - have) & 63];
	text[n] = '\0';
}

bool
mbox_hash_parse(const char *text, unsigned char hash[MBOX_HASH_SIZE])
{
	unsigned bits = 0, have = 0;
	const char *digit;
	size_t i, n = 0;

	for (i = 0; i < MBOX_HASH_TEXT; i++) {
		if (text[i] == '\0' ||
		    (digit = strchr(digits, text[i])) == NULL)
			return false;
		bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			hash[n++] = (unsigned char)(bits >> have);
		}
	}
	return true;
}

void
mbox_uid_text(const struct mbox_uid *uid, char text[POPPER_UID_MAX + 1])
{
	mbox_hash_text(uid->hash, text);
	if (uid->ordinal > 1)
		(void)snprintf(text + MBOX_HASH_TEXT,
		    POPPER_UID_MAX + 1 - MBOX_HASH_TEXT, ".%lu",
		    (unsigned long)uid->ordinal);
}
