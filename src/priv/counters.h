/*
 * counters.h - numbers that all services share.
 *
 * One anonymous mapping, made by the master before it starts anybody, and
 * passed on as a descriptor.  Only the warm parents have it mapped, never a
 * process that talks to the network.
 */
#ifndef PRIV_COUNTERS_H
#define PRIV_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

struct counters {
	_Atomic uint32_t workers; /* connections before the login: now */
	_Atomic uint32_t sessions; /* logged in: now */
	_Atomic uint64_t connections; /* ever accepted */
	_Atomic uint64_t turned_away; /* ever: too many */
	_Atomic uint64_t crashed; /* children that died by a signal */
};

/** counters_make(): a descriptor of fresh, zeroed counters, or -1. */
int counters_make(void);

/** counters_map(fd): map them; children of this process do not get them.
 * NULL with errno on failure. */
struct counters *counters_map(int fd);

#endif
