/* content.h - one message as RETR sends it: un-stuffed, counted, summed. */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct content {
	uint32_t header; /* checksum up to the empty line */
	uint32_t body; /* ... after it */
	uint32_t body_kept; /* ... without the blank lines at its end */
	uint64_t octets; /* all of it, line ends as CRLF, dots un-stuffed */
	uint64_t bare_lf; /* lines that end without CR */
	bool line_start, after_cr, in_body, blank;
};

/** content_begin(c): ready for the first octet after the +OK line. */
void content_begin(struct content *);

/**
 * content_eat(c, data, len, done):
 * Take what can be taken of ${len} octets; returns how many.  The rest, at
 * most two octets, must come again with more behind it.  ${done} says that
 * the line with the final dot was among them.
 */
size_t content_eat(struct content *, const char *data, size_t len, bool *done);

/** content_body(c): the body's checksum, blank lines at its end left off. */
uint32_t content_body(const struct content *);

#endif
