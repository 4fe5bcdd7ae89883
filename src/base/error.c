/*
 * error.c - fill a struct popper_error.
 *
 * Runs in: any process; modules reach it through struct popper_host.
 */
#include "config.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * The arguments may point into ${e} itself (an error that is told again with
 * more words), so the text is made beside it.  The cause is the last thing to
 * be cut.
 */
static void POPPER_PRINTF(3, 0) fill(
    struct popper_error *e, const char *cause, const char *format, va_list ap)
{
	char text[sizeof(e->text)];
	size_t room = sizeof(text) - strlen(cause);

	if (vsnprintf(text, room, format, ap) < 0)
		text[0] = '\0';
	memcpy(text + strlen(text), cause, strlen(cause) + 1);
	memcpy(e->text, text, strlen(text) + 1);
	e->reply[0] = '\0';
}

int
error_set(
    struct popper_error *e, enum popper_status status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fill(e, "", format, ap);
	va_end(ap);
	e->status = status;
	e->system = 0;
	return -1;
}

int
error_system(
    struct popper_error *e, enum popper_status status, const char *format, ...)
{
	int system = errno;
	char buf[128], cause[sizeof(buf) + 2];
	va_list ap;

	if (snprintf(cause, sizeof(cause), ": %s",
		strerror_r(system, buf, sizeof(buf))) < 0)
		cause[0] = '\0';
	va_start(ap, format);
	fill(e, cause, format, ap);
	va_end(ap);
	e->status = status;
	e->system = system;
	return -1;
}

void
error_clear(struct popper_error *e)
{
	e->status = POPPER_OK;
	e->system = 0;
	e->reply[0] = '\0';
	e->text[0] = '\0';
}
