/*
 * main.c - popper-auth: who is it?
 *
 * Runs as: root (or whoever started popper).  The warm parent loads the auth
 * modules once and forks a gate for every connection that wants to log in.
 * Talks to: the master, login workers (their knocks), popper-session.  No
 * sandbox: PAM modules need files, sockets and programs.
 */
#include <stdlib.h>
#include <unistd.h>

#include "auth/cache.h"
#include "auth/chain.h"
#include "auth/digest.h"
#include "auth/exchange.h"
#include "auth/gate.h"
#include "auth/penalty.h"
#include "auth/gates.h"
#include "auth/lists.h"
#include "auth/services.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/print.h"
#include "mod/loader.h"
#include "priv/identity.h"
#include "priv/service.h"

static struct chain chain;

/* A connection has one gate, which may stay a while for the resolver.  More
 * than this is a login worker gone bad, and gates are root's processes. */
static bool
has_room(const struct service *s)
{
	if (s->children < 2 * s->settings->max_connections + 16)
		return true;
	log_error("popper-auth: more gates than there can be connections");
	return false;
}

static void
take_knock(struct service *s, int from)
{
	static struct wire w;
	int fds[2] = { -1, -1 };
	size_t count;
	int r = wire_receive(&w, from, fds, 2, &count);

	if (r == 0)
		s->input_ended = true;
	if (r == 1 && count == 2 && knock_get(&w) && has_room(s))
		gates_knock(s, &chain, fds);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

static void
gate_ended(struct service *s, pid_t pid, int status)
{
	gates_ended(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == GATE_EXPIRED)
		log_warning("gate %d was ended: an auth module or the "
			    "resolver took longer than auth-timeout (%llu s)",
		    (int)pid, (unsigned long long)s->settings->auth_timeout);
}

static void
stopping(struct service *s)
{
	(void)s;
	gates_close();
}

/* Which modules are used, without starting them. */
static void
print_chain(const struct modules_source *source, struct readiness *ready)
{
	struct popper_error e;

	if (modules_read(source, "auth", loader_load, &chain.modules, &e) == -1)
		log_fatal("%s", e.text);
	print_modules(
	    &chain.modules, "auth", ready->listing, sizeof(ready->listing));
}

int
main(void)
{
	static struct service s;
	static struct readiness ready;
	struct modules_source source;
	struct popper_error e;

	s.take = take_knock;
	s.reaped = gate_ended;
	s.stopping = stopping;
	service_start(&s, "popper-auth");
	if (loader_start(s.settings->module_folder, &e) == -1)
		log_fatal("%s", e.text);
	source =
	    (struct modules_source){ s.settings->modules, s.settings->overlay };
	if (s.assignment.print) {
		print_chain(&source, &ready);
		service_ready(&s, &ready);
	}
	if (s.assignment.list)
		loader_list("auth", ready.listing, sizeof(ready.listing));
	else if (chain_start(&chain, &source, services_of(&chain, s.settings),
		     &e) == -1)
		log_fatal("%s", e.text);
	else if (lists_ready(s.settings, &e) == -1)
		log_warning("%s", e.text);
	exchange_mechanisms(
	    &chain, s.settings, ready.mechanisms, sizeof(ready.mechanisms));
	identity_no_dump();
	digest_start();
	penalty_start(s.settings);
	cache_start(s.settings);
	service_ready(&s, &ready);
	service_run(&s);
	service_exit(0);
}
