/*
 * stuff.c - fuzz: messages on their way to the client.
 *
 * In whatever pieces a message comes, the client that takes the dots away
 * again finds exactly the octets that LIST said, with CRLF line ends; and TOP
 * shows exactly the header and so many lines.
 */
#include "fuzz.h"

#include "proto/stuff.h"

#define STORED_MAX 20000 /* the wire form stays in the stream's buffer */

const char fuzz_corpus[] = "stuff";

static struct stream s;
static char plain[3 * STORED_MAX + 2], shown[STORED_MAX];
static size_t plain_len, shown_len;

/* The message with CRLF line ends, octet by octet. */
static void
normalise(struct popper_slice in)
{
	size_t i;

	plain_len = 0;
	for (i = 0; i < in.len; i++) {
		if (in.ptr[i] == '\n' && (i == 0 || in.ptr[i - 1] != '\r'))
			plain[plain_len++] = '\r';
		plain[plain_len++] = in.ptr[i];
	}
	if (in.len > 0 && in.ptr[in.len - 1] != '\n') {
		plain[plain_len++] = '\r';
		plain[plain_len++] = '\n';
	}
}

/* As a client does: the wire form without its dots is ${plain}. */
static void
check_wire(void)
{
	size_t i, n = 0;
	bool start = true;

	for (i = 0; i < s.out_len; i++) {
		if (start && s.out[i] == '.') {
			i++; /* "." alone would be the end of the reply */
			fuzz_check(i < s.out_len && s.out[i] != '\r');
		}
		fuzz_check(n < plain_len && s.out[i] == plain[n]);
		n++;
		start = s.out[i] == '\n';
		fuzz_check(!start || (i > 0 && s.out[i - 1] == '\r'));
	}
	fuzz_check(n == plain_len && start);
}

static int
keep(struct popper_sink *sink, struct popper_slice in)
{
	(void)sink;
	if (in.len > 0)
		memcpy(shown + shown_len, in.ptr, in.len);
	shown_len += in.len;
	return 0;
}

/* Pour ${in} into ${sink} in pieces. */
static int
pour(struct popper_sink *sink, struct popper_slice in, uint32_t seed)
{
	size_t at, n;
	int result = 0;

	for (at = 0; at < in.len && result == 0; at += n) {
		n = fuzz_piece(&seed, in.len - at);
		result = sink->put(sink, popper_slice(in.ptr + at, n));
	}
	return result;
}

/* How many octets TOP shows, line by line; ${enough} if they are complete. */
static size_t
top_length(struct popper_slice in, uint64_t lines, int *enough)
{
	size_t at = 0, end;
	bool body = false;

	while (!body || lines > 0) {
		for (end = at; end < in.len && in.ptr[end] != '\n'; end++)
			;
		*enough = 0;
		if (end == in.len)
			return in.len;
		if (body)
			lines--;
		else
			body =
			    end == at || (end == at + 1 && in.ptr[at] == '\r');
		at = end + 1;
	}
	*enough = 1;
	return at;
}

static void
check_top(struct popper_slice in, uint64_t lines, uint32_t seed)
{
	struct popper_sink keeper = { .put = keep };
	struct top t;
	size_t len;
	int enough, result;

	shown_len = 0;
	top_start(&t, &keeper, lines);
	result = pour(&t.sink, in, seed);
	len = top_length(in, lines, &enough);
	fuzz_check(result == enough);
	fuzz_check(shown_len == len && memcmp(shown, in.ptr, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct popper_slice in;
	struct measure m;
	struct stuff st;

	if (len < 2 || len > STORED_MAX)
		return 0;
	in = popper_slice(data + 2, len - 2);
	stream_start(&s, -1, 0);
	stuff_start(&st, &s);
	fuzz_check(pour(&st.sink, in, data[0]) == 0);
	fuzz_check(stuff_end(&st) == 0);
	normalise(in);
	check_wire();
	measure_start(&m);
	fuzz_check(pour(&m.sink, in, data[1]) == 0);
	fuzz_check(measure_end(&m) == plain_len);
	check_top(in, data[1], data[0]);
	check_top(in, data[1] % 4, data[0]);
	return 0;
}
