/*
 * wire.c - sockets of the load generator.
 *
 * Runs in:  bench/popload.
 *
 * Delayed acknowledgement is off: a server that writes an answer in several
 * small segments would else lose 40 ms an answer, and be measured by that.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "client.h"
#include "secure.h"
#include "wire.h"

static void
watch(struct client *c, int operation, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (epoll_ctl(c->set->poller, operation, c->fd, &e) == -1)
		err(2, "epoll_ctl");
}

static void
set_option(int fd, int level, int option)
{
	const int one = 1;

	(void)setsockopt(fd, level, option, &one, sizeof(one));
}

/* Another loopback address for each session, for servers that count them. */
static void
choose_source(struct client *c)
{
	uint32_t n = (uint32_t)c->number + (uint32_t)getpid() * 400U;
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(0x7f010001U + n % 60000U);
	set_option(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	if (bind(c->fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		err(2, "bind to 127.1.0.0/16");
}

void
wire_connect(struct client *c)
{
	const struct sockaddr_in *a = &c->set->server;

	c->stage = CONNECTING;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		err(2, "socket");
	set_option(c->fd, IPPROTO_TCP, TCP_NODELAY);
	if (c->set->spread)
		choose_source(c);
	if (connect(c->fd, (const struct sockaddr *)a, sizeof(*a)) == -1 &&
	    errno != EINPROGRESS) {
		client_fail(c, FAULT_CONNECT, strerror(errno));
		return;
	}
	watch(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void
wire_close(struct client *c)
{
	secure_end(c);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

size_t
wire_room(const struct client *c)
{
	return sizeof(c->out) - c->out_len;
}

void
wire_flush(struct client *c)
{
	ssize_t n;

	if (c->out_len == 0)
		return;
	n = c->ssl != NULL ? secure_send(c, c->out, c->out_len)
			   : send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);
	if (n == -1)
		n = 0; /* full: wait; broken: the next read says so */
	c->out_len -= (size_t)n;
	memmove(c->out, c->out + n, c->out_len);
	if (c->out_len > 0)
		watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void
put(struct client *c, const char *word, const char *rest)
{
	int n =
	    snprintf(c->out + c->out_len, wire_room(c), "%s%s\r\n", word, rest);

	if (n < 0 || (size_t)n >= wire_room(c))
		errx(2, "a command is too long");
	c->out_len += (size_t)n;
}

void
wire_send(struct client *c, const char *word, const char *rest)
{
	put(c, word, rest);
	wire_flush(c);
}

void
wire_ask(struct client *c, const char *word, uint32_t number, const char *rest)
{
	char text[24];

	snprintf(text, sizeof(text), "%u%s", number, rest);
	put(c, word, text);
}

static void
lost(struct client *c)
{
	if (c->stage == CLOSING)
		client_closed(c);
	else
		client_fail(c, FAULT_CLOSED, "the connection was closed");
}

/* False if nothing more can be had now. */
static bool
receive(struct client *c)
{
	char *to = c->in + c->in_len;
	size_t room = c->in_room - c->in_len;
	ssize_t n = c->ssl != NULL ? secure_receive(c, to, room)
				   : recv(c->fd, to, room, 0);

	if (n == -1 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		lost(c);
		return false;
	}
	set_option(c->fd, IPPROTO_TCP, TCP_QUICKACK);
	c->in_len += (size_t)n;
	client_input(c);
	/* What TLS has read ahead no event will tell of. */
	return c->ssl != NULL && c->in_len < c->in_room;
}

static void
secure(struct client *c)
{
	uint32_t events = 0;

	switch (secure_handshake(c, &events)) {
	case 1:
		c->stage = GREETING;
		watch(c, EPOLL_CTL_MOD, EPOLLIN);
		break;
	case 0:
		watch(c, EPOLL_CTL_MOD, events);
		break;
	default:
		client_fail(c, FAULT_CONNECT, "the TLS handshake failed");
	}
}

static void
connected(struct client *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		client_fail(c, FAULT_CONNECT, strerror(error));
		return;
	}
	c->stage = c->set->tls ? SECURING : GREETING;
	if (c->set->tls)
		secure_start(c);
	else
		watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

void
wire_event(struct client *c, uint32_t events)
{
	if (c->stage == CONNECTING)
		connected(c);
	if (c->stage == SECURING)
		secure(c);
	if (c->stage == FREE || c->stage == SECURING)
		return;
	if ((events & EPOLLOUT) != 0 && c->out_len > 0) {
		watch(c, EPOLL_CTL_MOD, EPOLLIN);
		wire_flush(c);
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		while (receive(c))
			;
}
