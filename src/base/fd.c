/*
 * fd.c - descriptors: whole writes, waits with deadlines, passing them on.
 *
 * Runs in: any process.
 */
#include "base/fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CONTROL_SIZE CMSG_SPACE(FD_PASS_MAX * sizeof(int))

/* Aligned as the kernel's header in front of the descriptors wants it. */
union control {
	struct cmsghdr header;
	char octets[CONTROL_SIZE];
};

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (n == 0) {
			errno = EIO;
			return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

int
fd_wait(int fd, short events, deadline_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, deadline_left(deadline));
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n;
	if ((p.revents & POLLNVAL) != 0) {
		errno = EBADF;
		return -1;
	}
	return p.revents;
}

int
fd_send(int sock, const void *buf, size_t len, const int *fds, size_t count)
{
	union control control;
	struct iovec iov = { .iov_len = len };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t n;

	if (len == 0 || count > FD_PASS_MAX) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&iov.iov_base, &buf, sizeof(buf)); /* it is only read */
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.octets;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = &control.header;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	do
		n = sendmsg(sock, &message, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/* Copy the descriptors that came with ${message} into ${fds}. */
static size_t
collect(struct msghdr *message, int fds[FD_PASS_MAX])
{
	struct cmsghdr *c;
	size_t n, count = 0;

	for (c = CMSG_FIRSTHDR(message); c != NULL;
	     c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > FD_PASS_MAX - count)
			n = FD_PASS_MAX - count; /* cannot be: no room */
		memcpy(fds + count, CMSG_DATA(c), n * sizeof(int));
		count += n;
	}
	return count;
}

ssize_t
fd_receive(
    int sock, void *buf, size_t size, int *fds, size_t most, size_t *count)
{
	union control control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.octets,
		.msg_controllen = sizeof(control.octets) };
	int got[FD_PASS_MAX];
	size_t i, came;
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	came = collect(&message, got);
	if (n == 0 || came > most ||
	    (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
		for (i = 0; i < came; i++)
			close(got[i]);
		errno = EMSGSIZE;
		return n == 0 ? 0 : -1;
	}
	if (came > 0)
		memcpy(fds, got, came * sizeof(int));
	*count = came;
	return n;
}

int
fd_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}
