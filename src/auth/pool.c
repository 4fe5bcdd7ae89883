/*
 * pool.c - a few gates that serve one connection after another.
 *
 * Runs in: popper-auth; pool_knock in the warm parent, serve() in a gate, both
 * as root.
 *
 * A gate that has served a connection says so with one octet on its channel to
 * the parent, who looks there when it needs a gate and not before: nobody is
 * woken.  One that is held up by a slow client is just not idle, and another is
 * made; those beyond POOL_GATES end with their connection.
 */
#include "auth/pool.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/gate.h"
#include "base/fd.h"
#include "base/log.h"

#define POOL_GATES 8 /* that are kept at most */
#define POOL_USES 200 /* connections until a gate ends all the same */

static struct pooled {
	pid_t pid; /* 0: none */
	int channel; /* to it */
	bool idle;
} pool[POOL_GATES];

/* In a gate: to the parent; -1: it is not kept. */
static int parent = -1;

static void
drop(struct pooled *g)
{
	fd_close(&g->channel);
	g->pid = 0;
	g->idle = false;
}

void
pool_close(void)
{
	for (size_t i = 0; i < POOL_GATES; i++)
		if (pool[i].pid != 0)
			drop(&pool[i]);
}

void
pool_ended(pid_t pid)
{
	for (size_t i = 0; i < POOL_GATES; i++)
		if (pool[i].pid == pid)
			drop(&pool[i]);
}

/* Has it said that it is idle by now? */
static bool
is_idle(struct pooled *g)
{
	ssize_t n;
	char c;

	if (g->pid == 0 || g->idle)
		return g->idle;
	n = recv(g->channel, &c, 1, MSG_DONTWAIT);
	if (n == 0)
		drop(g); /* it has left, or died */
	else
		g->idle = n == 1;
	return g->idle;
}

/* Give the connection to an idle gate.  False if there is none. */
static bool
pass_on(const int fds[2])
{
	for (size_t i = 0; i < POOL_GATES; i++) {
		if (!is_idle(&pool[i]))
			continue;
		pool[i].idle = false;
		if (fd_send(pool[i].channel, "", 1, fds, 2) == 0)
			return true;
		drop(&pool[i]); /* it has died a moment ago */
	}
	return false;
}

/* In a gate: the connection it was made for, and then what the parent gives
 * it. */
static void
serve(struct service *s, struct chain *c, const int first[2])
{
	int fds[2] = { first[0], first[1] };
	size_t count;
	char octet;

	for (int uses = 0;; uses++) {
		if (!gate_run(c, s->settings, fds[0], fds[1]) || parent == -1 ||
		    uses == POOL_USES ||
		    send(parent, "", 1, MSG_NOSIGNAL) != 1 ||
		    fd_receive(parent, &octet, 1, fds, 2, &count) != 1 ||
		    count != 2)
			return;
	}
}

void
pool_leave(void)
{
	fd_close(&parent);
}

static struct pooled *
free_place(void)
{
	for (size_t i = 0; i < POOL_GATES; i++)
		if (pool[i].pid == 0)
			return &pool[i];
	return NULL;
}

/* A new gate; one of the pool if there is a place and ${keep}. */
static void
make_gate(struct service *s, struct chain *c, const int fds[2], bool keep)
{
	struct pooled *place = keep ? free_place() : NULL;
	int pair[2] = { -1, -1 };
	pid_t pid;

	if (place != NULL && fd_pair(pair) == -1)
		place = NULL;
	pid = service_fork(s);
	if (pid == 0) {
		fd_close(&pair[0]);
		pool_close(); /* the parent's ends of the others' channels */
		parent = pair[1];
		serve(s, c, fds);
		service_exit(0);
	}
	fd_close(&pair[1]);
	if (pid == -1 || place == NULL)
		fd_close(&pair[0]);
	else
		*place = (struct pooled){ .pid = pid, .channel = pair[0] };
}

void
pool_knock(struct service *s, struct chain *c, const int fds[2])
{
	bool keep = chain_is_clean(c) && !s->settings->reverse_lookup &&
	    !s->assignment.single;

	if (!keep || !pass_on(fds))
		make_gate(s, c, fds, keep);
}
