/* sockets.h - the listening sockets. */
#ifndef MASTER_SOCKETS_H
#define MASTER_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/listen.h"

struct sockets {
	size_t count;
	int fd[LISTEN_MAX];
	bool given[LISTEN_MAX]; /* by systemd: never ours to replace */
	struct listen_address address[LISTEN_MAX]; /* as asked for */
};

/**
 * sockets_open(s, old, listen, error):
 * Listen on what the text ${listen} says; a socket of ${old} (may be NULL)
 * for the same address is taken over.  0, or -1 with everything new closed.
 */
int sockets_open(struct sockets *, struct sockets *old, const char *listen,
    struct popper_error *);

/** sockets_adopt(s, fd): a listening socket that somebody else made. */
void sockets_adopt(struct sockets *, int fd);

/** sockets_close_others(old, s): close those of ${old} that ${s} has not
 * taken over. */
void sockets_close_others(struct sockets *old, const struct sockets *);

/** sockets_tell(s): "listening on ..." in the log for each. */
void sockets_tell(const struct sockets *);

#endif
