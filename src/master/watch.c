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
#include "master/journal.h"
#include "priv/counters.h"
#include "priv/spawn.h"

enum role { ROLE_AUTH, ROLE_SESSION, ROLE_LOGIN, ROLES };

static const char *const role_name[] = {
	[ROLE_AUTH] = "popper-auth",
	[ROLE_SESSION] = "popper-session",
	[ROLE_LOGIN] = "popper-login",
};
_Static_assert(sizeof(role_name) / sizeof(*role_name) == ROLES, "name all");

#define READY_PATIENCE 60000
/* A session that is in its UPDATE may take so long at our end. */
#define STOP_PATIENCE 30000
#define BACKOFF_LEAST 100
#define BACKOFF_MOST 30000
/* A service that has lived so long has not failed at its start. */
#define GOOD_LIFE 60000

struct child {
	pid_t pid; /* 0: not running */
	int control;
	deadline_t started;
	deadline_t restart; /* when, if pid is 0 */
	int64_t backoff;
};

/* The services that work together, and the channels between them.  The master
 * keeps both ends: what waits in a channel outlives a service. */
struct generation {
	struct assignment assignment;
	struct sockets sockets;
	int connection;
	int knock[2], onward[2];
	struct child child[ROLES];
};

#define OLD_MAX 128 /* process groups of services that are no more ours */

static struct {
	int signals, counters;
	bool started;
	struct generation now;
	pid_t old[OLD_MAX];
	size_t old_count;
} watch = { .signals = -1, .counters = -1 };

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
	    (watch.signals = signalfd(
		 -1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) == -1 ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		return error_system(e, POPPER_TEMPORARY, "signals");
	if ((watch.counters = counters_make()) == -1)
		return error_system(e, POPPER_TEMPORARY, "counters");
	return 0;
}

/* --- One service. --- */

/* Its descriptors, in the order of priv/service.h. */
static void
fill(struct spawn *s, const struct generation *g, enum role r, int control)
{
	s->fd[s->count++] = journal_output();
	s->fd[s->count++] = r == ROLE_LOGIN ? g->knock[0]
	    : r == ROLE_AUTH		    ? g->onward[0]
					    : -1;
	s->fd[s->count++] = control;
	s->fd[s->count++] = watch.counters;
	if (r == ROLE_AUTH)
		s->fd[s->count++] = g->knock[1];
	else if (r == ROLE_SESSION)
		s->fd[s->count++] = g->onward[1];
	else if (g->connection != -1)
		s->fd[s->count++] = g->connection;
	else
		for (size_t i = 0; i < g->sockets.count; i++)
			s->fd[s->count++] = g->sockets.fd[i];
}

static int
start(struct generation *g, enum role r, struct popper_error *e)
{
	static struct wire w;
	struct child *c = &g->child[r];
	char path[POPPER_PATH_MAX + 1];
	struct spawn s = { .path = path, .name = role_name[r] };
	int pair[2];

	if (!text_print(path, sizeof(path), "%s/%s",
		g->assignment.settings.program_folder, role_name[r]))
		return error_set(
		    e, POPPER_PERMANENT, "program-folder is too long");
	if (fd_pair(pair) == -1)
		return error_system(e, POPPER_TEMPORARY, "socketpair");
	fill(&s, g, r, pair[1]);
	g->assignment.inputs = s.count - 4;
	c->pid = spawn_service(&s, e);
	fd_close(&pair[1]);
	c->control = pair[0];
	c->started = deadline_in(0);
	if (c->pid == -1) {
		c->pid = 0;
		fd_close(&c->control);
		return -1;
	}
	assignment_put(&w, &g->assignment);
	if (wire_send(&w, c->control, NULL, 0) == -1)
		log_warning("%s did not take its settings", role_name[r]);
	return 0;
}

/* Wait for READY, writing the log meanwhile. */
static int
await(struct child *c, enum role r, struct readiness *ready,
    struct popper_error *e)
{
	static struct wire w;
	deadline_t limit = deadline_in(READY_PATIENCE);
	struct pollfd p[2] = { { .fd = c->control, .events = POLLIN },
		{ .fd = journal_input(), .events = POLLIN } };
	size_t count;

	do {
		if (poll(p, 2, deadline_left(limit)) == -1 && errno != EINTR)
			return error_system(e, POPPER_TEMPORARY, "poll");
		journal_take();
	} while (p[0].revents == 0 && deadline_left(limit) > 0);
	if (p[0].revents != 0 &&
	    wire_receive(&w, c->control, NULL, 0, &count) == 1 &&
	    readiness_get(&w, ready))
		return 0;
	journal_take();
	return error_set(e, POPPER_PERMANENT,
	    "%s did not start: see the lines before this one", role_name[r]);
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

static void
close_channels(struct generation *g)
{
	fd_close(&g->knock[0]);
	fd_close(&g->knock[1]);
	fd_close(&g->onward[0]);
	fd_close(&g->onward[1]);
}

/* Let it go: its services end when nobody talks to them any more. */
static void
retire(struct generation *g, int signal)
{
	close_channels(g);
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

static int
prepare(struct generation *g, const struct settings *s,
    const struct sockets *sockets, int connection, struct popper_error *e)
{
	*g = (struct generation){ .assignment = { .settings = *s,
				      .single = connection != -1 },
		.connection = connection,
		.knock = { -1, -1 },
		.onward = { -1, -1 } };
	if (sockets != NULL)
		g->sockets = *sockets;
	for (int r = 0; r < ROLES; r++) {
		g->child[r].control = -1;
		g->child[r].backoff = BACKOFF_LEAST;
	}
	if (fd_pair(g->knock) == -1 || fd_pair(g->onward) == -1) {
		error_system(e, POPPER_TEMPORARY, "socketpair");
		close_channels(g);
		return -1;
	}
	return 0;
}

/* popper-auth and popper-session; what they can do goes to popper-login. */
static int
start_back(struct generation *g, struct readiness *r, struct popper_error *e)
{
	if (start(g, ROLE_AUTH, e) == -1 ||
	    await(&g->child[ROLE_AUTH], ROLE_AUTH, r, e) == -1)
		return -1;
	text_copy(g->assignment.mechanisms, sizeof(g->assignment.mechanisms),
	    r->mechanisms);
	if (start(g, ROLE_SESSION, e) == -1 ||
	    await(&g->child[ROLE_SESSION], ROLE_SESSION, r, e) == -1)
		return -1;
	text_copy(g->assignment.extensions, sizeof(g->assignment.extensions),
	    r->extensions);
	return 0;
}

int
watch_start(const struct settings *s, const struct sockets *sockets,
    int connection, struct popper_error *e)
{
	static struct readiness ready;
	static struct generation fresh;

	if (prepare(&fresh, s, sockets, connection, e) == -1)
		return -1;
	if (start_back(&fresh, &ready, e) == -1 ||
	    start(&fresh, ROLE_LOGIN, e) == -1 ||
	    await(&fresh.child[ROLE_LOGIN], ROLE_LOGIN, &ready, e) == -1) {
		retire(&fresh, SIGTERM);
		return -1;
	}
	if (watch.started)
		retire(&watch.now, 0);
	watch.now = fresh;
	watch.started = true;
	if (connection != -1)
		close_channels(&watch.now);
	return 0;
}

int
watch_check(const struct settings *s, struct popper_error *e)
{
	static struct readiness ready;
	static struct generation g;
	int result;

	if (prepare(&g, s, NULL, -1, e) == -1)
		return -1;
	result = start_back(&g, &ready, e);
	retire(&g, SIGTERM);
	return result;
}

int
watch_list(const struct settings *s, char *out, size_t size,
    struct popper_error *e)
{
	static struct readiness ready;
	static struct generation g;
	size_t len;

	if (prepare(&g, s, NULL, -1, e) == -1)
		return -1;
	g.assignment.list = true;
	out[0] = '\0';
	for (int r = ROLE_AUTH; r <= ROLE_SESSION; r++) {
		if (start(&g, (enum role)r, e) == -1 ||
		    await(&g.child[r], (enum role)r, &ready, e) == -1)
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

/* A service of ours is gone: its children live on, it is started again. */
static void
lost(struct child *c, int role, int status)
{
	if (watch.now.connection == -1) {
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
}

/* Start again what is down and due.  When the next one is due. */
static deadline_t
restart(void)
{
	deadline_t next = DEADLINE_NEVER;
	struct popper_error e;

	for (int r = 0; r < ROLES && watch.now.connection == -1; r++) {
		struct child *c = &watch.now.child[r];

		if (c->pid != 0)
			continue;
		if (deadline_left(c->restart) > 0) {
			next = deadline_earlier(next, c->restart);
			continue;
		}
		log_notice("starting %s again", role_name[r]);
		if (start(&watch.now, (enum role)r, &e) == -1) {
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

/* Wait for signals and log lines until ${until}; the wish of a signal. */
static int
wait_event(deadline_t until)
{
	struct pollfd p[2] = { { .fd = watch.signals, .events = POLLIN },
		{ .fd = journal_input(), .events = POLLIN } };

	if (poll(p, 2, deadline_left(until)) == -1 && errno != EINTR)
		log_fatal("poll: %s", strerror(errno));
	journal_take();
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
		if (watch.now.connection != -1 && all_gone())
			return;
	}
}

/* Is anybody left in the process groups we know? */
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

void
watch_stop(void)
{
	deadline_t limit = deadline_in(STOP_PATIENCE);

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
