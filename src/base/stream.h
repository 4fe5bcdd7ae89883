/*
 * stream.h - buffered octets to and from one descriptor, with deadlines.
 *
 * Input is cut into lines of a limited length: a line that is too long is
 * swallowed to its end and told once, so memory never grows and its tail is
 * never taken for a command.  Output is gathered and sent in large pieces, and
 * flushed before every wait for input, so a pipelined batch costs few writes.
 * While a write waits for the client, input is still taken in as far as there
 * is room: a client that writes before it reads does not lock us both up
 * (RFC 2449 section 6.6).
 *
 * A transport, TLS for one, may stand between a stream and its descriptor.
 *
 * Runs in any process.  Knows nothing about POP3.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <popper/slice.h>

#include "base/deadline.h"

/* The longest line that can be asked for, line end included. */
#define STREAM_LINE_MAX 16384
#define STREAM_OUT_MAX 65536
/* So many octets without a line end and the other side is given up. */
#define STREAM_FLOOD (1u << 20)

/*
 * What a stream runs over, if not over its descriptor itself.  The functions
 * never wait: they return -1 with errno EAGAIN, and the stream calls again
 * once the events of ${read_wants} or ${write_wants} have come on the
 * descriptor.
 */
struct stream_transport {
	void *self; /* of the functions */
	/* As read(2): 0 only if the other side has said that it is done; a
	 * connection that breaks off is -1. */
	ssize_t (*read)(void *self, void *buf, size_t size);
	/* As send(2).  After EAGAIN the next call brings the same octets
	 * first, wherever they lie then. */
	ssize_t (*write)(void *self, const void *buf, size_t len);
	/* Would a read give something without the descriptor? */
	bool (*pending)(void *self);
	/* Say, as far as that goes at once, that we send no more. */
	void (*close)(void *self);
	short read_wants, write_wants; /* poll(2) events */
};

struct stream {
	/* -1: input was preloaded; output stays in ${out} until it is full or
	 * flushed, then it is dropped (tests) */
	int fd;
	const struct stream_transport *transport; /* or NULL */
	int64_t patience; /* ms a write may make no progress */
	bool broken; /* a read or write failed: say no more */
	bool ended; /* the other side will send no more */
	bool skipping; /* in the tail of a line that was too long */
	size_t in_at, in_end;
	uint64_t skipped;
	size_t out_len;
	size_t in_used, out_used; /* octets that were ever written */
	uint64_t octets_in, octets_out; /* since the start, for the log */
	char in[STREAM_LINE_MAX];
	char out[STREAM_OUT_MAX];
};

enum stream_line {
	STREAM_LINE, /* a line without its CRLF or LF */
	STREAM_LONG, /* a line longer than the limit was swallowed whole */
	STREAM_FLOODED, /* no end of line in STREAM_FLOOD octets */
	STREAM_EXPIRED, /* the deadline passed */
	STREAM_CLOSED /* end of file or an error; half a line is no line */
};

/**
 * stream_start(s, fd, patience):
 * Use ${fd}, which stays the caller's and is made non-blocking.  A write that
 * makes no progress for ${patience} ms breaks the stream.  Touches only the
 * first page of ${s}, so an idle stream costs little memory.
 */
void stream_start(struct stream *, int fd, int64_t patience);

/**
 * stream_wrap(s, transport):
 * From now on talk over ${transport}, which outlives the stream.  What was read
 * before is not part of it: stream_forget() first.
 */
void stream_wrap(struct stream *, const struct stream_transport *);

/**
 * stream_preload(s, octets):
 * Octets that somebody else read ahead; call it before the first read.  False
 * if they do not fit.
 */
bool stream_preload(struct stream *, struct popper_slice);

/** stream_ahead(s): what was read and not yet consumed; dies at a read. */
struct popper_slice stream_ahead(const struct stream *);

/** stream_forget(s): throw that away (STLS). */
void stream_forget(struct stream *);

/**
 * stream_read_line(s, most, line, deadline):
 * The next line, at most ${most} octets with its line end (most <=
 * STREAM_LINE_MAX).  Flushes the output before it waits.  ${line} dies at the
 * next read.  A line ends in CRLF or LF; a lone CR is data.
 */
enum stream_line stream_read_line(
    struct stream *, size_t most, struct popper_slice *line, deadline_t);

/** stream_put(s, octets): gather or send.  0, or -1 once broken. */
int stream_put(struct stream *, struct popper_slice);

/**
 * stream_room(s, n):
 * Where the next ${n} octets of output go, at most STREAM_OUT_MAX, to be
 * written there and then counted with stream_wrote; what is gathered is sent
 * if there is no room.  NULL once broken.
 */
char *stream_room(struct stream *, size_t n);

/** stream_wrote(s, n): so many were written there. */
void stream_wrote(struct stream *, size_t n);

/** stream_flush(s): send what is gathered.  0, or -1 once broken. */
int stream_flush(struct stream *);

/**
 * stream_is_quiet(s):
 * Has everything that came in been consumed?  Then a connection can be closed
 * without any ceremony: there is nothing for which the other side would get a
 * reset instead of our last line.
 */
bool stream_is_quiet(const struct stream *);

/** stream_wipe(s): overwrite all that has passed through ${s} since
 * stream_start(), which has to come before any other use. */
void stream_wipe(struct stream *);

/**
 * stream_close(s, patience):
 * Flush, shut the connection down and, for ${patience} ms at most, take in
 * what the other side still sends, so that our last line is not lost in a
 * reset.  The descriptor stays open and the caller's.
 */
void stream_close(struct stream *, int64_t patience);

#endif
