/*
 * spawner.c - the process that forks attendants.
 *
 * Runs in: the spawner, forked from popper-session's parent before that is
 * restricted; as root (or whoever started popper), without sandbox.
 * spawner_admit() in the parent.
 * Hears: the parent, which says whose channel it hands over.  Of what sessions
 * say it reads nothing: it only sees that something can be read, and forks an
 * attendant that becomes the user first (attendant.c).
 */
#include "session/spawner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "session/attendant.h"

/* Errands of one session.  More than a person can mean. */
#define ERRANDS_MAX 1000
/* How long the parent waits for a spawner that does not listen. */
#define PATIENCE 2

/* A session, as the spawner knows it. */
struct ward {
	int channel;
	int attendant; /* pidfd of the one that works for it, or -1 */
	pid_t pid;
	uint64_t served;
	size_t len;
	unsigned char opening[]; /* OPEN, packed */
};

struct keeper {
	struct service *service;
	const struct equipment *equipment;
	int parent; /* -1: there will be no more sessions */
	int events; /* epoll */
	size_t wards;
};

/* --- The spawner. --- */

/* All of popper ends.  The parent sees to its sessions first, so that alone
 * changes nothing; but then attendants are not waited for. */
static volatile sig_atomic_t told_to_stop;

static void
note_signal(int number)
{
	(void)number;
	told_to_stop = 1;
}

/* What is waited for: the session's next errand or the end of one. */
static int
watch(struct keeper *s, int fd, struct ward *w)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP,
		.data = { .ptr = w } };

	return epoll_ctl(s->events, EPOLL_CTL_ADD, fd, &e);
}

/* To close it would not be enough: an attendant that was just forked has a copy
 * for a moment, and as long epoll would tell of it, with what is freed. */
static void
unwatch(struct keeper *s, int *fd)
{
	if (epoll_ctl(s->events, EPOLL_CTL_DEL, *fd, NULL) == -1 &&
	    errno != ENOENT)
		log_fatal("attendants: epoll: %s", strerror(errno));
	fd_close(fd);
}

static void
dismiss(struct keeper *s, struct ward *w)
{
	unwatch(s, &w->channel);
	free(w);
	s->wards--;
}

static void
admit(struct keeper *s, const struct wire *wire, int channel)
{
	struct ward *w = malloc(sizeof(*w) + wire->len);

	if (w == NULL) {
		log_error("attendants: out of memory");
		fd_close(&channel);
		return;
	}
	*w = (struct ward){
		.channel = channel, .attendant = -1, .len = wire->len
	};
	memcpy(w->opening, wire->bytes, wire->len);
	s->wards++;
	if (watch(s, channel, w) == -1) {
		log_error("attendants: epoll: %s", strerror(errno));
		dismiss(s, w);
	}
}

static void
hear_parent(struct keeper *s)
{
	static struct wire wire;
	int fd = -1;
	size_t count;
	int r = wire_receive(&wire, s->parent, &fd, 1, &count);

	if (r == 1 && count == 1) {
		admit(s, &wire, fd);
		return;
	}
	fd_close(&fd);
	/* EMSGSIZE also if we have no descriptor left for the channel. */
	if (r == 1 || (r == -1 && (errno == EAGAIN || errno == EMSGSIZE)))
		log_error("attendants: none for a session: nonsense from the "
			  "parent, or too many open files");
	else
		unwatch(s, &s->parent);
}

/* In the attendant. */
static void
serve(const struct keeper *s, const struct ward *w)
{
	static struct opening o;
	static struct wire wire;

	wire_start(&wire);
	memcpy(wire.bytes, w->opening, w->len);
	wire.len = w->len;
	if (!opening_get(&wire, &o))
		service_exit(1);
	service_exit(attendant_run(s->equipment, &o, w->channel, w->served));
}

/* The session wants something, or is gone. */
static void
called(struct keeper *s, struct ward *w, uint32_t events)
{
	if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0) {
		dismiss(s, w);
		return;
	}
	if ((w->pid = fork()) == 0)
		serve(s, w);
	if (w->pid > 0)
		w->attendant = (int)syscall(SYS_pidfd_open, w->pid, 0);
	if (w->attendant == -1) {
		log_error("attendants: no new process: %s", strerror(errno));
		if (w->pid > 0 && kill(w->pid, SIGKILL) == 0)
			waitpid(w->pid, NULL, 0);
		dismiss(s, w);
		return;
	}
	if (epoll_ctl(s->events, EPOLL_CTL_DEL, w->channel, NULL) == -1 ||
	    watch(s, w->attendant, w) == -1)
		log_fatal("attendants: epoll: %s", strerror(errno));
}

/* After an attendant that did not end well the session shall not wait for an
 * answer, nor take a late one for another's: its channel is closed. */
static void
ended(struct keeper *s, struct ward *w)
{
	int status = 0;

	if (waitpid(w->pid, &status, 0) != w->pid)
		status = -1;
	unwatch(s, &w->attendant);
	w->served++;
	if (status != 0) {
		kill(-w->pid, SIGKILL);
		log_error("attendant %d ended with %s %d", (int)w->pid,
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
	}
	if (status != 0 || w->served >= ERRANDS_MAX ||
	    watch(s, w->channel, w) == -1)
		dismiss(s, w);
}

static void
prepare(struct keeper *s)
{
	const struct sigaction note = { .sa_handler = note_signal };
	struct rlimit r;

	if (prctl(PR_SET_NAME, "popper-attend") == -1 ||
	    sigaction(SIGTERM, &note, NULL) == -1 ||
	    signal(SIGINT, SIG_IGN) == SIG_ERR ||
	    signal(SIGHUP, SIG_IGN) == SIG_ERR ||
	    getrlimit(RLIMIT_NOFILE, &r) == -1)
		log_fatal("attendants: %s", strerror(errno));
	r.rlim_cur = r.rlim_max; /* one for each session */
	s->events = epoll_create1(EPOLL_CLOEXEC);
	if (setrlimit(RLIMIT_NOFILE, &r) == -1 || s->events == -1 ||
	    watch(s, s->parent, NULL) == -1)
		log_fatal("attendants: %s", strerror(errno));
}

/* Until there is no session any more and none can come. */
static void
run(struct keeper *s)
{
	struct epoll_event e;
	struct ward *w;
	int n;

	prepare(s);
	while (s->parent != -1 || (s->wards > 0 && !told_to_stop)) {
		/* One at a time: it may be the end of others. */
		n = epoll_wait(s->events, &e, 1, -1);
		if (n == -1 && errno != EINTR)
			log_fatal("attendants: epoll: %s", strerror(errno));
		if (n != 1)
			continue;
		w = e.data.ptr;
		if (w == NULL)
			hear_parent(s);
		else if (w->attendant != -1)
			ended(s, w);
		else
			called(s, w, e.events);
	}
	service_exit(0);
}

/* --- The parent. --- */

static bool
wanted(const struct used_modules *exts)
{
	for (size_t i = 0; i < exts->count; i++)
		if (extensions_attends(exts->used[i].module->ext))
			return true;
	return false;
}

void
spawner_start(struct spawner *a, struct service *s, const struct equipment *q)
{
	const struct timeval patience = { .tv_sec = PATIENCE };
	struct keeper k = { .service = s, .equipment = q };
	int pair[2];

	*a = (struct spawner){ .channel = -1, .pid = -1 };
	if (!wanted(&q->exts))
		return;
	if (fd_pair(pair) == -1 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == -1 ||
	    (a->pid = service_fork(s)) == -1)
		log_fatal("attendants: %s", strerror(errno));
	if (a->pid == 0) {
		fd_close(&pair[0]);
		k.parent = pair[1];
		run(&k);
	}
	fd_close(&pair[1]);
	a->channel = pair[0];
	s->helpers++;
}

int
spawner_admit(const struct spawner *a, const struct opening *o)
{
	static struct wire w;
	struct opening said = *o;
	int pair[2];

	if (a->channel == -1)
		return -1;
	if (fd_pair(pair) == -1) {
		log_error("attendants: %s", strerror(errno));
		return -1;
	}
	said.ahead = popper_slice("", 0); /* nobody else's to read */
	opening_put(&w, &said);
	if (wire_send(&w, a->channel, &pair[1], 1) == -1) {
		log_error("attendants: %s", strerror(errno));
		fd_close(&pair[0]);
	}
	fd_close(&pair[1]);
	return pair[0];
}

void
spawner_forget(struct spawner *a)
{
	fd_close(&a->channel);
}
