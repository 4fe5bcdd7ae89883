/*
 * child.h - run part of a test in a process of its own, which may give up
 * rights that the test still needs.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child instead of cmocka's: it says where, and the test fails. */
#define must(condition)                                                      \
	do {                                                                 \
		if (!(condition)) {                                          \
			fprintf(stderr, "# %s:%d: %s: errno %d\n", __FILE__, \
			    __LINE__, #condition, errno);                    \
			_exit(1);                                            \
		}                                                            \
	} while (0)

/* The wait(2) status of a child that runs ${run}. */
static inline int
child_status(void (*run)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		run();
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

/* Did everything in ${run} hold? */
static inline bool
child_is_content(void (*run)(void))
{
	return child_status(run) == 0;
}

#endif
