/*
 * xmit_run.c - start the MTA and say how it went.
 *
 * Runs in: an attendant, as the user, without sandbox and without
 * no_new_privs: an MTA that is setgid gets its group.
 *
 * No shell, no PATH, no environment of ours, and of descriptors 0 to 2 only.
 * The message is a file and complete: whatever happens to us, the MTA never
 * takes a part of it for the whole.
 */
#define _GNU_SOURCE /* pipe2, close_range */
#include "xmit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_MAX 256 /* octets of what it says, for the log */
#define GRACE 2000 /* ms between SIGTERM, SIGKILL and giving up */

struct run {
	const struct xmit *x;
	pid_t pid;
	int end; /* pidfd */
	int output; /* what it writes */
	int exec; /* errno, if it could not be started */
	size_t len;
	char said[OUTPUT_MAX + 1];
};

/* --- In the child. --- */

static char **
environment(const struct popper_identity *i)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		    lang[] = "LANG=C";
	static char home[POPPER_PATH_MAX + 8], user[POPPER_USER_MAX + 8],
	    logname[POPPER_USER_MAX + 12];
	static char *all[] = { path, lang, home, user, logname, NULL };

	(void)snprintf(
	    home, sizeof(home), "HOME=%s", i->home[0] == '/' ? i->home : "/");
	(void)snprintf(user, sizeof(user), "USER=%s", i->user);
	(void)snprintf(logname, sizeof(logname), "LOGNAME=%s", i->user);
	return all;
}

/* Standard input, output and error; all else ends at exec. */
static int
arrange(int message, int output)
{
	if (dup2(message, STDIN_FILENO) == -1 ||
	    dup2(output, STDOUT_FILENO) == -1 ||
	    dup2(output, STDERR_FILENO) == -1)
		return -1;
	return close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
}

static int
usual_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL); /* some cannot be changed */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
child(const struct xmit *x, int message, const char *sender, const int fd[2])
{
	char name[] = "sendmail", i[] = "-i", f[] = "-f", t[] = "-t";
	char *address = strdup(sender);
	char *argv[] = { name, i, f, address, t, NULL };
	int error;

	(void)umask(077);
	/* Should we be killed it shall not hang about for ever.  An MTA that
	 * is setgid forgets this. */
	if (address != NULL && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
	    setsid() != -1 && chdir("/") == 0 && usual_signals() == 0 &&
	    arrange(message, fd[0]) == 0)
		execve(
		    x->conf->sendmail, argv, environment(x->place->identity));
	error = errno;
	if (write(fd[1], &error, sizeof(error)) == -1)
		_exit(EX_OSERR);
	_exit(EX_OSFILE);
}

/* --- In the attendant. --- */

static int64_t
now(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_MONOTONIC, &t) == -1)
		return INT64_MAX; /* cannot be; it is late then */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Take in what it says, and keep its beginning. */
static void
listen(struct run *r)
{
	char more[512];
	ssize_t n = read(r->output, more, sizeof(more));

	if (n > 0 && r->len < OUTPUT_MAX) {
		if ((size_t)n > OUTPUT_MAX - r->len)
			n = (ssize_t)(OUTPUT_MAX - r->len);
		memcpy(r->said + r->len, more, (size_t)n);
		r->len += (size_t)n;
	}
	if (n == 0 || (n == -1 && errno != EINTR && errno != EAGAIN)) {
		(void)close(r->output);
		r->output = -1; /* poll(2) leaves it out */
	}
}

/* Until it has ended; false if that is not before ${until}. */
static bool
wait_until(struct run *r, int64_t until)
{
	struct pollfd p[2];
	int64_t left;

	for (;;) {
		p[0] = (struct pollfd){ .fd = r->end, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = r->output, .events = POLLIN };
		left = until - now();
		if (poll(p, 2, left > 0 ? (int)left : 0) == -1 &&
		    errno != EINTR)
			return false;
		if (p[1].revents != 0)
			listen(r);
		if (p[0].revents != 0)
			return true;
		if (left <= 0)
			return false;
	}
}

/* It took too long: end it, and what it has started.  An MTA that has become
 * somebody else cannot be ended; then we wait no more. */
static void
stop(struct run *r)
{
	bool ended;

	(void)kill(-r->pid, SIGTERM);
	ended = wait_until(r, now() + GRACE);
	(void)kill(-r->pid, SIGKILL);
	if (ended || wait_until(r, now() + GRACE))
		(void)waitpid(r->pid, NULL, 0);
}

/* What it said, as one line. */
static const char *
words(struct run *r)
{
	size_t n;

	while (r->len > 0 &&
	    (r->said[r->len - 1] == '\n' || r->said[r->len - 1] == '\r'))
		r->len--;
	r->said[r->len] = '\0';
	for (n = 0; n < r->len; n++)
		if (r->said[n] == '\n' || r->said[n] == '\0')
			r->said[n] = ' ';
	return r->len > 0 ? r->said : "it said nothing";
}

static const char failed[] = "Unable to send message";

static int
fail(struct run *r, enum popper_status status, const char *what, int number,
    struct popper_error *error)
{
	(void)(r->x->host->fail)(error, status, "xmit: %s %s %d: %s",
	    r->x->conf->sendmail, what, number, words(r));
	return xmit_reply(error, failed);
}

/* sysexits.h: what may be better next time? */
static enum popper_status
status_of(int code)
{
	switch (code) {
	case EX_UNAVAILABLE: /* msmtp: the other side says "later" */
	case EX_OSERR:
	case EX_CANTCREAT:
	case EX_IOERR:
	case EX_TEMPFAIL:
	case EX_PROTOCOL:
		return POPPER_TEMPORARY;
	default:
		return POPPER_PERMANENT;
	}
}

/* ms. */
static int64_t
time_limit(const struct xmit *x)
{
	uint64_t seconds = x->conf->time_limit;

	if (seconds == 0 || seconds > XMIT_TIME_MAX)
		seconds = XMIT_TIME_MAX;
	return (int64_t)seconds * 1000;
}

/* All that is there, without waiting: what it has left running may go on
 * writing. */
static void
listen_to_end(struct run *r)
{
	struct pollfd p = { .fd = r->output, .events = POLLIN };

	while (r->output != -1 && r->len < OUTPUT_MAX && poll(&p, 1, 0) > 0)
		listen(r);
}

static int
not_started(struct run *r, int number, struct popper_error *error)
{
	errno = number;
	(void)r->x->host->fail_system(error, POPPER_PERMANENT,
	    "xmit: %s cannot be started (sendmail)", r->x->conf->sendmail);
	return xmit_reply(error, failed);
}

static int
verdict(struct run *r, struct popper_error *error)
{
	int status, error_number;

	if (!wait_until(r, now() + time_limit(r->x))) {
		stop(r);
		return fail(r, POPPER_TEMPORARY, "took longer than time-limit",
		    (int)r->x->conf->time_limit, error);
	}
	listen_to_end(r);
	if (waitpid(r->pid, &status, 0) != r->pid)
		return r->x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: waitpid");
	if (read(r->exec, &error_number, sizeof(error_number)) ==
	    (ssize_t)sizeof(error_number))
		return not_started(r, error_number, error);
	if (WIFSIGNALED(status))
		return fail(r, POPPER_TEMPORARY, "was ended by signal",
		    WTERMSIG(status), error);
	if (WEXITSTATUS(status) == EX_OK)
		return 0;
	return fail(r, status_of(WEXITSTATUS(status)), "ended with status",
	    WEXITSTATUS(status), error);
}

static int
start(struct run *r, int message, const char *sender, const int out[2],
    const int exec[2])
{
	const int theirs[2] = { out[1], exec[1] };

	if ((r->pid = fork()) == 0)
		child(r->x, message, sender, theirs);
	(void)close(out[1]);
	(void)close(exec[1]);
	if (r->pid == -1)
		return -1;
	r->end = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (r->end != -1)
		return 0;
	if (kill(r->pid, SIGKILL) == 0)
		(void)waitpid(r->pid, NULL, 0);
	return -1;
}

int
xmit_run(const struct xmit *x, int message, const char *sender,
    struct popper_error *error)
{
	struct run r = { .x = x, .end = -1, .output = -1 };
	int out[2], exec[2], result = -1;

	if (pipe2(out, O_CLOEXEC) == -1)
		return x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: pipe");
	if (pipe2(exec, O_CLOEXEC) == -1) {
		(void)close(out[0]);
		(void)close(out[1]);
		return x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: pipe");
	}
	r.output = out[0];
	r.exec = exec[0];
	if (start(&r, message, sender, out, exec) == -1)
		(void)x->host->fail_system(
		    error, POPPER_TEMPORARY, "xmit: fork");
	else
		result = verdict(&r, error);
	if (r.end != -1)
		(void)close(r.end);
	if (r.output != -1)
		(void)close(r.output);
	(void)close(r.exec);
	return result;
}
