/*
 * pool.h - children of a service that serve one connection after another.
 *
 * A child that has served a connection says so with one octet on its channel to
 * the parent, who looks there when it needs a child and not before: nobody is
 * woken.  One that is held up by a slow client is just not idle, and another is
 * made; those beyond the number that is kept end with their connection.
 */
#ifndef PRIV_POOL_H
#define PRIV_POOL_H

#include "priv/service.h"

#define POOL_MAX 32

struct pooled {
	pid_t pid; /* 0: none */
	int channel; /* to it */
	bool idle;
};

struct pool {
	size_t most; /* children that are kept, at most POOL_MAX */
	uint64_t uses; /* connections until a child ends all the same */
	/* In the parent, NULL or: a child has done with its connection. */
	void (*idle)(struct service *, pid_t);
	struct pooled child[POOL_MAX];
	int parent; /* in a child: to the parent; -1: it is not kept */
	uint64_t used; /* in a child: connections it has served */
};

/** pool_look(p, s): in the parent: who has become idle? */
void pool_look(struct pool *, struct service *);

/**
 * pool_give(p, word, fds, count):
 * Give a connection, ${count} descriptors and one octet of the caller's, to a
 * child that was idle at the last pool_look().  Its pid, or 0 if there is none.
 * The descriptors stay ours.
 */
pid_t pool_give(struct pool *, char word, const int *fds, size_t count);

/** pool_fork(p, s, keep): as service_fork(); the child is one that is kept if
 * there is a place and ${keep}. */
pid_t pool_fork(struct pool *, struct service *, bool keep);

/**
 * pool_next(p, word, fds, count):
 * In a child whose connection is over: wait for the next one, which must bring
 * ${count} descriptors.  False: there is none, the process is to end.
 */
bool pool_next(struct pool *, char *word, int *fds, size_t count);

/** pool_leave(p): in a child: be no longer one that is kept, so that the parent
 * keeps another; it ends with its connection. */
void pool_leave(struct pool *);

/** pool_ended(p, pid): in the parent: a child has ended. */
void pool_ended(struct pool *, pid_t);

/** pool_close(p): let idle children end; called when the service stops. */
void pool_close(struct pool *);

#endif
