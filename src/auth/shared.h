/* shared.h - memory of popper-auth and its gates, and of nobody else. */
#ifndef AUTH_SHARED_H
#define AUTH_SHARED_H

#include <pthread.h>
#include <stddef.h>

/**
 * shared_make(size):
 * Zeroed memory that gates forked from now on share, that no core dump holds
 * and that is gone with the last of them.  Ends the process on failure.
 */
void *shared_make(size_t size);

/** shared_lock_make(m): a lock in such memory.  A gate that is killed while it
 * holds it holds up nobody. */
void shared_lock_make(pthread_mutex_t *);

/** shared_lock(m), shared_unlock(m): for a few instructions, no system call.
 * What a killed gate was writing may be half written. */
void shared_lock(pthread_mutex_t *);
void shared_unlock(pthread_mutex_t *);

#endif
