/* sources.h - who holds how many connections before the login. */
#ifndef LOGIN_SOURCES_H
#define LOGIN_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/source.h"

struct source {
	pid_t pid; /* of the worker */
	unsigned char key[SOURCE_LEN];
};

struct sources {
	size_t count, room;
	struct source *source;
};

/** sources_count(s, from): workers that serve the source of ${from}. */
uint64_t sources_count(
    const struct sources *, const struct sockaddr_storage *from);

/** sources_add(s, pid, from), sources_remove(s, pid): a worker was made, has
 * ended or is a relay now.  False: out of memory, it is not counted; it was not
 * among them. */
bool sources_add(
    struct sources *, pid_t pid, const struct sockaddr_storage *from);
bool sources_remove(struct sources *, pid_t pid);

#endif
