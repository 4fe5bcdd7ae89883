/*
 * log.c - one line to the log.
 *
 * Runs in: any process.  All but the master send datagrams to it.
 */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"

static struct {
	int fd;
	bool debug;
	unsigned long dropped; /* lines that did not fit the queue */
	void (*writer)(enum popper_level, pid_t, const char *text);
} the_log = { .fd = -1 };

static const char *const level_name[] = {
	[POPPER_LOG_DEBUG] = "debug",
	[POPPER_LOG_INFO] = "info",
	[POPPER_LOG_NOTICE] = "notice",
	[POPPER_LOG_WARNING] = "warning",
	[POPPER_LOG_ERROR] = "error",
};

void
log_start(int fd, bool debug)
{
	the_log.fd = fd;
	the_log.debug = debug;
	the_log.dropped = 0;
	the_log.writer = NULL;
}

void
log_debugging(bool on)
{
	the_log.debug = on;
}

void
log_to(void (*writer)(enum popper_level, pid_t, const char *text))
{
	the_log.writer = writer;
}

static void
write_stderr(enum popper_level level, const char *text)
{
	char line[LOG_LINE_MAX + 128];

	/* What cannot be told here cannot be told anywhere. */
	if (!text_print(line, sizeof(line), "%.64s: %s: %s\n",
		program_invocation_short_name, level_name[level], text))
		return;
	(void)fd_write_all(STDERR_FILENO, line, strlen(line));
}

/* True if the datagram is on its way. */
static bool
send_datagram(enum popper_level level, const char *text)
{
	char datagram[1 + LOG_LINE_MAX];
	size_t len = strlen(text);
	ssize_t n;

	datagram[0] = (char)level;
	memcpy(datagram + 1, text, len);
	do
		n = send(
		    the_log.fd, datagram, 1 + len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n != -1;
}

/* Tell first what was lost before this line. */
static void
send_line(enum popper_level level, const char *text)
{
	char lost[64];

	if (the_log.dropped > 0 &&
	    text_print(lost, sizeof(lost), "%lu lines of the log were lost",
		the_log.dropped) &&
	    send_datagram(POPPER_LOG_WARNING, lost))
		the_log.dropped = 0;
	if (!send_datagram(level, text))
		the_log.dropped++;
}

static void
emit(enum popper_level level, const char *text)
{
	if (the_log.writer != NULL)
		the_log.writer(level, getpid(), text);
	else if (the_log.fd >= 0)
		send_line(level, text);
	else
		write_stderr(level, text);
}

static bool
is_wanted(enum popper_level level)
{
	return level != POPPER_LOG_DEBUG || the_log.debug;
}

void
log_vwrite(enum popper_level level, const char *format, va_list ap)
{
	char raw[LOG_LINE_MAX + 1], text[LOG_LINE_MAX + 1];
	int saved = errno;

	if (!is_wanted(level))
		return;
	if (vsnprintf(raw, sizeof(raw), format, ap) < 0)
		raw[0] = '\0';
	text_escape(text, sizeof(text), popper_slice_text(raw));
	emit(level, text);
	errno = saved;
}

void
log_clean(enum popper_level level, const char *text)
{
	char line[LOG_LINE_MAX + 1];
	int saved = errno;
	size_t len = 0;

	if (!is_wanted(level))
		return;
	for (; *text != '\0' && len < LOG_LINE_MAX; text++)
		line[len++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	line[len] = '\0';
	emit(level, line);
	errno = saved;
}

void
log_write(enum popper_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(level, format, ap);
	va_end(ap);
}

void
log_debug(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_DEBUG, format, ap);
	va_end(ap);
}

void
log_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_INFO, format, ap);
	va_end(ap);
}

void
log_notice(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_NOTICE, format, ap);
	va_end(ap);
}

void
log_warning(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_WARNING, format, ap);
	va_end(ap);
}

void
log_error(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_ERROR, format, ap);
	va_end(ap);
}

void
log_fatal(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_ERROR, format, ap);
	va_end(ap);
	exit(1);
}

void
log_panic(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(POPPER_LOG_ERROR, format, ap);
	va_end(ap);
	abort();
}

/* Who has to act on it: the client or the administrator? */
static enum popper_level
level_of(enum popper_status status)
{
	switch (status) {
	case POPPER_OK:
	case POPPER_INVALID:
	case POPPER_ABSENT:
	case POPPER_DENIED:
	case POPPER_IN_USE:
	case POPPER_TOO_SOON:
	case POPPER_NEEDS_UTF8:
		return POPPER_LOG_NOTICE;
	case POPPER_TEMPORARY:
	case POPPER_PERMANENT:
	case POPPER_STATUSES:
		break;
	}
	return POPPER_LOG_ERROR;
}

void
log_failure(const char *what, const struct popper_error *error)
{
	log_write(level_of(error->status), "%s: %s", what, error->text);
}
