/*
 * service.c - the warm parent that all three services are.
 *
 * Runs in: popper-login, popper-auth and popper-session, as root until the
 * program gives that up.
 */
#include "priv/service.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define INPUTS_MAX 64

/* Room that children find at the end of the heap, so that their first buffers
 * need no system call. */
#define TOP_PAD (512 * 1024)

/* ms until the children that have ended are looked after. */
#define NAP 1000
#define NAP_STOPPING 20

/* SIGTERM and its kin arrive here; the number of the counters' descriptor is
 * free again by then. */
enum { SERVICE_SIGNALS = SERVICE_COUNTERS };

static sigset_t watched;

/* Only in coverage builds: _exit() would lose the counters. */
extern void __gcov_dump(void) __attribute__((weak));

static void
watch_signals(void)
{
	int fd;

	sigemptyset(&watched);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &watched, NULL) == -1 ||
	    (fd = signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC)) == -1)
		log_fatal("signalfd: %s", strerror(errno));
	if (fd != SERVICE_SIGNALS) {
		if (dup3(fd, SERVICE_SIGNALS, O_CLOEXEC) == -1)
			log_fatal("dup: %s", strerror(errno));
		close(fd);
	}
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		log_fatal("signal: %s", strerror(errno));
}

void
service_start(struct service *s, const char *name)
{
	static struct wire w;
	size_t count;

	s->name = name;
	tzset(); /* later there may be no files to read it from */
	log_start(SERVICE_LOG, true);
	/* What a PAM module may start shall not get our descriptors. */
	if (close_range(SERVICE_LOG, ~0u, CLOSE_RANGE_CLOEXEC) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		log_fatal("prctl: %s", strerror(errno));
	if (wire_receive(&w, SERVICE_CONTROL, NULL, 0, &count) != 1 ||
	    !assignment_get(&w, &s->assignment) ||
	    s->assignment.inputs > INPUTS_MAX)
		log_fatal("%s must be started by popper", name);
	s->settings = &s->assignment.settings;
	log_start(SERVICE_LOG, s->settings->debug);
	s->counters = counters_map(SERVICE_COUNTERS);
	if (s->counters == NULL)
		log_fatal("counters: %s", strerror(errno));
	close(SERVICE_COUNTERS);
	watch_signals();
}

/*
 * What start-up has freed would be sorted, and so copied page by page, in every
 * child.  The C library sorts it when something is wanted that is larger than
 * all of it.
 */
static void
tidy_heap(void)
{
	void *volatile large; /* or compilers leave it out */

	if (mallopt(M_TOP_PAD, TOP_PAD) == 0 ||
	    mallopt(M_MMAP_THRESHOLD, TOP_PAD) == 0)
		log_debug("mallopt");
	large = malloc(TOP_PAD / 2);
	free(large);
	malloc_trim(TOP_PAD);
}

void
service_ready(struct service *s, const struct readiness *r)
{
	static struct wire w;

	tidy_heap();
	readiness_put(&w, r);
	if (wire_send(&w, SERVICE_CONTROL, NULL, 0) == -1)
		log_fatal("%s: the master is gone", s->name);
	if (s->assignment.list || s->assignment.print)
		exit(0);
}

static void
reap(struct service *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		s->children--;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM) {
			s->counters->crashed++;
			log_error("%s: process %d was killed by signal %d (%s)",
			    s->name, (int)pid, WTERMSIG(status),
			    strsignal(WTERMSIG(status)));
		}
		if (s->reaped != NULL)
			s->reaped(s, pid, status);
	}
}

static bool
told_to_stop(void)
{
	struct signalfd_siginfo i;
	bool stop = false;

	while (read(SERVICE_SIGNALS, &i, sizeof(i)) == (ssize_t)sizeof(i))
		if (i.ssi_signo == SIGTERM || i.ssi_signo == SIGINT)
			stop = true;
	return stop;
}

/*
 * How long to wait for something to do.  The end of a child wakes nobody: it
 * is noticed before the next connection is taken, or here.  A wake-up for each
 * of them cost a tenth of a login.
 */
static int
nap(const struct service *s, bool stop)
{
	if (s->children == s->helpers)
		return -1;
	return stop ? NAP_STOPPING : NAP;
}

void
service_run(struct service *s)
{
	struct pollfd p[2 + INPUTS_MAX];
	nfds_t inputs = (nfds_t)s->assignment.inputs;
	bool stop = false, told = false;

	p[0] = (struct pollfd){ .fd = SERVICE_SIGNALS, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = SERVICE_CONTROL, .events = POLLIN };
	for (nfds_t i = 0; i < inputs; i++)
		p[2 + i] = (struct pollfd){ .fd = SERVICE_INPUT + (int)i,
			.events = POLLIN };
	while (!stop || (!s->leave_children && s->children > s->helpers)) {
		if (stop && !told && s->stopping != NULL)
			s->stopping(s);
		told = stop;
		if (poll(p, stop ? 1 : 2 + inputs, nap(s, stop)) == -1) {
			if (errno == EINTR)
				continue;
			log_fatal("%s: poll: %s", s->name, strerror(errno));
		}
		reap(s);
		if (p[0].revents != 0 && told_to_stop())
			stop = true;
		if (stop)
			continue;
		/* The master says no more: accept nothing new, but serve what
		 * is in the channel until its other end is gone as well. */
		if (p[1].revents != 0) {
			stop = s->leave_children;
			p[1].fd = -1;
		}
		for (nfds_t i = 0; i < inputs; i++)
			if (p[2 + i].revents != 0)
				s->take(s, p[2 + i].fd);
		if (s->input_ended)
			stop = true;
	}
}

pid_t
service_fork(struct service *s)
{
	pid_t pid = fork();

	if (pid == -1) {
		log_error("%s: fork: %s", s->name, strerror(errno));
		return -1;
	}
	if (pid > 0) {
		s->children++;
		return pid;
	}
	if (close_range(SERVICE_CONTROL,
		SERVICE_INPUT + (unsigned)s->assignment.inputs - 1, 0) == -1 ||
	    sigprocmask(SIG_UNBLOCK, &watched, NULL) == -1)
		_exit(1);
	return 0;
}

void
service_alone(const struct service *s)
{
	if (sigprocmask(SIG_UNBLOCK, &watched, NULL) == -1)
		log_fatal("%s: sigprocmask: %s", s->name, strerror(errno));
}

void
service_exit(int status)
{
	if (__gcov_dump != NULL)
		__gcov_dump();
	_exit(status);
}
