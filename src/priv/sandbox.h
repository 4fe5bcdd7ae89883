/*
 * sandbox.h - what our processes give up at start.
 *
 * Everything here happens once in a warm parent and is inherited by all its
 * children; only Landlock for a session's own paths is per login
 * (priv/landlock.h).
 */
#ifndef PRIV_SANDBOX_H
#define PRIV_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* What is in force; written to the log at start. */
struct sandbox {
	bool root_changed;
	bool filtered; /* seccomp */
	int landlock; /* version, or 0 */
};

/**
 * sandbox_empty_root(): make an empty folder that nobody can reach any more
 * the root directory.  True if that was done (needs root).
 */
bool sandbox_empty_root(void);

/** sandbox_no_files(): Landlock without any path.  Its version, or 0. */
int sandbox_no_files(void);

/** sandbox_filter_login(): seccomp: the few system calls that popper-login
 * makes; any other kills the process.  False if that is not to be had. */
bool sandbox_filter_login(void);

/** sandbox_filter_session(needs): seccomp: refuse what no session needs.
 * ${needs}: POPPER_NEEDS_ bits of the modules. */
bool sandbox_filter_session(unsigned needs);

/** sandbox_tell(program, s): say in the log what is in force, and warn about
 * what is not. */
void sandbox_tell(const char *what, const struct sandbox *);

#endif
