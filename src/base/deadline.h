/* deadline.h - absolute limits for every wait, on the monotonic clock. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
typedef int64_t deadline_t;

#define DEADLINE_NEVER INT64_MAX

/** deadline_in(ms): the moment ${ms} milliseconds from now. */
deadline_t deadline_in(int64_t ms);

/** deadline_earlier(a, b): the one that comes first. */
deadline_t deadline_earlier(deadline_t a, deadline_t b);

/**
 * deadline_left(d):
 * Milliseconds left, as poll(2) wants them: 0 if ${d} has passed, -1 for
 * DEADLINE_NEVER, never more than INT_MAX.
 */
int deadline_left(deadline_t d);

#endif
