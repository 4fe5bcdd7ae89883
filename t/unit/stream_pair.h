/* stream_pair.h - a stream and its other side, for the tests of streams. */
#ifndef STREAM_PAIR_H
#define STREAM_PAIR_H

#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/stream.h"

#include "unit.h"

#define SOON 10000 /* ms: reached only if something is wrong */

static struct stream s;
static int pair[2]; /* the stream's and ours */

static inline int
open_stream(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return -1;
	stream_start(&s, pair[0], SOON);
	return 0;
}

static inline int
close_stream(void **state)
{
	(void)state;
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}

static inline void
say(struct popper_slice octets)
{
	assert_int_equal(fd_write_all(pair[1], octets.ptr, octets.len), 0);
}

static inline enum stream_line
read_line(size_t most, struct popper_slice *line)
{
	return stream_read_line(&s, most, line, deadline_in(SOON));
}

#define assert_line(most, literal)                                      \
	do {                                                            \
		struct popper_slice line_;                              \
		assert_int_equal(read_line(most, &line_), STREAM_LINE); \
		assert_slice(line_, literal);                           \
	} while (0)

#define WITH_STREAM(f) \
	cmocka_unit_test_setup_teardown(f, open_stream, close_stream)

#endif
