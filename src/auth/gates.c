/*
 * gates.c - a few gates that serve one connection after another.
 *
 * Runs in: popper-auth; gates_knock in the warm parent, serve() in a gate, both
 * as root.
 */
#include "auth/gates.h"

#include "auth/gate.h"
#include "priv/pool.h"

#define GATES 8 /* that are kept at most */
#define USES 200 /* connections until a gate ends all the same */

static struct pool pool = { .most = GATES, .uses = USES, .parent = -1 };

/* In a gate: the connection it was made for, and then what the parent gives
 * it. */
static void
serve(struct service *s, struct chain *c, const int first[2])
{
	int fds[2] = { first[0], first[1] };
	char octet;

	do {
		if (!gate_run(c, s->settings, fds[0], fds[1]))
			return;
	} while (pool_next(&pool, &octet, fds, 2));
}

void
gates_knock(struct service *s, struct chain *c, const int fds[2])
{
	bool keep = chain_is_clean(c) && !s->settings->reverse_lookup &&
	    !s->assignment.single;

	pool_look(&pool, s);
	if (keep && pool_give(&pool, 0, fds, 2) != 0)
		return;
	if (pool_fork(&pool, s, keep) == 0) {
		serve(s, c, fds);
		service_exit(0);
	}
}

void
gates_ended(pid_t pid)
{
	pool_ended(&pool, pid);
}

void
gates_leave(void)
{
	pool_leave(&pool);
}

void
gates_close(void)
{
	pool_close(&pool);
}
