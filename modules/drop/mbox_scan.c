/*
 * mbox_scan.c - one pass over an mbox: where messages begin and end, and how
 * many octets they have on the wire.
 *
 * Runs in: the session, as the user.
 *
 * The file is read in windows, never mapped: a file that another program cuts
 * while it is mapped kills the reader.  Two things are looked for in one pass,
 * many octets at a time: line feeds that lack a CR are only counted, and where
 * an "F" begins a line a closer look is taken.  A window keeps HISTORY octets
 * of the one before, and is searched only so far that a whole separator line
 * fits behind, so nothing ever straddles two windows.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/mman.h>

#include "mbox.h"
#include "mbox_header.h"
#include "mbox_pad.h"

#define HISTORY 4 /* octets: "\n\r\n" must be seen before "From " */
#define LANES 16
#define BLOCK ((size_t)8 * LANES) /* octets */

typedef unsigned char lanes_t __attribute__((vector_size(LANES)));

struct scan {
	struct mbox_index *index;
	struct mbox_record now; /* the message we are in */
	char *buf;
	size_t len; /* octets in buf */
	size_t pos; /* searched, and line feeds counted, up to here */
	uint64_t base; /* where buf begins in the file */
	uint64_t bare; /* line feeds without CR in this message */
	uint64_t header; /* searched for its end up to here in the file */
	bool in_header; /* that was not found yet */
};

/* Look at ${len} octets one by one: see find_f. */
static size_t
find_f_slowly(const char *p, size_t len, uint64_t *bare)
{
	size_t i;

	for (i = 0; i < len && (p[i] != 'F' || (p + i)[-1] != '\n'); i++)
		*bare += p[i] == '\n' && (p + i)[-1] != '\r';
	return i;
}

static bool
is_any(lanes_t lanes)
{
	uint64_t words[LANES / sizeof(uint64_t)];

	memcpy(words, &lanes, sizeof(words));
	return (words[0] | words[1]) != 0;
}

static uint64_t
add_up(lanes_t lanes)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < LANES; i++)
		total += lanes[i];
	return total;
}

/* One BLOCK: LF without CR are added to ${count}, lane by lane.  Is there an
 * "F" behind an LF?  Then the sum is of no use. */
static inline bool
look_at_block(const char *p, lanes_t *count)
{
	lanes_t here, before, lf, found = { 0 };
	size_t i;

	for (i = 0; i < BLOCK; i += LANES) {
		memcpy(&here, p + i, LANES);
		memcpy(&before, p + i - 1, LANES);
		lf = (lanes_t)(here == '\n');
		*count -= lf & (lanes_t)(before != '\r');
		found |= (lanes_t)(here == 'F') & (lanes_t)(before == '\n');
	}
	return is_any(found);
}

/*
 * The first of ${len} octets that is an "F" behind an LF, or ${len}; and the LF
 * before it that have no CR before them are added to ${bare}.  The octet before
 * ${p} must be readable.  This is where the time of a scan goes, so both are
 * found in one pass.
 */
static size_t
find_f(const char *p, size_t len, uint64_t *bare)
{
	lanes_t count, more;
	size_t at = 0, blocks;
	bool found = false;

	while (!found && len - at >= BLOCK) {
		count = (lanes_t){ 0 };
		/* A lane holds up to 255. */
		for (blocks = 0;
		     blocks < 255 / (BLOCK / LANES) && len - at >= BLOCK;
		     blocks++, at += BLOCK) {
			more = count;
			if ((found = look_at_block(p + at, &more)))
				break;
			count = more;
		}
		*bare += add_up(count);
	}
	return at + find_f_slowly(p + at, len - at, bare);
}

int
mbox_append(struct mbox_index *index, const struct mbox_record *record)
{
	struct mbox_record *bigger;
	size_t room;

	if (index->count == index->room) {
		room = index->room == 0 ? 64 : index->room * 2;
		bigger = reallocarray(index->records, room, sizeof(*bigger));
		if (bigger == NULL)
			return -1;
		index->records = bigger;
		index->room = room;
	}
	index->records[index->count++] = *record;
	return 0;
}

/* The empty line that ends at ${at} of the buffer: its length, or 0.  ${len}
 * octets of the message lie before ${at}. */
static size_t
empty_line(const char *at, uint64_t len)
{
	if (len == 0 || at[-1] != '\n')
		return 0;
	if (len == 1 || at[-2] == '\n')
		return 1;
	if (at[-2] == '\r' && (len == 2 || at[-3] == '\n'))
		return 2;
	return 0;
}

/* Look for the end of the header in what is in the buffer. */
static void
find_body(struct scan *s)
{
	size_t at = (size_t)(s->header - s->base), n;

	n = mbox_body(s->buf + at, s->len - at);
	s->in_header = n == 0;
	s->header += n == 0 ? s->len - at : n;
}

/* The message that we are in ends at ${at} of the buffer. */
static int
end_message(struct scan *s, size_t at)
{
	struct mbox_record *r = &s->now;
	uint64_t len = s->base + at - r->offset - r->from_len;
	size_t cut = empty_line(s->buf + at, len);

	r->end = s->base + at - cut;
	r->head_len = mbox_head_len(r, s->in_header ? r->end : s->header);
	r->octets = len + s->bare - cut;
	if (cut == 1)
		r->octets--; /* the LF cut off was counted as two */
	else if (cut == 0 && len > 0 && s->buf[at - 1] != '\n')
		r->octets += 2; /* the server ends the last line */
	return mbox_append(s->index, r);
}

static void
begin_message(struct scan *s, size_t at, size_t from_len)
{
	size_t seen;

	s->now.offset = s->base + at;
	s->now.from_len = (uint16_t)from_len;
	s->in_header = !mbox_header(
	    s->buf + at, s->len - at, from_len, &s->now.head_sum, &seen);
	s->header = s->now.offset + seen;
	if (s->in_header)
		find_body(s);
	s->bare = 0;
	s->pos = at + from_len;
}

/* Look for separators that begin before ${limit} of the buffer. */
static int
search(struct scan *s, size_t limit)
{
	const char *at;
	size_t n;

	if (s->in_header)
		find_body(s);
	while (s->pos < limit) {
		s->pos += find_f(s->buf + s->pos, limit - s->pos, &s->bare);
		at = s->buf + s->pos;
		if (s->pos == limit)
			break;
		/* The line before must be empty; a separator line never is, so
		 * looking back beyond the message's beginning does no harm. */
		n = s->len - s->pos < 5 || memcmp(at, "From ", 5) != 0 ||
			empty_line(at, 3) == 0
		    ? 0
		    : mbox_lead(at, s->len - s->pos);
		if (n == 0) {
			s->pos++;
			continue;
		}
		if (end_message(s, s->pos) == -1)
			return -1;
		begin_message(s, s->pos, n);
	}
	return 0;
}

/* Throw away what was dealt with; keep the history. */
static void
slide(struct scan *s)
{
	size_t gone;

	gone = s->pos - HISTORY;
	memmove(s->buf, s->buf + gone, s->len - gone);
	s->base += gone;
	s->len -= gone;
	s->pos = HISTORY;
}

/* Fill the window up.  Returns 1 at the end of the file, 0, or -1. */
static int
fill(struct scan *s, int fd, size_t window)
{
	uint64_t left = s->index->size - s->base - s->len;
	size_t want = window - s->len;
	ssize_t n;

	if (want > left)
		want = (size_t)left;
	n = mbox_read_at(fd, s->buf + s->len, want, s->base + s->len);
	if (n == -1)
		return -1;
	if ((size_t)n < want) {
		errno = ESTALE;
		return -1;
	}
	s->len += want;
	return want == left;
}

/* The buffer has how the file begins, or the last message that is known. */
static int
begin(struct scan *s)
{
	size_t n = mbox_lead(s->buf, s->len);

	if (n == 0) {
		errno = EBADMSG;
		return -1;
	}
	begin_message(s, 0, n);
	return 0;
}

int
mbox_scan(struct mbox *m, int fd, size_t window, struct mbox_index *index)
{
	struct scan s = { .index = index };
	int ended, failed = -1, cause;

	if (index->size == 0)
		return 0;
	if (index->count > 0)
		s.base = index->records[--index->count].offset;
	if (window > index->size - s.base)
		window = (size_t)(index->size - s.base);
	/* Not from the heap, which would keep it for the whole session. */
	s.buf = mmap(NULL, window, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (s.buf == MAP_FAILED)
		return -1;
	if ((ended = fill(&s, fd, window)) == -1)
		goto out;
	if (s.base == 0 && mbox_mmdf(s.buf, s.len) > 0) {
		failed = mbox_mmdf_scan(m, fd, s.buf, window, index);
		goto out;
	}
	if (begin(&s) == -1)
		goto out;
	while (ended == 0) {
		if (search(&s, s.len - MBOX_LOOK) == -1)
			goto out;
		slide(&s);
		if (m != NULL)
			mbox_lock_keep(m);
		if ((ended = fill(&s, fd, window)) == -1)
			goto out;
	}
	if (search(&s, s.len) == -1)
		goto out;
	failed = end_message(&s, s.len);
out:
	cause = errno;
	(void)munmap(s.buf, window);
	errno = cause;
	return failed;
}

void
mbox_index_free(struct mbox_index *index)
{
	free(index->records);
	*index = (struct mbox_index){ .records = NULL };
}

uint64_t
mbox_region_end(const struct mbox_index *index, size_t i)
{
	return i + 1 < index->count ? index->records[i + 1].offset
				    : index->size;
}

/* Does the header line ${line} begin with ${name} and contain ${text}? */
static bool
says(struct popper_slice line, const char *name, const char *text)
{
	size_t len = strlen(name);

	return line.len >= len && strncasecmp(line.ptr, name, len) == 0 &&
	    memmem(line.ptr, line.len, text, strlen(text)) != NULL;
}

bool
mbox_is_internal(int fd, const struct mbox_record *r)
{
	char head[4096];
	struct popper_slice line;
	uint64_t from = r->offset + r->from_len;
	bool subject = false, imap = false, sender = false;
	const char *p = head, *lf;
	ssize_t n;

	n = mbox_read_at(fd, head,
	    r->end - from < sizeof(head) ? (size_t)(r->end - from)
					 : sizeof(head),
	    from);
	for (; n > 0; n -= lf + 1 - p, p = lf + 1) {
		if ((lf = memchr(p, '\n', (size_t)n)) == NULL || lf == p)
			break;
		line = popper_slice(p, (size_t)(lf - p));
		subject = subject || says(line, "Subject:", "DON'T DELETE") ||
		    says(line, "Subject:", "DO NOT DELETE") ||
		    says(line, "Subject:", "FOLDER INTERNAL DATA");
		imap = imap || says(line, "X-IMAP:", "");
		sender =
		    sender || says(line, "From:", "Mail System Internal Data");
	}
	return subject + imap + sender >= 2;
}
