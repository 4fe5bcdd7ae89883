/* spawn.h - start a service with exactly these descriptors. */
#ifndef PRIV_SPAWN_H
#define PRIV_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <popper/error.h>

#define SPAWN_MAX 64

struct spawn {
	const char *path; /* of the program, absolute */
	const char *name; /* argv[0] */
	bool silent; /* no standard error either */
	size_t count;
	int fd[SPAWN_MAX]; /* becomes descriptor 3 + index; -1: /dev/null */
};

/**
 * spawn_service(s, error):
 * Start ${s->path} in a process group of its own, with /dev/null as standard
 * input and output, our standard error unless ${s->silent}, ${s->fd} from 3 on,
 * nothing else open, a blank argument, and (if we are root) a clean
 * environment.  Returns its pid, or -1 with ${error} filled; a program that
 * cannot be executed ends with status 127.
 */
pid_t spawn_service(const struct spawn *, struct popper_error *);

#endif
