/*
 * deadline.c - absolute limits on the monotonic clock.
 *
 * Runs in: any process.
 */
#include "base/deadline.h"

#include <limits.h>
#include <time.h>

static int64_t
now(void)
{
	struct timespec t;

	/* Cannot fail: the clock exists and ${t} is ours. */
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

deadline_t
deadline_in(int64_t ms)
{
	int64_t start = now();

	if (ms >= DEADLINE_NEVER - start)
		return DEADLINE_NEVER;
	return start + (ms > 0 ? ms : 0);
}

deadline_t
deadline_earlier(deadline_t a, deadline_t b)
{
	return a < b ? a : b;
}

int
deadline_left(deadline_t d)
{
	int64_t start;

	if (d == DEADLINE_NEVER)
		return -1;
	start = now();
	if (d <= start)
		return 0;
	return d - start > INT_MAX ? INT_MAX : (int)(d - start);
}
