/* fd.h - descriptors: whole writes, waits with deadlines, passing them on. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/deadline.h"

/** fd_close(fd): close ${*fd} if it is open and set it to -1.  Keeps errno. */
void fd_close(int *fd);

/** fd_write_all(fd, buf, len): write all of it.  0, or -1 with errno. */
int fd_write_all(int fd, const void *buf, size_t len);

/**
 * fd_wait(fd, events, deadline):
 * Wait for any of the poll(2) ${events} on ${fd}.  Returns the events that
 * came (error and hang-up included), 0 when the deadline passed, -1 on error.
 */
int fd_wait(int fd, short events, deadline_t);

/* Most descriptors that travel in one message. */
#define FD_PASS_MAX 4

/**
 * fd_send(sock, buf, len, fds, count):
 * Send one message of ${len} octets, at least 1, with ${count} descriptors
 * along an AF_UNIX SOCK_SEQPACKET socket.  The descriptors stay ours.
 * Returns 0, or -1 with errno.  Never raises SIGPIPE.
 */
int fd_send(
    int sock, const void *buf, size_t len, const int *fds, size_t count);

/**
 * fd_receive(sock, buf, size, fds, most, count):
 * Receive one message of at most ${size} octets and at most ${most}
 * descriptors (close-on-exec); ${count} says how many came.  A message that
 * was cut, or that carried more descriptors than ${most}, is an error: nothing
 * is left open.  Returns its length, 0 when the other side is gone, -1 with
 * errno.
 */
ssize_t fd_receive(int sock, void *buf, size_t size, int *fds, size_t most,
    size_t *count);

/** fd_pair(pair): two ends of a close-on-exec SOCK_SEQPACKET pair. */
int fd_pair(int pair[2]);

#endif
