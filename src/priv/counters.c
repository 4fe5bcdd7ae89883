/*
 * counters.c - numbers that all services share.
 *
 * Runs in: the master and the warm parents of the three services.
 */
#include "priv/counters.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

int
counters_make(void)
{
	int fd = memfd_create("popper-counters", MFD_CLOEXEC);

	if (fd != -1 && ftruncate(fd, sizeof(struct counters)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

struct counters *
counters_map(int fd)
{
	void *p = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, sizeof(struct counters), MADV_DONTFORK) == -1)
		return NULL;
	return p;
}
