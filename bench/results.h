/* results.h - what a run of popload found, and how it says so. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stddef.h>
#include <stdint.h>

enum fault {
	FAULT_CONNECT,
	FAULT_PROTOCOL,
	FAULT_REFUSED,
	FAULT_CLOSED,
	FAULT_CONTENT,
	FAULT_COUNT,
	FAULT_DELE,
	FAULT_TIMEOUT,
	FAULTS
};

enum span { SPAN_SESSION, SPAN_OPEN, SPAN_LIST, SPAN_RETR, SPAN_QUIT, SPANS };

/* Times in seconds, in the order they came. */
struct series {
	double *value;
	size_t count, room;
};

struct results {
	uint64_t fault[FAULTS];
	long ended, ok; /* sessions */
	uint64_t bare_lf, size_mismatch; /* lines; sessions */
	uint64_t exact, body_only; /* sessions checked against the manifest */
	uint64_t messages, octets; /* retrieved */
	double began, finished; /* monotonic clock */
	struct series span[SPANS];
};

/** results_time(r, span, seconds): note one time. */
void results_time(struct results *, enum span, double seconds);

/** results_print(r, mode): all of it as one line of JSON on stdout. */
void results_print(struct results *, const char *mode);

/** results_faults(r): how many answers were not as they should be. */
uint64_t results_faults(const struct results *);

/** results_free(r): the series. */
void results_free(struct results *);

#endif
