/*
 * stream.c - buffered octets to and from one descriptor, with deadlines.
 *
 * Runs in: any process; in worker and session it holds the client.
 */
#include "base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/secret.h"

/* Most octets that are taken in, unread, from a client we have left. */
#define DRAIN_MAX (1u << 20)

void
stream_start(struct stream *s, int fd, int64_t patience)
{
	int flags;

	s->fd = fd;
	s->transport = NULL;
	s->patience = patience;
	s->broken = false;
	s->ended = false;
	s->skipping = false;
	s->in_at = s->in_end = 0;
	s->skipped = 0;
	s->out_len = 0;
	s->in_used = s->out_used = 0;
	s->octets_in = s->octets_out = 0;
	if (fd == -1)
		return;
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 ||
	    ((flags & O_NONBLOCK) == 0 &&
		fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1))
		s->broken = true;
}

void
stream_wrap(struct stream *s, const struct stream_transport *t)
{
	s->transport = t;
}

static void
put_in(struct stream *s, size_t n)
{
	s->in_end += n;
	if (s->in_used < s->in_end)
		s->in_used = s->in_end;
}

bool
stream_preload(struct stream *s, struct popper_slice octets)
{
	if (octets.len > sizeof(s->in) - s->in_end)
		return false;
	if (octets.len > 0)
		memcpy(s->in + s->in_end, octets.ptr, octets.len);
	put_in(s, octets.len);
	return true;
}

struct popper_slice
stream_ahead(const struct stream *s)
{
	return popper_slice(s->in + s->in_at, s->in_end - s->in_at);
}

void
stream_forget(struct stream *s)
{
	s->in_at = s->in_end;
	s->skipping = false;
	s->skipped = 0;
}

/* --- Input. --- */

static ssize_t
pull(struct stream *s, char *p, size_t size)
{
	if (s->transport != NULL)
		return s->transport->read(s->transport->self, p, size);
	return read(s->fd, p, size);
}

static bool
is_pending(const struct stream *s)
{
	return s->transport != NULL &&
	    s->transport->pending(s->transport->self);
}

/* Wait until a read may give something; as fd_wait(). */
static int
wait_to_read(const struct stream *s, deadline_t deadline)
{
	if (is_pending(s))
		return POLLIN;
	return fd_wait(s->fd,
	    s->transport != NULL ? s->transport->read_wants : POLLIN, deadline);
}

/* Read once behind what is there.  Never moves it: lines point into it. */
static void
take_in(struct stream *s)
{
	ssize_t n;

	do
		n = pull(s, s->in + s->in_end, sizeof(s->in) - s->in_end);
	while (n == -1 && errno == EINTR);
	if (n > 0) {
		put_in(s, (size_t)n);
		s->octets_in += (uint64_t)n;
	} else if (n == 0) {
		s->ended = true;
	} else if (errno != EAGAIN) {
		s->broken = true;
	}
}

/* Make room and wait for more.  STREAM_LINE: there may be more now. */
static enum stream_line
fill(struct stream *s, deadline_t deadline)
{
	int n;

	if (s->fd == -1)
		return STREAM_CLOSED;
	if (stream_flush(s) == -1 || s->ended)
		return STREAM_CLOSED;
	memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
	s->in_end -= s->in_at;
	s->in_at = 0;
	/* poll(2) first: a client that waits for each answer has not sent its
	 * next command yet, so a read(2) before it would be in vain. */
	n = wait_to_read(s, deadline);
	if (n == 0)
		return STREAM_EXPIRED;
	if (n == -1)
		s->broken = true;
	else
		take_in(s);
	return s->broken ? STREAM_CLOSED : STREAM_LINE;
}

/* Drop the tail of a line that was too long.  False: its end is not here. */
static bool
skip(struct stream *s, enum stream_line *result)
{
	size_t left = s->in_end - s->in_at;
	const char *lf = memchr(s->in + s->in_at, '\n', left);

	if (lf != NULL) {
		s->in_at = (size_t)(lf + 1 - s->in);
		s->skipping = false;
		*result = STREAM_LONG;
		return true;
	}
	s->in_at = s->in_end;
	s->skipped += left;
	*result = STREAM_FLOODED;
	return s->skipped > STREAM_FLOOD;
}

/* A line, or the end of one too long, from what is there.  False: neither.
 * ${seen} octets have no LF among them. */
static bool
take_line(struct stream *s, size_t most, size_t *seen,
    struct popper_slice *line, enum stream_line *result)
{
	const char *start = s->in + s->in_at;
	size_t left = s->in_end - s->in_at, n = left < most ? left : most;
	const char *lf = NULL;

	if (s->skipping)
		return skip(s, result);
	if (n > *seen)
		lf = memchr(start + *seen, '\n', n - *seen);
	if (lf != NULL) {
		s->in_at += (size_t)(lf + 1 - start);
		n = (size_t)(lf - start);
		if (n > 0 && start[n - 1] == '\r')
			n--;
		*line = popper_slice(start, n);
		*result = STREAM_LINE;
		return true;
	}
	*seen = n;
	if (left < most)
		return false;
	s->skipping = true;
	s->skipped = 0;
	return skip(s, result);
}

enum stream_line
stream_read_line(struct stream *s, size_t most, struct popper_slice *line,
    deadline_t deadline)
{
	enum stream_line result;
	size_t seen = 0;
	bool waited = false;

	*line = popper_slice("", 0);
	if (most > sizeof(s->in))
		most = sizeof(s->in);
	while (!s->broken) {
		if (take_line(s, most, &seen, line, &result))
			return result;
		/* A client that drips octets gets no more time than others. */
		if (waited && !s->ended && deadline_left(deadline) == 0)
			return STREAM_EXPIRED;
		result = fill(s, deadline);
		if (result != STREAM_LINE)
			return result;
		waited = true;
	}
	return STREAM_CLOSED;
}

/* --- Output. --- */

/* Wait until a write may go on.  Input is taken in meanwhile, so that a
 * client that writes before it reads does not lock us both up. */
static bool
wait_to_write(struct stream *s)
{
	deadline_t deadline = deadline_in(s->patience);
	short wants =
	    s->transport != NULL ? s->transport->write_wants : POLLOUT;
	short events;
	int n;

	while (!s->broken) {
		events = wants;
		if (!s->ended && s->in_end < sizeof(s->in))
			events |= POLLIN;
		n = fd_wait(s->fd, events, deadline);
		if (n <= 0)
			return false;
		if ((n & POLLIN) != 0)
			take_in(s);
		if ((n & (wants | ~POLLIN)) != 0)
			return !s->broken; /* or the write will say why not */
	}
	return false;
}

/* One send(2), or write(2) for what is not a socket. */
static ssize_t
push(struct stream *s, const char *p, size_t len)
{
	ssize_t n;

	if (s->transport != NULL)
		return s->transport->write(s->transport->self, p, len);
	n = send(s->fd, p, len, MSG_NOSIGNAL);
	if (n == -1 && errno == ENOTSOCK)
		n = write(s->fd, p, len);
	return n;
}

/* Send all of it past the buffer. */
static int
send_all(struct stream *s, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0 && !s->broken) {
		n = push(s, p, len);
		if (n >= 0) {
			p += n;
			len -= (size_t)n;
			s->octets_out += (uint64_t)n;
		} else if (errno == EAGAIN) {
			s->broken = !wait_to_write(s);
		} else if (errno != EINTR) {
			s->broken = true;
		}
	}
	return s->broken ? -1 : 0;
}

int
stream_flush(struct stream *s)
{
	size_t len = s->out_len;

	if (s->out_used < len)
		s->out_used = len;
	s->out_len = 0;
	if (s->broken)
		return -1;
	if (s->fd == -1)
		return 0;
	return send_all(s, s->out, len);
}

int
stream_put(struct stream *s, struct popper_slice octets)
{
	size_t n;

	if (s->broken)
		return -1;
	while (octets.len > sizeof(s->out) - s->out_len) {
		if (s->out_len == 0 && s->fd != -1)
			return send_all(s, octets.ptr, octets.len);
		n = sizeof(s->out) - s->out_len;
		memcpy(s->out + s->out_len, octets.ptr, n);
		s->out_len += n;
		if (stream_flush(s) == -1)
			return -1;
		octets.ptr += n;
		octets.len -= n;
	}
	if (octets.len > 0)
		memcpy(s->out + s->out_len, octets.ptr, octets.len);
	s->out_len += octets.len;
	return 0;
}

char *
stream_room(struct stream *s, size_t n)
{
	if (s->broken ||
	    (n > sizeof(s->out) - s->out_len && stream_flush(s) == -1))
		return NULL;
	s->out_used = sizeof(s->out); /* who knows how much of it */
	return s->out + s->out_len;
}

void
stream_wrote(struct stream *s, size_t n)
{
	s->out_len += n;
}

void
stream_wipe(struct stream *s)
{
	if (s->out_used < s->out_len)
		s->out_used = s->out_len;
	secret_wipe(s->in, s->in_used);
	secret_wipe(s->out, s->out_used);
	secret_wipe(s, offsetof(struct stream, in));
}

bool
stream_is_quiet(const struct stream *s)
{
	char c;

	return s->in_at == s->in_end && s->fd != -1 && !is_pending(s) &&
	    recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

void
stream_close(struct stream *s, int64_t patience)
{
	deadline_t deadline = deadline_in(patience);
	uint64_t most;

	if (stream_flush(s) == -1 || s->fd == -1)
		return;
	if (s->transport != NULL)
		s->transport->close(s->transport->self);
	if (shutdown(s->fd, SHUT_WR) == -1)
		return; /* not a socket, or gone */
	most = s->octets_in + DRAIN_MAX;
	while (!s->ended && !s->broken && s->octets_in < most) {
		s->in_at = s->in_end = 0;
		if (wait_to_read(s, deadline) <= 0)
			return;
		take_in(s);
		if (deadline_left(deadline) == 0)
			return;
	}
}
