/*
 * popload.c - POP3 load generator and answer checker.
 *
 * usage: popload MODE --port P --users FILE [OPTION...]
 *
 * MODE  login   USER PASS STAT QUIT
 *       poll    the same with UIDL before QUIT
 *       fetch   ... and RETR of every message
 *       top     ... and TOP n 0 instead
 *       dele    RETR and DELE of some messages; a second session verifies
 *       idle    hold the sessions until stdin ends, then QUIT
 *   --host ADDRESS     IPv4 (127.0.0.1)    --users-max N   first N of FILE
 *   --sessions N       in all (1)          --at-once N     of them (1)
 *   --warm-up N        leave the first N sessions out of the times
 *   --window N         commands in flight in fetch, top and dele (1)
 *   --limit N          fetch or top only the first N messages
 *   --dele first:N | last:N | middle:N | every:N           (middle:1)
 *   --no-verify        no second session in dele
 *   --no-list          no UIDL in fetch and top
 *   --manifest FILE    what the messages must be, see genbox.c
 *   --spread           another source address for each session
 *   --tls              TLS 1.3 from the first octet, never resumed
 *   --before-login     idle: hold the connections at the greeting
 *   --timeout SECONDS  for the whole run (300)
 *
 * FILE has one "name:password" a line.  Never are two sessions of one user
 * open at once, except before login.  Prints one line of JSON; exit status 0
 * only if every answer was right.  One thread, epoll, on its own processor
 * (see measure.py).
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "arguments.h"
#include "checksum.h"
#include "client.h"
#include "wire.h"

/* A user without a session, or NULL. */
static struct user *
next_user(struct load *l)
{
	for (size_t i = 0; i < l->user_count; i++) {
		struct user *u = &l->users[l->user_next];

		l->user_next = (l->user_next + 1) % l->user_count;
		if (!u->busy || l->set.before_login)
			return u;
	}
	return NULL;
}

static size_t
count(const struct load *l, enum stage stage)
{
	size_t n = 0;

	for (size_t i = 0; i < l->client_count; i++)
		n += l->clients[i]->stage == stage;
	return n;
}

/* Start sessions until enough are busy; held ones are not. */
static void
start_some(struct load *l)
{
	size_t busy = l->client_count - count(l, FREE) - count(l, HELD);

	for (size_t i = 0; i < l->client_count; i++) {
		struct user *user;

		if (l->started == l->set.sessions ||
		    busy >= (size_t)l->set.at_once)
			return;
		if (l->clients[i]->stage != FREE)
			continue;
		if ((user = next_user(l)) == NULL)
			return;
		client_start(l->clients[i], user, l->started++);
		busy++;
	}
}

static void
events(struct load *l, int wait_ms)
{
	struct epoll_event e[256];
	int n = epoll_wait(l->set.poller, e, 256, wait_ms);

	for (int i = 0; i < n; i++)
		wire_event(e[i].data.ptr, e[i].events);
}

/* All are held: say so, wait for the end of stdin, end them. */
static void
hold(struct load *l)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	printf("READY %zu\n", count(l, HELD));
	fflush(stdout);
	while (poll(&in, 1, 100) == 0)
		events(l, 0);
	for (size_t i = 0; i < l->client_count; i++)
		if (l->clients[i]->stage == HELD)
			client_ask_quit(l->clients[i]);
}

static void
give_up(struct load *l)
{
	for (size_t i = 0; i < l->client_count; i++)
		if (l->clients[i]->stage != FREE)
			client_fail(l->clients[i], FAULT_TIMEOUT, "time is up");
}

static void
run(struct load *l)
{
	double deadline = now() + l->set.timeout;
	bool held = l->set.mode != IDLE;

	while (l->results.ended < l->set.sessions) {
		if (now() > deadline) {
			give_up(l);
			return;
		}
		start_some(l);
		if (!held && l->started == l->set.sessions &&
		    count(l, HELD) + (size_t)l->results.ended ==
			(size_t)l->started) {
			held = true;
			hold(l);
			deadline = now() + l->set.timeout;
		}
		events(l, 100);
	}
}

static void
make_clients(struct load *l)
{
	struct settings *s = &l->set;
	bool idle = s->mode == IDLE;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (!s->before_login && s->at_once > (long)l->user_count)
		s->at_once = (long)l->user_count;
	if (idle && !s->before_login && s->sessions > (long)l->user_count)
		errx(2, "idle: more sessions than users");
	l->client_count = (size_t)(idle ? s->sessions : s->at_once);
	l->clients = calloc(l->client_count, sizeof(struct client *));
	s->poller = epoll_create1(EPOLL_CLOEXEC);
	if (l->clients == NULL || s->poller == -1)
		err(2, "cannot make %zu clients", l->client_count);
	for (size_t i = 0; i < l->client_count; i++)
		l->clients[i] =
		    client_new(s, &l->results, idle ? 4096 : 262144);
}

int
main(int argc, char **argv)
{
	struct load l = {
		.set = {
			.server = {
				.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			},
			.sessions = 1,
			.at_once = 1,
			.window = 1,
			.pick = PICK_MIDDLE,
			.pick_number = 1,
			.timeout = 300,
		},
	};
	bool right;

	checksum_prepare();
	arguments_read(&l, argc, argv);
	make_clients(&l);
	run(&l);
	results_print(&l.results, mode_name(l.set.mode));
	right =
	    results_faults(&l.results) == 0 && l.results.ok == l.set.sessions;
	for (size_t i = 0; i < l.client_count; i++)
		client_free(l.clients[i]);
	free(l.clients);
	for (size_t i = 0; i < l.user_count; i++) {
		free(l.users[i].name);
		free(l.users[i].password);
	}
	free(l.users);
	results_free(&l.results);
	return right ? 0 : 1;
}
