/*
 * journal.c - the one place that writes the log.
 *
 * Runs in: the master, as root.  The lines of the services hold text that came
 * from clients: they are bounded, looked at as octets only, and escaped again.
 * The kernel says which process sent a line.
 */
#include "master/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#define MANY 256 /* lines taken in one go */

static struct journal {
	int pair[2];
	int file; /* the trace file, or -1 */
	bool to_stderr;
	char ident[32]; /* syslog keeps a pointer to it */
} journal = { .pair = { -1, -1 }, .file = -1 };

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "mail", LOG_MAIL },
	{ "daemon", LOG_DAEMON },
	{ "auth", LOG_AUTH },
	{ "user", LOG_USER },
	{ "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
};

int
journal_facility(const char *name)
{
	for (size_t i = 0; i < sizeof(facilities) / sizeof(*facilities); i++)
		if (strcmp(name, facilities[i].name) == 0)
			return facilities[i].facility;
	return -1;
}

static int
priority(enum popper_level level)
{
	static const int priorities[] = { [POPPER_LOG_DEBUG] = LOG_DEBUG,
		[POPPER_LOG_INFO] = LOG_INFO,
		[POPPER_LOG_NOTICE] = LOG_NOTICE,
		[POPPER_LOG_WARNING] = LOG_WARNING,
		[POPPER_LOG_ERROR] = LOG_ERR };

	return priorities[level];
}

static void
write_file(int fd, pid_t pid, bool dated, const char *text)
{
	char line[LOG_LINE_MAX + 128], when[64] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (dated && localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%b %e %H:%M:%S ", &tm);
	text_print(
	    line, sizeof(line), "%spopper[%d]: %s\n", when, (int)pid, text);
	/* A log that cannot be written is told of by nobody; mail goes on. */
	if (fd_write_all(fd, line, strlen(line)) == -1)
		return;
}

void
journal_write(enum popper_level level, pid_t pid, const char *text)
{
	if (journal.file != -1)
		write_file(journal.file, pid, true, text);
	else if (journal.to_stderr)
		write_file(STDERR_FILENO, pid, false, text);
	else {
		text_print(journal.ident, sizeof(journal.ident), "popper[%d]",
		    (int)pid);
		syslog(priority(level), "%s", text);
	}
}

static int
open_file(const char *path, struct popper_error *e)
{
	struct stat st;
	int fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
		O_NONBLOCK,
	    0600);

	if (fd == -1)
		return error_system(e, POPPER_PERMANENT, "trace-file %s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	fd_close(&fd);
	return error_set(
	    e, POPPER_PERMANENT, "trace-file %s is not a regular file", path);
}

int
journal_reopen(const struct settings *s, struct popper_error *e)
{
	int facility = journal_facility(s->log_facility), fd = -1;

	if (facility == -1)
		return error_set(e, POPPER_PERMANENT,
		    "log-facility = \"%.80s\": must be mail, daemon, auth, "
		    "user or local0 to local7",
		    s->log_facility);
	if (s->trace_file[0] != '\0' &&
	    (fd = open_file(s->trace_file, e)) == -1)
		return -1;
	fd_close(&journal.file);
	journal.file = fd;
	closelog();
	/* At once: popperctl works where it cannot open it any more. */
	openlog(journal.ident, LOG_NDELAY, facility);
	log_start(-1, s->debug);
	log_to(journal_write);
	return 0;
}

int
journal_start(const struct settings *s, bool to_stderr, struct popper_error *e)
{
	int on = 1, room = 1 << 20;

	journal.to_stderr = to_stderr;
	if (journal_reopen(s, e) == -1)
		return -1;
	if (fd_pair(journal.pair) == -1 ||
	    setsockopt(journal.pair[0], SOL_SOCKET, SO_PASSCRED, &on,
		sizeof(on)) == -1)
		return error_system(e, POPPER_TEMPORARY, "log socket");
	/* For the lines of a busy moment; what the kernel gives will do. */
	if (setsockopt(journal.pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &room,
		sizeof(room)) == -1)
		log_debug("the log has the usual room");
	return 0;
}

int
journal_input(void)
{
	return journal.pair[0];
}

int
journal_output(void)
{
	return journal.pair[1];
}

static pid_t
sender(struct msghdr *m)
{
	struct cmsghdr *c;
	struct ucred u;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&u, CMSG_DATA(c), sizeof(u));
			return u.pid;
		}
	return 0;
}

/* A writer has escaped its line; one that has not is a writer gone bad. */
static void
clean(char *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '?';
	out[len] = '\0';
}

/* One line; false if none is waiting. */
static bool
take_one(void)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char bytes[LOG_LINE_MAX + 1], text[LOG_LINE_MAX + 1];
	struct iovec v = { bytes, sizeof(bytes) };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n =
	    recvmsg(journal.pair[0], &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	unsigned char level;

	if (n <= 0)
		return false;
	level = (unsigned char)bytes[0];
	if (level > POPPER_LOG_ERROR)
		level = POPPER_LOG_ERROR;
	clean(text, bytes + 1, (size_t)n - 1);
	journal_write((enum popper_level)level, sender(&m), text);
	return true;
}

bool
journal_take(void)
{
	int n = 0;

	while (n < MANY && take_one())
		n++;
	return n > 0;
}
