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
/* A client that has vanished is noticed after about two minutes. */
#define KEEP_IDLE 60
#define KEEP_INTERVAL 15
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

/* Connections inherit these: nothing has to be set for each of them. */
static void
tune(int fd)
{
	if (switch_on(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE) == -1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL) == -1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT) == -1 ||
	    switch_on(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1)
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
	    listen(fd, BACKLOG) == 0) {
		tune(fd);
		return fd;
	}
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

int
sockets_open(struct sockets *s, struct sockets *old, const char *text,
    struct popper_error *e)
{
	struct listen_address l[LISTEN_MAX];
	char name[128];
	size_t count;
	int fd;

	s->count = 0;
	if (listen_parse(text, l, &count, e) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if ((fd = take_over(s, old, &l[i])) == -1 &&
		    (fd = open_one(&l[i])) == -1) {
			if (may_be_left_out(&l[i], count, errno))
				continue;
			address_text((const struct sockaddr *)&l[i].address,
			    l[i].len, name, sizeof(name));
			error_system(
			    e, POPPER_PERMANENT, "cannot listen on %s", name);
			if (old != NULL)
				sockets_close_others(s, old);
			return -1;
		}
		s->fd[s->count] = fd;
		s->given[s->count] = false;
		s->address[s->count++] = l[i];
	}
	if (s->count > 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "cannot listen on any address: there is no IPv6 here");
}

void
sockets_adopt(struct sockets *s, int fd)
{
	if (s->count == LISTEN_MAX) {
		log_warning("more than %d sockets were passed", LISTEN_MAX);
		return;
	}
	tune(fd);
	s->given[s->count] = true;
	s->fd[s->count++] = fd;
}

void
sockets_tell(const struct sockets *s)
{
	struct sockaddr_storage a;
	socklen_t len;
	char name[128];

	for (size_t i = 0; i < s->count; i++) {
		len = sizeof(a);
		if (getsockname(s->fd[i], (struct sockaddr *)&a, &len) == -1)
			continue;
		address_text((struct sockaddr *)&a, len, name, sizeof(name));
		log_info("listening on %s", name);
	}
}
