/*
 * mbox_normal.c - a message without what mail programs change in it.
 *
 * Runs in: the session, as the user.
 *
 * To tell whether two messages in two files are one: Qpopper writes Status and
 * X-UIDL, makes blanks of NUL, and may have ended or begun empty lines.  What
 * remains is the separator line, all other fields of the header, and the body
 * without line ends at its end.  A message that was cut in the middle of a line
 * of its header is read up to that line, since it may be half a Status.
 */
#include <errno.h>
#include <string.h>

#include "mbox_rewrite.h"

#define FIELD 32 /* octets that tell what field it is */

/* Where a last line without line end begins, or ${end}. */
static int
last_line(int fd, uint64_t from, uint64_t end, uint64_t *at)
{
	char buf[4096];
	uint64_t to = end;
	size_t n;

	*at = end;
	while (to > from) {
		n = to - from < sizeof(buf) ? (size_t)(to - from) : sizeof(buf);
		errno = ESTALE;
		if (mbox_read_at(fd, buf, n, to - n) != (ssize_t)n)
			return -1;
		while (n > 0 && buf[n - 1] != '\n') {
			n--;
			to--;
		}
		if (n > 0)
			break;
	}
	*at = to;
	return 0;
}

int
mbox_normal_start(
    struct mbox_normal *n, int fd, const struct mbox_record *r, uint64_t end)
{
	n->fd = fd;
	n->at = r->offset;
	n->end = end;
	n->begins = n->from = n->header = true;
	n->skip = n->cr = false;
	n->newlines = 0;
	n->len = n->pos = 0;
	return last_line(fd, r->offset + r->from_len, end, &n->lines);
}

/* Have ${want} octets, or all that are left, in ${in}.  How many there are, or
 * -1 with errno. */
static ssize_t
look(struct mbox_normal *n, size_t want)
{
	uint64_t left = n->end - n->at;
	size_t more;

	if (n->len - n->pos >= want || n->len - n->pos == left)
		return (ssize_t)(n->len - n->pos);
	memmove(n->in, n->in + n->pos, n->len - n->pos);
	n->len -= n->pos;
	n->pos = 0;
	more = sizeof(n->in) - n->len;
	if (more > left - n->len)
		more = (size_t)(left - n->len);
	errno = ESTALE;
	if (mbox_read_at(n->fd, n->in + n->len, more, n->at + n->len) !=
	    (ssize_t)more)
		return -1;
	n->len += more;
	return (ssize_t)n->len;
}

/* A line begins: what is to become of it? */
static int
begin_line(struct mbox_normal *n)
{
	struct popper_slice line;
	ssize_t have;

	n->begins = false;
	n->skip = n->skip && n->header;
	if (n->from || !n->header)
		return 0;
	if (n->at >= n->lines) {
		n->at = n->end; /* half a line */
		return 0;
	}
	if ((have = look(n, FIELD)) == -1)
		return -1;
	line = popper_slice(n->in + n->pos, (size_t)have);
	if (*line.ptr == ' ' || *line.ptr == '\t')
		return 0; /* shares the fate of its field */
	n->skip = mbox_is_private(line);
	n->header = *line.ptr != '\n' &&
	    (line.len < 2 || *line.ptr != '\r' || line.ptr[1] != '\n');
	return 0;
}

/* Put one octet out, and the line ends that were held back before it. */
static void
put(struct mbox_normal *n, char c, size_t *len)
{
	if (n->skip)
		return;
	n->out[(*len)++] = c == '\0' ? ' ' : c;
}

/* Take one octet.  False: there is no room for what was held back. */
static bool
take(struct mbox_normal *n, char c, size_t *len)
{
	if (c == '\n') {
		n->cr = false;
		n->newlines += !n->skip;
		n->begins = true;
		n->from = false;
		return true;
	}
	for (; n->newlines > 0 && !n->skip; n->newlines--) {
		if (*len + 2 >= sizeof(n->out))
			return false;
		n->out[(*len)++] = '\n';
	}
	if (n->cr)
		put(n, '\r', len);
	n->cr = c == '\r';
	if (!n->cr)
		put(n, c, len);
	return true;
}

int
mbox_normal_next(struct mbox_normal *n, struct popper_slice *out)
{
	size_t len = 0;
	ssize_t have;

	while (n->at < n->end && len + 4 < sizeof(n->out)) {
		if (n->begins && begin_line(n) == -1)
			return -1;
		if (n->at == n->end)
			break;
		if ((have = look(n, 1)) == -1)
			return -1;
		if (!take(n, n->in[n->pos], &len))
			break;
		n->pos++;
		n->at++;
	}
	*out = popper_slice(n->out, len);
	return 0;
}
