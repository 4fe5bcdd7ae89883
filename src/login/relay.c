/*
 * relay.c - after the login: between a client that speaks TLS and its session.
 *
 * Runs in: a login worker.  What comes from the session is mail, what comes
 * from the client commands; neither is looked at.
 */
#include "login/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/secret.h"

/* ms for a client to take in our last line, and octets that it may send
 * meanwhile. */
#define LINGER 2000
#define DRAIN_MAX (1u << 20)

/* Octets on their way to one side. */
struct load {
	size_t at, end;
	size_t size;
	char *octets;
};

struct relay {
	struct tls_link *link;
	const struct stream_transport *client;
	int session;
	struct load up; /* to the session */
	struct load down; /* to the client */
	bool client_done; /* close_notify came */
	bool session_told; /* that the client is done */
	bool session_done;
	bool lost; /* the connection, or the session: no more can be said */
};

static volatile sig_atomic_t stopping;

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

/* The session ends by itself if it is to; we must outlive its last word. */
static void
outlive_session(void)
{
	struct sigaction action = { .sa_handler = stop };

	if (sigaction(SIGTERM, &action, NULL) == -1)
		log_debug("sigaction: %s", strerror(errno));
}

/* We may be given another connection; an idle worker is to end at once. */
static void
heed_stop(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	if (sigaction(SIGTERM, &action, NULL) == -1)
		log_debug("sigaction: %s", strerror(errno));
	if (stopping && raise(SIGTERM) != 0)
		log_debug("raise: %s", strerror(errno));
}

static bool
is_empty(const struct load *l)
{
	return l->at == l->end;
}

/* What is on its way to the client, as far as it goes now. */
static void
send_down(struct relay *r)
{
	struct load *d = &r->down;
	ssize_t n;

	while (!is_empty(d)) {
		n = r->client->write(
		    r->client->self, d->octets + d->at, d->end - d->at);
		if (n == -1) {
			r->lost = errno != EAGAIN;
			return;
		}
		d->at += (size_t)n;
	}
	d->at = d->end = 0;
}

/* From the session, until it has no more to say now, or the client is busy; of
 * one that is ${over} all, to its end. */
static void
take_down(struct relay *r, bool over)
{
	struct load *d = &r->down;
	ssize_t n;

	do {
		n = recv(r->session, d->octets, d->size, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		/* However it ended: all it said has been read. */
		r->session_done = n <= 0;
		if (n > 0) {
			d->end = (size_t)n;
			send_down(r);
		}
	} while (n > 0 && (over || n == (ssize_t)d->size) && is_empty(d) &&
	    !r->lost);
}

static void
send_up(struct relay *r)
{
	struct load *u = &r->up;
	ssize_t n;

	while (!is_empty(u)) {
		n = send(r->session, u->octets + u->at, u->end - u->at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			u->at += (size_t)n;
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			u->at = u->end; /* it is gone: nobody wants them */
	}
	u->at = u->end = 0;
	if (r->client_done && !r->session_told) {
		r->session_told = true;
		if (shutdown(r->session, SHUT_WR) == -1)
			log_debug("shutdown: %s", strerror(errno));
	}
}

static void
take_up(struct relay *r)
{
	struct load *u = &r->up;
	ssize_t n;

	do {
		n = r->client->read(r->client->self, u->octets, u->size);
		if (n == -1) {
			r->lost = errno != EAGAIN;
			return;
		}
		r->client_done = n == 0;
		u->end = (size_t)n;
		send_up(r);
	} while (n > 0 && is_empty(u) && r->client->pending(r->client->self));
}

/* What to wait for.  Who is asked for nothing is not looked at: an end that
 * is known would wake us again and again. */
static void
choose_events(const struct relay *r, struct pollfd p[2])
{
	p[0] = (struct pollfd){ .fd = r->link->fd };
	p[1] = (struct pollfd){ .fd = -1 };
	if (is_empty(&r->up) && !r->client_done)
		p[0].events |= POLLIN;
	if (!is_empty(&r->down))
		p[0].events |= POLLOUT;
	else if (!r->session_done)
		p[1].events |= POLLIN;
	if (!is_empty(&r->up))
		p[1].events |= POLLOUT;
	if (p[1].events != 0)
		p[1].fd = r->session;
}

/* Wait until something can be done.  False: the client takes nothing in. */
static bool
wait_for_work(const struct relay *r, struct pollfd p[2], int64_t patience)
{
	int wait = -1, n;

	choose_events(r, p);
	if (!is_empty(&r->down))
		wait = stopping ? LINGER : (int)patience;
	n = poll(p, 2, wait);
	if (n == -1 && errno == EINTR) {
		p[0].revents = p[1].revents = 0;
		return true;
	}
	return n > 0;
}

static void
carry(struct relay *r, int64_t patience)
{
	struct pollfd p[2];

	while (!r->lost && !(r->session_done && is_empty(&r->down))) {
		/* Records that were read with others wake nobody. */
		if (is_empty(&r->up) && !r->client_done &&
		    r->client->pending(r->client->self))
			take_up(r);
		if (r->lost || !wait_for_work(r, p, patience)) {
			r->lost = true;
			return;
		}
		if ((p[0].revents & POLLOUT) != 0)
			send_down(r);
		if ((p[1].revents & (POLLIN | POLLERR | POLLHUP)) != 0 &&
		    is_empty(&r->down) && !r->lost)
			take_down(r, (p[1].revents & POLLHUP) != 0);
		if ((p[1].revents & POLLOUT) != 0)
			send_up(r);
		if ((p[0].revents & POLLIN) != 0 && is_empty(&r->up))
			take_up(r);
		else if ((p[0].revents & (POLLERR | POLLHUP)) != 0)
			r->lost = true;
	}
}

/* Is there nothing of the client's for which it would get a reset instead of
 * our last line? */
static bool
is_quiet(const struct relay *r)
{
	char octet;

	return is_empty(&r->up) && !r->client->pending(r->client->self) &&
	    recv(r->link->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* The session is over: say so, and see that its last line is not lost. */
static void
finish(struct relay *r)
{
	deadline_t deadline = deadline_in(LINGER);
	bool quiet = is_quiet(r);
	size_t most = DRAIN_MAX;
	ssize_t n;

	r->client->close(r->client->self);
	if (shutdown(r->link->fd, SHUT_WR) == -1 || quiet)
		return;
	do {
		if (fd_wait(r->link->fd, POLLIN, deadline) <= 0)
			return;
		n = recv(r->link->fd, r->up.octets, r->up.size, MSG_DONTWAIT);
		most -= n > 0 ? (size_t)n : 0;
	} while (n > 0 && most <= DRAIN_MAX && deadline_left(deadline) > 0);
}

void
relay_run(
    struct tls_link *link, struct stream *s, int session, int64_t patience)
{
	struct relay r = { .link = link,
		.client = &link->transport,
		.session = session,
		.up = { .size = sizeof(s->in), .octets = s->in },
		.down = { .size = sizeof(s->out), .octets = s->out } };

	outlive_session();
	secret_wipe(s->in, s->in_end);
	/* For stream_wipe(): all of both buffers gets used. */
	s->in_used = sizeof(s->in);
	s->out_used = sizeof(s->out);
	carry(&r, patience);
	if (!r.lost)
		finish(&r);
	heed_stop();
}
