/*
 * state.h - the user's state folder and the session lock in it.
 */
#ifndef SESSION_STATE_H
#define SESSION_STATE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <popper/auth.h>

/**
 * state_root(path, error):
 * Open, or make, the folder of all state folders.  Its descriptor, or -1.
 */
int state_root(const char *path, struct popper_error *);

/**
 * state_open(root, identity, error):
 * Open, or make, the folder of ${identity}'s user below ${root}: mode 0700,
 * the user's own, named after the user and the sub-mailbox.  Must be called
 * before the process becomes the user.  Its descriptor, or -1 with ${error}
 * filled.
 */
int state_open(int root, const struct popper_identity *, struct popper_error *);

/** state_find(root, identity, error): the same, but none is made: -1 with
 * POPPER_ABSENT. */
int state_find(int root, const struct popper_identity *, struct popper_error *);

/**
 * state_whose(name, identity):
 * Set user and folder of ${identity} to those whose state folder is called
 * ${name}.  False: nobody's is.
 */
bool state_whose(const char *name, struct popper_identity *);

/**
 * state_lock(state, error):
 * Take the kernel's lock that keeps a second session out; it is held as long
 * as the descriptor is open and dies with the process.  -1: POPPER_IN_USE if
 * somebody has it.
 */
int state_lock(int state, struct popper_error *);

/** state_await(state, seconds, error): the same, but wait so long for who has
 * it.  SIGALRM and the real-time timer are used. */
int state_await(int state, uint64_t seconds, struct popper_error *);

/** state_note(state, name): the time of the file ${name} is now.  A failure is
 * told in the log. */
void state_note(int state, const char *name);

/** state_noted(state, name, when): store that time; false if there is none. */
bool state_noted(int state, const char *name, struct timespec *when);

#endif
