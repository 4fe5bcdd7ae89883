/*
 * line.c - fuzz: lines from a stream that comes in pieces.
 *
 * The first octet chooses the limit, the second the pieces; how the octets
 * were cut must not change the lines.
 */
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/stream.h"

const char fuzz_corpus[] = "line";

static struct stream s;

/* What stream_read_line should say next of ${*left}, seen all at once. */
static enum stream_line
expect(struct popper_slice *left, size_t most, struct popper_slice *line)
{
	const char *lf = NULL;
	size_t len;

	if (left->len > 0)
		lf = memchr(left->ptr, '\n', left->len);
	if (lf == NULL)
		return STREAM_CLOSED;
	len = (size_t)(lf + 1 - left->ptr);
	*line = popper_slice(left->ptr, len - 1);
	*left = popper_slice(lf + 1, left->len - len);
	if (line->len > 0 && lf[-1] == '\r')
		line->len--;
	return len <= most ? STREAM_LINE : STREAM_LONG;
}

/* Read all lines that are there and compare them. */
static enum stream_line
compare(struct popper_slice *left, size_t most)
{
	struct popper_slice line, wanted = popper_slice("", 0);
	enum stream_line result;

	for (;;) {
		result = stream_read_line(&s, most, &line, deadline_in(0));
		if (result == STREAM_EXPIRED || result == STREAM_CLOSED)
			return result;
		fuzz_check(result == expect(left, most, &wanted));
		if (result != STREAM_LINE)
			continue;
		fuzz_check(line.len == wanted.len);
		fuzz_check(memcmp(line.ptr, wanted.ptr, line.len) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct popper_slice left, line;
	uint32_t seed;
	size_t most, at, n;
	int pair[2];

	if (len < 2 || len > 20000)
		return 0;
	most = data[0] + 1u;
	seed = data[1];
	left = popper_slice(data + 2, len - 2);
	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	stream_start(&s, pair[0], 0);
	for (at = 2; at < len; at += n) {
		n = fuzz_piece(&seed, len - at);
		fuzz_check(fd_write_all(pair[1], data + at, n) == 0);
		fuzz_check(compare(&left, most) == STREAM_EXPIRED);
	}
	close(pair[1]);
	fuzz_check(compare(&left, most) == STREAM_CLOSED);
	fuzz_check(expect(&left, most, &line) == STREAM_CLOSED);
	close(pair[0]);
	return 0;
}
