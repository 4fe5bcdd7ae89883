/*
 * told.h - which workers are past the login.
 *
 * A worker that has become a relay is no connection before the login any more.
 * It says so with its pid in a pipe, where the parent looks when it counts; so
 * nobody is woken.
 */
#ifndef LOGIN_TOLD_H
#define LOGIN_TOLD_H

#include <sys/types.h>

/** told_start(): in the parent.  0, or -1 with errno. */
int told_start(void);

/** told_logged_in(): in a worker: we are a relay now. */
void told_logged_in(void);

/** told_next(): in the parent: the pid of one that has said so; 0: none. */
pid_t told_next(void);

#endif
