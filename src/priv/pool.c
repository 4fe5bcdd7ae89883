/*
 * pool.c - children of a service that serve one connection after another.
 *
 * Runs in: popper-auth, as root, and popper-login, as the login user: in the
 * warm parent and in the children it keeps.
 */
#include "priv/pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

static void
drop(struct pooled *c)
{
	fd_close(&c->channel);
	c->pid = 0;
	c->idle = false;
}

void
pool_close(struct pool *p)
{
	for (size_t i = 0; i < p->most; i++)
		if (p->child[i].pid != 0)
			drop(&p->child[i]);
}

void
pool_ended(struct pool *p, pid_t pid)
{
	for (size_t i = 0; i < p->most; i++)
		if (p->child[i].pid == pid)
			drop(&p->child[i]);
}

/* Has it said that it is idle by now? */
static void
look(struct pool *p, struct pooled *c, struct service *s)
{
	ssize_t n;
	char octet;

	if (c->pid == 0 || c->idle)
		return;
	n = recv(c->channel, &octet, 1, MSG_DONTWAIT);
	if (n == 0) {
		drop(c); /* it has left, or died */
	} else if (n == 1) {
		c->idle = true;
		if (p->idle != NULL)
			p->idle(s, c->pid);
	}
}

void
pool_look(struct pool *p, struct service *s)
{
	for (size_t i = 0; i < p->most; i++)
		look(p, &p->child[i], s);
}

pid_t
pool_give(struct pool *p, char word, const int *fds, size_t count)
{
	struct pooled *c;

	for (size_t i = 0; i < p->most; i++) {
		c = &p->child[i];
		if (!c->idle)
			continue;
		c->idle = false;
		if (fd_send(c->channel, &word, 1, fds, count) == 0)
			return c->pid;
		drop(c); /* it has died a moment ago */
	}
	return 0;
}

static struct pooled *
free_place(struct pool *p)
{
	for (size_t i = 0; i < p->most; i++)
		if (p->child[i].pid == 0)
			return &p->child[i];
	return NULL;
}

pid_t
pool_fork(struct pool *p, struct service *s, bool keep)
{
	struct pooled *place = keep ? free_place(p) : NULL;
	int pair[2] = { -1, -1 };
	pid_t pid;

	if (place != NULL && fd_pair(pair) == -1)
		place = NULL;
	pid = service_fork(s);
	if (pid == 0) {
		fd_close(&pair[0]);
		pool_close(p); /* the parent's ends of the others' channels */
		p->parent = pair[1];
		p->used = 0;
		return 0;
	}
	fd_close(&pair[1]);
	if (pid == -1 || place == NULL)
		fd_close(&pair[0]);
	else
		*place = (struct pooled){ .pid = pid, .channel = pair[0] };
	return pid;
}

bool
pool_next(struct pool *p, char *word, int *fds, size_t count)
{
	size_t came;

	return p->parent != -1 && ++p->used < p->uses &&
	    send(p->parent, "", 1, MSG_NOSIGNAL) == 1 &&
	    fd_receive(p->parent, word, 1, fds, count, &came) == 1 &&
	    came == count;
}

void
pool_leave(struct pool *p)
{
	fd_close(&p->parent);
}
