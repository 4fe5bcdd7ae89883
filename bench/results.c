/*
 * results.c - counters and times of a run, printed as one line of JSON.
 *
 * Runs in:  bench/popload.
 */
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "results.h"

static const char *const fault_name[] = {
	[FAULT_CONNECT] = "connect",
	[FAULT_PROTOCOL] = "protocol",
	[FAULT_REFUSED] = "refused",
	[FAULT_CLOSED] = "closed",
	[FAULT_CONTENT] = "content",
	[FAULT_COUNT] = "count",
	[FAULT_DELE] = "dele",
	[FAULT_TIMEOUT] = "timeout",
};
_Static_assert(
    sizeof(fault_name) / sizeof(fault_name[0]) == FAULTS, "name every fault");

static const char *const span_name[] = {
	[SPAN_SESSION] = "session_ms",
	[SPAN_OPEN] = "open_ms",
	[SPAN_LIST] = "list_ms",
	[SPAN_RETR] = "retr_ms",
	[SPAN_QUIT] = "quit_ms",
};
_Static_assert(
    sizeof(span_name) / sizeof(span_name[0]) == SPANS, "name every span");

void
results_time(struct results *r, enum span which, double seconds)
{
	struct series *s = &r->span[which];

	if (s->count == s->room) {
		s->room = s->room > 0 ? s->room * 2 : 1024;
		s->value = realloc(s->value, s->room * sizeof(*s->value));
		if (s->value == NULL)
			err(2, "no memory for %zu times", s->room);
	}
	s->value[s->count++] = seconds;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
print_span(struct series *s, const char *name)
{
	if (s->count == 0)
		return;
	qsort(s->value, s->count, sizeof(*s->value), by_value);
	printf(", \"%s\": {\"p50\": %.3f, \"p99\": %.3f}", name,
	    s->value[s->count / 2] * 1e3, s->value[s->count * 99 / 100] * 1e3);
}

uint64_t
results_faults(const struct results *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < FAULTS; i++)
		sum += r->fault[i];
	return sum;
}

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void
results_print(struct results *r, const char *mode)
{
	double wall = r->finished - r->began;
	struct rusage own;

	getrusage(RUSAGE_SELF, &own);
	printf("{\"mode\": \"%s\", \"sessions\": %ld, \"ok\": %ld, "
	       "\"faults\": {",
	    mode, r->ended, r->ok);
	for (size_t i = 0; i < FAULTS; i++)
		printf("%s\"%s\": %" PRIu64, i > 0 ? ", " : "", fault_name[i],
		    r->fault[i]);
	printf("}, \"bare_lf\": %" PRIu64 ", \"size_mismatch\": %" PRIu64
	       ", \"exact\": %" PRIu64 ", \"body_only\": %" PRIu64,
	    r->bare_lf, r->size_mismatch, r->exact, r->body_only);
	printf(", \"messages\": %" PRIu64 ", \"octets\": %" PRIu64
	       ", \"wall_s\": %.4f, \"client_cpu_s\": %.4f",
	    r->messages, r->octets, wall > 0 ? wall : 0,
	    seconds_of(own.ru_utime) + seconds_of(own.ru_stime));
	for (size_t i = 0; i < SPANS; i++)
		print_span(&r->span[i], span_name[i]);
	printf("}\n");
}

void
results_free(struct results *r)
{
	for (size_t i = 0; i < SPANS; i++)
		free(r->span[i].value);
}
