/*
 * mangle_child.c - the process that looks into a message.
 *
 * Runs in: a session, as the user; be_child and below in its child.
 *
 * The child writes the length of what it has made, then that, and ends.
 * Anything else is a failure.
 */
#include "mangle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mangle_engine.h"

#define SLOW_MOST 5 /* messages in a session that may take too long */
#define HEADERS 65536 /* octets that may come on top of the text */

/* --- The child. --- */

static int
write_all(const void *ptr, size_t len)
{
	const char *at = ptr;
	ssize_t n;

	for (; len > 0; at += n, len -= (size_t)n)
		if ((n = write(1, at, len)) == -1)
			return -1;
	return 0;
}

static void __attribute__((noreturn))
be_child(const struct mangle *m, const struct mangle_wish *wish, int out)
{
	const struct mangle_limits limits = {
		.parts = (unsigned)m->conf->parts,
		.depth = (unsigned)m->conf->depth,
		.text = m->conf->text,
	};
	struct mangle_buffer made;
	uint64_t len;

	if (mangle_confine(m->conf, m->spool.ro, out) == -1)
		_exit(3);
	mangle_buffer_start(&made, limits.text + HEADERS);
	if (mangle_engine_run(
		0, &wish->arguments, &limits, wish->headers_only, &made) == -1)
		_exit(2);
	len = made.len;
	if (write_all(&len, sizeof(len)) == -1 ||
	    write_all(made.ptr, made.len) == -1)
		_exit(4);
	_exit(0);
}

/* --- The session. --- */

/* What comes back from the child. */
struct answer {
	int fd;
	int64_t deadline; /* ms, as now() has it */
	uint64_t expected; /* octets, once ${got} covers it */
	uint64_t got;
	const char *problem;
};

static int64_t
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Octets, 0 at the end, -1 with a->problem. */
static ssize_t
read_some(struct answer *a, void *buf, size_t size)
{
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	int64_t left;
	ssize_t n;

	for (;;) {
		left = a->deadline - now();
		if (left <= 0) {
			a->problem = "it takes too long";
			return -1;
		}
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(a->fd, buf, size);
		if (n >= 0 || errno != EINTR)
			break;
	}
	if (n == -1)
		a->problem = "read error";
	return n;
}

/* Count what the octets become with CRLF. */
static uint64_t
wire_octets(const char *ptr, size_t len)
{
	const char *end = ptr + len;
	uint64_t octets = len;

	while ((ptr = memchr(ptr, '\n', (size_t)(end - ptr))) != NULL) {
		octets++;
		ptr++;
	}
	return octets;
}

static int
store(struct mangle *m, struct answer *a, struct mangle_result *r)
{
	const uint64_t most = m->conf->text + HEADERS;
	char piece[32768];
	char *at = (char *)&a->expected;
	ssize_t n;

	while (a->got < sizeof(a->expected)) {
		n = read_some(a, at + a->got, sizeof(a->expected) - a->got);
		if (n <= 0)
			return -1;
		a->got += (uint64_t)n;
	}
	if (a->expected > most) {
		a->problem = "nonsense from the child";
		return -1;
	}
	while ((n = read_some(a, piece, sizeof(piece))) > 0) {
		r->len += (uint64_t)n;
		if (r->len > a->expected)
			return -1;
		r->octets += wire_octets(piece, (size_t)n);
		if (mangle_file_add(&m->kept.file, m->state,
			popper_slice(piece, (size_t)n)) == -1) {
			m->weak = true;
			a->problem = "the state folder cannot be written to";
			return -1;
		}
	}
	return n == 0 && r->len == a->expected ? 0 : -1;
}

static void
tell(const struct mangle *m, size_t i, const struct answer *a, int status)
{
	char why[64];

	if (a->problem != NULL)
		(void)snprintf(why, sizeof(why), "%s", a->problem);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		(void)snprintf(why, sizeof(why), "it takes too much time");
	else if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why),
		    "signal %d: it takes too much time or memory",
		    WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		(void)snprintf(
		    why, sizeof(why), "it is no message, or beyond a limit");
	else
		(void)snprintf(why, sizeof(why), "the child failed (%d)",
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	m->host->log(POPPER_LOG_WARNING,
	    "mangle: message %zu is sent as it is: %s (popper-mangle(8), "
	    "limits)",
	    i + 1, why);
}

static int
start(struct mangle *m, const struct mangle_wish *wish, pid_t *pid)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	if ((*pid = fork()) == 0)
		be_child(m, wish, fds[1]);
	(void)close(fds[1]);
	if (*pid > 0)
		return fds[0];
	(void)close(fds[0]);
	return -1;
}

void
mangle_child_run(struct mangle *m, const struct mangle_wish *wish, size_t i,
    struct mangle_result *r)
{
	struct answer a = { .fd = -1 };
	int status = 0;
	pid_t pid;

	*r = (struct mangle_result){ .state = MANGLE_UNTOUCHED,
		.from = m->kept.file.len };
	if (m->slow >= SLOW_MOST) {
		m->weak = true;
		return;
	}
	if ((a.fd = start(m, wish, &pid)) == -1) {
		m->weak = true;
		m->host->log(POPPER_LOG_WARNING,
		    "mangle: message %zu is sent as it is: no process for it",
		    i + 1);
		return;
	}
	a.deadline = now() + (int64_t)m->conf->time * 1500;
	if (store(m, &a, r) == 0)
		r->state = MANGLE_KEPT;
	(void)close(a.fd);
	(void)kill(pid, SIGKILL); /* it has nothing more to say */
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (r->state == MANGLE_KEPT)
		return;
	if (a.deadline <= now() ||
	    (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
		m->slow++;
	mangle_file_cut(&m->kept.file, r->from);
	tell(m, i, &a, status);
	if (m->slow == SLOW_MOST)
		m->host->log(POPPER_LOG_WARNING,
		    "mangle: %d messages took too long: all others of this "
		    "session are sent as they are",
		    SLOW_MOST);
}
