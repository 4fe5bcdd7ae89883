/*
 * mbox_mmdf.c - one pass over an MMDF mailbox.
 *
 * Runs in: the session, as the user.
 *
 * Here a line of four 0x01 stands before each message and another behind it.
 * Programs differ: some write one line between two messages, some put a "From "
 * line between the separator and the header.  So what counts is this: whatever
 * lies between two separator lines, and is more than empty lines, is a message,
 * and it begins with the separator line before it.
 */
#include <errno.h>
#include <string.h>

#include "mbox.h"
#include "mbox_header.h"

#define OCTETS 4 /* of 0x01 */

struct scan {
	struct mbox_index *index;
	struct mbox_record now; /* offset and separator of the message */
	int fd;
	uint64_t text; /* where the message itself begins */
	uint64_t body; /* behind the first empty line; 0: not met yet */
	uint64_t at; /* where the line begins that comes next */
	uint64_t bare; /* line feeds without CR in this message */
	bool open; /* a separator was seen */
	bool blank; /* nothing but empty lines until now */
	bool whole; /* the last line had its line end */
};

size_t
mbox_mmdf(const char *text, size_t len)
{
	if (len < OCTETS + 1 || memcmp(text, "\1\1\1\1", OCTETS) != 0)
		return 0;
	if (text[OCTETS] == '\n')
		return OCTETS + 1;
	return len > OCTETS + 1 && text[OCTETS] == '\r' &&
		text[OCTETS + 1] == '\n'
	    ? OCTETS + 2
	    : 0;
}

/* What is behind the last separator ends here. */
static int
end_message(struct scan *s)
{
	char head[MBOX_FROM_MAX];
	size_t len = sizeof(head);
	ssize_t n;

	if (!s->open || s->blank)
		return 0;
	s->now.end = s->at;
	s->now.head_len = mbox_head_len(&s->now, s->body > 0 ? s->body : s->at);
	s->now.octets = s->at - s->text + s->bare + (s->whole ? 0 : 2);
	if (s->now.end - s->now.offset < len)
		len = (size_t)(s->now.end - s->now.offset);
	if ((n = mbox_read_at(s->fd, head, len, s->now.offset)) == -1)
		return -1;
	if ((size_t)n < len) {
		errno = ESTALE;
		return -1;
	}
	s->now.head_sum = mbox_head_sum(head, len, s->now.from_len);
	return mbox_append(s->index, &s->now);
}

static int
begin_message(struct scan *s, size_t len)
{
	if (end_message(s) == -1)
		return -1;
	s->now.offset = s->at;
	s->now.from_len = (uint16_t)len;
	s->at += len;
	s->text = s->at;
	s->bare = s->body = 0;
	s->open = s->blank = true;
	return 0;
}

/* A line, or with ${whole} false a part of one; ${begins} tells whether it is
 * the first. */
static int
take_line(struct scan *s, const char *line, size_t len, bool begins)
{
	bool whole = line[len - 1] == '\n';
	bool empty = len == 1 || (len == 2 && *line == '\r');

	if (begins && whole && mbox_mmdf(line, len) > 0)
		return begin_message(s, len);
	/* One such line, right behind the separator. */
	if (begins && s->text == s->at && s->now.from_len <= OCTETS + 2 &&
	    s->now.from_len + len <= MBOX_FROM_MAX &&
	    mbox_from(line, len) > 0) {
		s->now.from_len = (uint16_t)(s->now.from_len + len);
		s->at += len;
		s->text = s->at;
		return 0;
	}
	s->blank = s->blank && whole && begins && empty;
	s->bare += whole && (len == 1 || line[len - 2] != '\r');
	s->whole = whole;
	s->at += len;
	if (s->body == 0 && whole && begins && empty)
		s->body = s->at;
	return 0;
}

int
mbox_mmdf_scan(
    struct mbox *m, int fd, char *buf, size_t window, struct mbox_index *index)
{
	struct scan s = { .index = index, .fd = fd };
	size_t want, used, len;
	bool begins = true;
	const char *lf;
	ssize_t n;

	index->mmdf = true;
	while (s.at < index->size) {
		want = index->size - s.at < window
		    ? (size_t)(index->size - s.at)
		    : window;
		n = mbox_read_at(fd, buf, want, s.at);
		if (n == -1)
			return -1;
		if ((size_t)n < want) {
			errno = ESTALE;
			return -1;
		}
		for (used = 0; used < want; used += len) {
			lf = memchr(buf + used, '\n', want - used);
			len = want - used;
			if (lf != NULL)
				len = (size_t)(lf - buf) + 1 - used;
			else if (used > 0 && want == window)
				break; /* read it again, with its end */
			else if (len > 1 && want == window &&
			    buf[used + len - 1] == '\r')
				len--; /* its LF comes with the next part */
			if (take_line(&s, buf + used, len, begins) == -1)
				return -1;
			begins = lf != NULL;
		}
		if (m != NULL)
			mbox_lock_keep(m);
	}
	return end_message(&s);
}
