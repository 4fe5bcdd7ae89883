/* when.h - a time that an administrator gives. */
#ifndef POPPERCTL_WHEN_H
#define POPPERCTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/**
 * when_parse(text, now, since):
 * "90s", "30m", "3h", "2d" before ${now}; or a date of the local time,
 * "2026-11-20" or "2026-11-20 13:00" or "2026-11-20 13:00:30", which is not
 * later than ${now}.  Store in ${since} the Unix time.  False: it is neither.
 */
bool when_parse(const char *text, time_t now, uint64_t *since);

/** when_span(text, seconds): a time to wait: "90", "90s", "5m", "2h", "1d".
 * False if it is none. */
bool when_span(const char *text, uint64_t *seconds);

#endif
