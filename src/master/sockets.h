/* sockets.h - the listening sockets. */
#ifndef MASTER_SOCKETS_H
#define MASTER_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/listen.h"

struct sockets {
	size_t count;
	int fd[LISTEN_MAX];
	bool tls[LISTEN_MAX]; /* connections speak TLS from the first octet */
	bool given[LISTEN_MAX]; /* by systemd: never ours to replace */
	struct listen_address address[LISTEN_MAX]; /* as asked for */
};

/**
 * sockets_open(s, old, wanted, error):
 * Listen on all of ${wanted}; a socket of ${old} (may be NULL) for the same
 * address is taken over.  0, or -1 with everything new closed.
 */
int sockets_open(struct sockets *, struct sockets *old,
    const struct listen_list *wanted, struct popper_error *);

/** sockets_adopt(s, fd, tls): a listening socket that somebody else made. */
void sockets_adopt(struct sockets *, int fd, bool tls);

/**
 * sockets_settle(s, passed, settings, error):
 * Fill ${s} with the sockets that were ${passed}: who speaks TLS is what
 * tls-support says, or as they were adopted.  -1: TLS without a certificate.
 */
int sockets_settle(struct sockets *, const struct sockets *passed,
    const struct settings *, struct popper_error *);

/**
 * sockets_tune(s, settings):
 * Set what connections are to have from the start, also for sockets and for a
 * connection that somebody else made: no delay for small packets, and when a
 * client that is silent is looked after.  A failure is told in the log.
 */
void sockets_tune(const struct sockets *, const struct settings *);

/** sockets_port(fd): the local port of any Internet socket, or 0. */
unsigned sockets_port(int fd);

/** sockets_close_others(old, s): close those of ${old} that ${s} has not
 * taken over. */
void sockets_close_others(struct sockets *old, const struct sockets *);

/**
 * sockets_tell(s, old):
 * "listening on ..." in the log for each, "(tls)" behind those that speak it
 * at once; not for those that were so in ${old} (may be NULL).
 */
void sockets_tell(const struct sockets *, const struct sockets *old);

#endif
