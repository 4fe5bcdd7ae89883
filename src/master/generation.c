/*
 * generation.c - the three services that work together, and their channels.
 *
 * Runs in: the master, as root.
 */
#include "master/generation.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "master/journal.h"
#include "priv/counters.h"
#include "priv/spawn.h"

const char *const role_name[] = {
	[ROLE_AUTH] = "popper-auth",
	[ROLE_SESSION] = "popper-session",
	[ROLE_LOGIN] = "popper-login",
};
_Static_assert(sizeof(role_name) / sizeof(*role_name) == ROLES, "name all");

#define READY_PATIENCE 60000

bool generation_silent;

void
generation_close(struct generation *g)
{
	fd_close(&g->knock[0]);
	fd_close(&g->knock[1]);
	fd_close(&g->onward[0]);
	fd_close(&g->onward[1]);
	fd_close(&g->counters);
}

int
generation_prepare(struct generation *g, const struct settings *s,
    const struct sockets *sockets, bool single, struct popper_error *e)
{
	*g = (struct generation){ .assignment = { .settings = *s,
				      .single = single },
		.counters = -1,
		.knock = { -1, -1 },
		.onward = { -1, -1 } };
	if (sockets != NULL)
		g->sockets = *sockets;
	for (int r = 0; r < ROLES; r++) {
		g->child[r].control = -1;
		g->child[r].backoff = BACKOFF_LEAST;
	}
	if (fd_pair(g->knock) == -1 || fd_pair(g->onward) == -1 ||
	    (g->counters = counters_make()) == -1) {
		error_system(e, POPPER_TEMPORARY, "socketpair or counters");
		generation_close(g);
		return -1;
	}
	return 0;
}

/* What clients come to: the last of them speak TLS at once. */
static void
fill_inputs(struct spawn *s, struct generation *g)
{
	for (int tls = 0; tls <= 1; tls++)
		for (size_t i = 0; i < g->sockets.count; i++)
			if (g->sockets.tls[i] == (tls == 1)) {
				s->fd[s->count++] = g->sockets.fd[i];
				g->assignment.inputs_tls += (uint64_t)tls;
			}
}

/* Its descriptors, in the order of priv/service.h. */
static void
fill(struct spawn *s, struct generation *g, enum role r, int control)
{
	s->fd[s->count++] = journal_output();
	s->fd[s->count++] = r == ROLE_LOGIN ? g->knock[0]
	    : r == ROLE_AUTH                ? g->onward[0]
					    : -1;
	s->fd[s->count++] = control;
	s->fd[s->count++] = g->counters;
	if (r == ROLE_AUTH)
		s->fd[s->count++] = g->knock[1];
	else if (r == ROLE_SESSION)
		s->fd[s->count++] = g->onward[1];
	else
		fill_inputs(s, g);
}

int
generation_start(struct generation *g, enum role r, struct popper_error *e)
{
	static struct wire w;
	struct child *c = &g->child[r];
	char path[POPPER_PATH_MAX + 1];
	struct spawn s = {
		.path = path, .name = role_name[r], .silent = generation_silent
	};
	int pair[2];

	if (!text_print(path, sizeof(path), "%s/%s",
		g->assignment.settings.program_folder, role_name[r]))
		return error_set(
		    e, POPPER_PERMANENT, "program-folder is too long");
	if (fd_pair(pair) == -1)
		return error_system(e, POPPER_TEMPORARY, "socketpair");
	g->assignment.inputs_tls = 0;
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

int
generation_await(struct generation *g, enum role r, struct readiness *ready,
    struct popper_error *e)
{
	static struct wire w;
	struct child *c = &g->child[r];
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

int
generation_start_back(struct generation *g, struct popper_error *e)
{
	static struct readiness ready;

	if (generation_start(g, ROLE_AUTH, e) == -1 ||
	    generation_await(g, ROLE_AUTH, &ready, e) == -1)
		return -1;
	text_copy(g->assignment.mechanisms, sizeof(g->assignment.mechanisms),
	    ready.mechanisms);
	if (generation_start(g, ROLE_SESSION, e) == -1 ||
	    generation_await(g, ROLE_SESSION, &ready, e) == -1)
		return -1;
	text_copy(g->assignment.extensions, sizeof(g->assignment.extensions),
	    ready.extensions);
	return 0;
}
