/*
 * watch.h - wait for a child, but not for ever.
 */
#ifndef POPPERCTL_WATCH_H
#define POPPERCTL_WATCH_H

#include <stdint.h>
#include <sys/types.h>

enum watch {
	WATCH_ENDED, /* by itself */
	WATCH_KILLED, /* by us: its time was over */
	WATCH_STUCK, /* that, too, but the kernel does not let go of it */
	WATCH_LOST /* errno says why nothing is known of it */
};

/**
 * watch(pid, seconds, status):
 * Wait until our child ${pid} ends, and store its ${status} as waitpid does;
 * kill it after ${seconds}, unless that is 0.
 */
enum watch watch(pid_t, uint64_t seconds, int *status);

#endif
