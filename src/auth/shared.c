/*
 * shared.c - memory of popper-auth and its gates, and of nobody else.
 *
 * Runs in: popper-auth, as root; made in the warm parent before it forks.
 */
#include "auth/shared.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

void *
shared_make(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED || madvise(p, size, MADV_DONTDUMP) == -1)
		log_fatal(
		    "%zu octets of shared memory: %s", size, strerror(errno));
	return p;
}

void
shared_lock_make(pthread_mutex_t *m)
{
	pthread_mutexattr_t a;

	if (pthread_mutexattr_init(&a) != 0 ||
	    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED) != 0 ||
	    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST) != 0 ||
	    pthread_mutex_init(m, &a) != 0)
		log_fatal("a lock between processes is not to be had");
	pthread_mutexattr_destroy(&a);
}

void
shared_lock(pthread_mutex_t *m)
{
	int result = pthread_mutex_lock(m);

	/* Its holder was killed; the lock is ours now. */
	if (result == EOWNERDEAD)
		result = pthread_mutex_consistent(m);
	if (result != 0)
		log_fatal("a lock between processes: %s", strerror(result));
}

void
shared_unlock(pthread_mutex_t *m)
{
	if (pthread_mutex_unlock(m) != 0)
		log_fatal("a lock between processes is not ours");
}
