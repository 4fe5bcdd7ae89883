/*
 * sockets.c - the listening sockets.
 *
 * Runs in: the master, as root.  Accepts nothing: popper-login does.
 */
#include "master/sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#define BACKLOG 1024
#define KEEP_INTERVAL 15 /* seconds between two probes, at most */
#define KEEP_COUNT 4

static void
address_text(const struct sockaddr *a, socklen_t len, char *out, size_t size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo(a, len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		text_copy(out, size, "a socket");
	else
		text_print(out, size,
		    a->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int
switch_on(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* So that KEEP_COUNT probes fit before the client is given up. */
static int
probe_interval(const struct settings *s)
{
	uint64_t interval = s->keepalive_timeout > s->keepalive
	    ? (s->keepalive_timeout - s->keepalive) / KEEP_COUNT
	    : 0;

	if (s->keepalive_timeout == 0 || interval > KEEP_INTERVAL)
		return KEEP_INTERVAL;
	return interval == 0 ? 1 : (int)interval;
}

static int
watch_client(int fd, const struct settings *s)
{
	if (switch_on(fd, SOL_SOCKET, SO_KEEPALIVE, s->keepalive > 0) == -1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
		(int)s->keepalive_timeout * 1000) == -1)
		return -1;
	if (s->keepalive == 0)
		return 0;
	if (switch_on(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)s->keepalive) == -1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_KEEPINTVL, probe_interval(s)) ==
		-1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT) == -1)
		return -1;
	return 0;
}

/* Connections inherit these: nothing has to be set for each of them. */
void
sockets_tune(const struct sockets *s, const struct settings *t)
{
	for (size_t i = 0; i < s->count; i++)
		if (sockets_port(s->fd[i]) != 0 &&
		    (switch_on(s->fd[i], IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
			watch_client(s->fd[i], t) == -1))
			log_warning("socket options: %s", strerror(errno));
}

static int
open_one(const struct listen_address *l)
{
	int fd = socket(l->address.ss_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (switch_on(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    (l->address.ss_family != AF_INET6 ||
		switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) == 0) &&
	    bind(fd, (const struct sockaddr *)&l->address, l->len) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	fd_close(&fd);
	return -1;
}

static bool
has_fd(const struct sockets *s, int fd)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->fd[i] == fd)
			return true;
	return false;
}

/* Each socket once: the same address asked for twice is a mistake that bind(2)
 * tells of. */
static int
take_over(const struct sockets *s, const struct sockets *old,
    const struct listen_address *l)
{
	for (size_t i = 0; old != NULL && i < old->count; i++)
		if (old->address[i].len == l->len && !old->given[i] &&
		    !has_fd(s, old->fd[i]) &&
		    memcmp(&old->address[i].address, &l->address, l->len) == 0)
			return old->fd[i];
	return -1;
}

void
sockets_close_others(struct sockets *old, const struct sockets *s)
{
	for (size_t i = 0; i < old->count; i++)
		if (!has_fd(s, old->fd[i]))
			fd_close(&old->fd[i]);
}

/* A host without IPv6 still has "all addresses". */
static bool
may_be_left_out(const struct listen_address *l, size_t count, int error)
{
	return l->address.ss_family == AF_INET6 && count > 1 &&
	    (error == EAFNOSUPPORT || error == EADDRNOTAVAIL);
}

static void
add(struct sockets *s, int fd, const struct listen_address *l)
{
	s->fd[s->count] = fd;
	s->tls[s->count] = l->tls;
	s->given[s->count] = false;
	s->address[s->count++] = *l;
}

int
sockets_open(struct sockets *s, struct sockets *old,
    const struct listen_list *wanted, struct popper_error *e)
{
	char name[128];
	int fd;

	s->count = 0;
	for (size_t i = 0; i < wanted->count; i++) {
		const struct listen_address *l = &wanted->address[i];

		if ((fd = take_over(s, old, l)) == -1 &&
		    (fd = open_one(l)) == -1) {
			if (may_be_left_out(l, wanted->count, errno))
				continue;
			address_text((const struct sockaddr *)&l->address,
			    l->len, name, sizeof(name));
			error_system(
			    e, POPPER_PERMANENT, "cannot listen on %s", name);
			if (old != NULL)
				sockets_close_others(s, old);
			return -1;
		}
		add(s, fd, l);
	}
	if (s->count > 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "cannot listen on any address: there is no IPv6 here");
}

void
sockets_adopt(struct sockets *s, int fd, bool tls)
{
	if (s->count == LISTEN_MAX) {
		log_warning("more than %d sockets were passed", LISTEN_MAX);
		return;
	}
	s->given[s->count] = true;
	s->tls[s->count] = tls;
	s->fd[s->count++] = fd;
}

int
sockets_settle(struct sockets *s, const struct sockets *passed,
    const struct settings *t, struct popper_error *e)
{
	*s = *passed;
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(t->tls_support, "none") == 0)
			s->tls[i] = false;
		else if (strcmp(t->tls_support, "alternate-port") == 0)
			s->tls[i] = true;
		if (s->tls[i] && t->tls_certificate[0] == '\0')
			return error_set(e, POPPER_PERMANENT,
			    "the socket of port %u was passed for TLS: set "
			    "tls-certificate, or tls-support = none",
			    sockets_port(s->fd[i]));
	}
	return 0;
}

unsigned
sockets_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) == -1)
		return 0;
	if (a.any.sa_family == AF_INET)
		return ntohs(a.v4.sin_port);
	return a.any.sa_family == AF_INET6 ? ntohs(a.v6.sin6_port) : 0;
}

/* Is ${fd} one of ${s}, and is it for TLS or not? */
static bool
speaks(const struct sockets *s, int fd, bool tls)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->fd[i] == fd && s->tls[i] == tls)
			return true;
	return false;
}

void
sockets_tell(const struct sockets *s, const struct sockets *old)
{
	struct sockaddr_storage a;
	socklen_t len;
	char name[128];

	for (size_t i = 0; i < s->count; i++) {
		len = sizeof(a);
		if (old != NULL && speaks(old, s->fd[i], s->tls[i]))
			continue;
		if (getsockname(s->fd[i], (struct sockaddr *)&a, &len) == -1)
			continue;
		address_text((struct sockaddr *)&a, len, name, sizeof(name));
		log_info("listening on %s%s", name, s->tls[i] ? " (tls)" : "");
	}
}
