/*
 * points.h - stop a process at each of its system calls, and do something to
 * it there.
 *
 * A sweep runs the same function again and again, once for each call that it
 * makes, and looks each time at what is left.
 */
#ifndef MODULE_POINTS_H
#define MODULE_POINTS_H

#include <stdbool.h>

enum points_deed {
	POINTS_KILL, /* before the call is made */
	POINTS_FAIL, /* the call is not made and fails with ${error} */
	POINTS_SHORT /* a write writes half of it */
};

struct points {
	long at; /* the call to do it at, counted from 1; 0: none */
	enum points_deed deed;
	int error;
	void (*meanwhile)(void *); /* called first, while it stands; or NULL */
	void *arg;
	/* What came of it. */
	long seen; /* calls, to the deed or to the end */
	bool done; /* the deed */
	long number; /* of the call it was done at: SYS_... */
	int status; /* as waitpid(2) tells */
};

/** points_usable(): can this be done on this machine? */
bool points_usable(void);

/** points_deep(): is there time for all errors (POPPER_TEST_POINTS=all, as in
 * make check-deep)? */
bool points_deep(void);

/** points_step(): from one call to the next that something is done at; 1, and
 * more where all takes too long (POPPER_TEST_POINTS=few, under sanitizers). */
long points_step(void);

/**
 * points_run(p, run, arg):
 * Run ${run} in a child.  It exits with what ${run} returns.  Calls count from
 * points_begin() on.
 */
void points_run(struct points *, int (*run)(void *), void *arg);

/* What ${run} adds to what it wants to say, so that it can be told from the
 * end of a sanitizer that was not given its memory. */
#define POINTS_SAID 100

/** points_begin(): in ${run}: from here on. */
void points_begin(void);

#endif
