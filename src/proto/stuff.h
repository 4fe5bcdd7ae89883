/*
 * stuff.h - a message as it goes over the wire, and its size.
 *
 * Sinks (popper/drop.h).  An LF without CR before it becomes CRLF; a lone CR
 * is data; a line that begins with "." gets one more; a message that does not
 * end in a line end gets one.  State is kept between pieces of any length.
 * RFC 1939 sections 3 and 11.  Pure: works on memory, fuzzed.
 */
#ifndef PROTO_STUFF_H
#define PROTO_STUFF_H

#include <stdbool.h>
#include <stdint.h>

#include <popper/drop.h>

#include "base/stream.h"

struct stuff {
	struct popper_sink sink;
	struct stream *stream;
	bool line_start; /* the next octet begins a line */
	bool cr; /* the last octet was CR */
};

/** stuff_start(s, stream): pour messages into ${stream}. */
void stuff_start(struct stuff *, struct stream *);
/** stuff_end(s): end an open line.  0, or -1 if the stream is broken.  An
 * empty message stays empty. */
int stuff_end(struct stuff *);

/* Counts the octets that LIST must say: CRLF line ends, no stuffing. */
struct measure {
	struct popper_sink sink;
	uint64_t octets;
	bool line_start, cr;
};

void measure_start(struct measure *);
/** measure_end(m): the size of the whole message. */
uint64_t measure_end(struct measure *);

/* TOP: lets through the header, the empty line and ${lines} lines of body,
 * then says "enough". */
struct top {
	struct popper_sink sink;
	struct popper_sink *next;
	uint64_t lines; /* of the body still to come */
	bool body, line_start, cr;
};

void top_start(struct top *, struct popper_sink *next, uint64_t lines);

#endif
