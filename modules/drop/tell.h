/*
 * tell.h - a line of what a driver tells popperctl.
 *
 * Runs in: popperctl's child, as the user.
 */
#ifndef DROP_TELL_H
#define DROP_TELL_H

#include <stdarg.h>
#include <stdio.h>

#include <popper/drop.h>

#define TELL_LINE (POPPER_PATH_MAX + 128) /* octets; the rest is cut */

static inline int say(struct popper_sink *, const char *, ...)
    POPPER_PRINTF(2, 3);

/** say(sink, format, ...): one line, without its end.  0 or -1. */
static inline int
say(struct popper_sink *sink, const char *format, ...)
{
	char line[TELL_LINE];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line))
		n = (int)sizeof(line) - 1;
	line[n] = '\n';
	return sink->put(sink, popper_slice(line, (size_t)n + 1)) == -1 ? -1
									: 0;
}

#endif
