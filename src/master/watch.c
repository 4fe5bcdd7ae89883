/*
 * watch.c - start the three services, keep them up, stop them.
 *
 * Runs in: the master, as root.  Hears from the services: READY once each, log
 * lines, and that they have ended.
 */
#include "master/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "master/files.h"
#include "master/generation.h"
#include "master/journal.h"

/* A session that is in its UPDATE may take so long at our end. */
#define STOP_PATIENCE 30000
#define BACKOFF_MOST 30000
/* A service that has lived so long has not failed at its start. */
#define GOOD_LIFE 60000
/* ms that a line which follows another may wait. */
#define LOG_PAUSE 20
#define OLD_MAX 128 /* process groups of services that are no more ours */

static struct {
	int signals;
	bool started;
	bool lines; /* of the log came in a moment ago */
	struct generation now;
	pid_t old[OLD_MAX];
	size_t old_count;
} watch = { .signals = -1 };

int
watch_init(struct popper_error *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1 ||
	    (watch.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) ==
		-1 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		return error_system(e, POPPER_TEMPORARY, "signals");
	return 0;
}

static void
forget_group(pid_t pid)
{
	if (watch.old_count == OLD_MAX) {
		memmove(watch.old, watch.old + 1,
		    (OLD_MAX - 1) * sizeof(*watch.old));
		watch.old_count--;
	}
	watch.old[watch.old_count++] = pid;
}

static void
signal_group(pid_t pid, int signal)
{
	if (pid > 0 && kill(-pid, signal) == -1 && errno != ESRCH)
		log_warning("kill of group %d: %s", (int)pid, strerror(errno));
}

/* --- A generation. --- */

/* Let it go: its services end when nobody talks to them any more. */
static void
retire(struct generation *g, int signal)
{
	generation_close(g);
	for (int r = 0; r < ROLES; r++) {
		struct child *c = &g->child[r];

		if (c->pid > 0) {
			if (signal != 0)
				signal_group(c->pid, signal);
			else if (r == ROLE_LOGIN)
				kill(c->pid, SIGTERM);
			forget_group(c->pid);
		}
		fd_close(&c->control);
	}
}

int
watch_start(const struct settings *s, const struct sockets *sockets,
    bool single, struct popper_error *e)
{
	static struct readiness ready;
	static struct generation fresh;

	if (generation_prepare(&fresh, s, sockets, single, e) == -1)
		return -1;
	if (generation_start_back(&fresh, e) == -1 ||
	    generation_start(&fresh, ROLE_LOGIN, e) == -1 ||
	    generation_await(&fresh, ROLE_LOGIN, &ready, e) == -1) {
		retire(&fresh, SIGTERM);
		return -1;
	}
	if (watch.started)
		retire(&watch.now, 0);
	watch.now = fresh;
	watch.started = true;
	if (single)
		generation_close(&watch.now);
	return 0;
}

int
watch_check(const struct settings *s, struct popper_error *e)
{
	static struct readiness ready;
	static struct generation g;
	int result;

	if (generation_prepare(&g, s, NULL, false, e) == -1)
		return -1;
	result = generation_start_back(&g, e);
	if (result == 0)
		result = generation_start(&g, ROLE_LOGIN, e);
	if (result == 0)
		result = generation_await(&g, ROLE_LOGIN, &ready, e);
	retire(&g, SIGTERM);
	return result;
}

int
watch_list(const struct settings *s, bool used, char *out, size_t size,
    struct popper_error *e)
{
	static struct readiness ready;
	static struct generation g;
	size_t len;

	if (generation_prepare(&g, s, NULL, false, e) == -1)
		return -1;
	g.assignment.list = !used;
	g.assignment.print = used;
	out[0] = '\0';
	for (int r = ROLE_AUTH; r <= ROLE_SESSION; r++) {
		if (generation_start(&g, (enum role)r, e) == -1 ||
		    generation_await(&g, (enum role)r, &ready, e) == -1)
			return -1;
		len = strlen(out);
		text_print(out + len, size - len, "%s", ready.listing);
	}
	retire(&g, SIGTERM);
	return 0;
}

/* --- Watching. --- */

static struct child *
find(pid_t pid, int *role)
{
	for (*role = 0; *role < ROLES; (*role)++)
		if (watch.now.child[*role].pid == pid)
			return &watch.now.child[*role];
	return NULL;
}

static void
say_ended(const char *name, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_error("%s (process %d) was killed by signal %d (%s)", name,
		    (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 127)
		log_error("%s cannot be executed", name);
	else
		log_error("%s (process %d) ended with status %d", name,
		    (int)pid, WEXITSTATUS(status));
}

/* Is anybody left in the process groups we know?  Those that are empty are
 * forgotten: their number may soon be a stranger's. */
static bool
somebody_left(void)
{
	size_t n = 0;

	for (size_t i = 0; i < watch.old_count; i++)
		if (kill(-watch.old[i], 0) == 0)
			watch.old[n++] = watch.old[i];
	watch.old_count = n;
	return n > 0;
}

/* A service of ours is gone: its children live on, it is started again. */
static void
lost(struct child *c, int role, int status)
{
	if (!watch.now.assignment.single) {
		say_ended(role_name[role], c->pid, status);
		if (deadline_in(0) - c->started > GOOD_LIFE)
			c->backoff = BACKOFF_LEAST;
		c->restart = deadline_in(c->backoff);
		c->backoff = c->backoff * 4 > BACKOFF_MOST ? BACKOFF_MOST
							   : c->backoff * 4;
	}
	forget_group(c->pid);
	c->pid = 0;
	fd_close(&c->control);
}

static void
reap(void)
{
	struct child *c;
	int status, role;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if ((c = find(pid, &role)) != NULL)
			lost(c, role, status);
	somebody_left();
}

/* Start again what is down and due.  When the next one is due. */
static deadline_t
restart(void)
{
	deadline_t next = DEADLINE_NEVER;
	struct popper_error e;

	for (int r = 0; r < ROLES && !watch.now.assignment.single; r++) {
		struct child *c = &watch.now.child[r];

		if (c->pid != 0)
			continue;
		if (deadline_left(c->restart) > 0) {
			next = deadline_earlier(next, c->restart);
			continue;
		}
		log_notice("starting %s again", role_name[r]);
		if (generation_start(&watch.now, (enum role)r, &e) == -1) {
			log_error("%s", e.text);
			c->restart = deadline_in(BACKOFF_MOST);
			next = deadline_earlier(next, c->restart);
		}
	}
	return next;
}

static bool
all_gone(void)
{
	for (int r = 0; r < ROLES; r++)
		if (watch.now.child[r].pid != 0)
			return false;
	return true;
}

/* The number of the signal that asks for something, or 0. */
static int
take_signal(void)
{
	struct signalfd_siginfo i;
	int wish = 0;

	while (read(watch.signals, &i, sizeof(i)) == (ssize_t)sizeof(i))
		if (i.ssi_signo != SIGCHLD && wish != SIGTERM)
			wish = i.ssi_signo == SIGHUP ? SIGHUP : SIGTERM;
	reap();
	return wish;
}

/*
 * Wait for signals, log lines and what becomes of files until ${until}; the
 * wish of a signal.  Lines that follow a line soon are taken in together: under
 * load the log costs one wake-up for many of them.
 */
static int
wait_event(deadline_t until)
{
	struct pollfd p[3] = { { .fd = watch.signals, .events = POLLIN },
		{ .fd = files_input(), .events = POLLIN },
		{ .fd = journal_input(), .events = POLLIN } };

	until = deadline_earlier(until, files_due());
	if (watch.lines)
		until = deadline_earlier(until, deadline_in(LOG_PAUSE));
	if (poll(p, watch.lines ? 2 : 3, deadline_left(until)) == -1 &&
	    errno != EINTR)
		log_fatal("poll: %s", strerror(errno));
	watch.lines = journal_take();
	return p[0].revents != 0 ? take_signal() : 0;
}

void
watch_run(const struct watch_events *events)
{
	for (;;) {
		switch (wait_event(restart())) {
		case SIGHUP:
			events->reload();
			break;
		case SIGTERM:
			return;
		default:
			break;
		}
		if (files_changed())
			events->renew();
		if (watch.now.assignment.single && all_gone())
			return;
	}
}

void
watch_stop(void)
{
	deadline_t limit = deadline_in(STOP_PATIENCE);

	files_stop();
	if (watch.started)
		retire(&watch.now, SIGTERM);
	watch.started = false;
	for (int r = 0; r < ROLES; r++)
		watch.now.child[r].pid = 0;
	for (size_t i = 0; i < watch.old_count; i++)
		signal_group(watch.old[i], SIGTERM);
	while (somebody_left() && deadline_left(limit) > 0)
		wait_event(deadline_earlier(limit, deadline_in(1000)));
	for (size_t i = 0; i < watch.old_count; i++)
		signal_group(watch.old[i], SIGKILL);
	journal_take();
}
