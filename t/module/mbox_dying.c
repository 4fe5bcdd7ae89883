/*
 * mbox_dying.c - see mbox_dying.h.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "mbox_dying.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEAD 77
#define SECTOR 512 /* octets that are written together or not at all */

static int left = -1; /* changes until death; -1: immortal */
static bool by_half;

ssize_t __real_pwrite(int, const void *, size_t, off_t);
ssize_t __wrap_pwrite(int, const void *, size_t, off_t);
int __real_ftruncate(int, off_t);
int __wrap_ftruncate(int, off_t);
int __real_fsync(int);
int __wrap_fsync(int);
int __real_fdatasync(int);
int __wrap_fdatasync(int);
int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);
int __real_unlink(const char *);
int __wrap_unlink(const char *);
int __real_mknodat(int, const char *, mode_t, dev_t);
int __wrap_mknodat(int, const char *, mode_t, dev_t);

/* A change is about to be made. */
static bool
is_last(void)
{
	return left != -1 && left-- == 0;
}

ssize_t
__wrap_pwrite(int fd, const void *octets, size_t len, off_t at)
{
	if (is_last()) {
		if (by_half && len > SECTOR)
			(void)__real_pwrite(fd, octets, len / 2, at);
		_exit(DEAD);
	}
	return __real_pwrite(fd, octets, len, at);
}

int
__wrap_ftruncate(int fd, off_t len)
{
	bool last = is_last();
	int result = last && !by_half ? 0 : __real_ftruncate(fd, len);

	if (last)
		_exit(DEAD);
	return result;
}

int
__wrap_fsync(int fd)
{
	if (is_last())
		_exit(DEAD);
	return __real_fsync(fd);
}

int
__wrap_fdatasync(int fd)
{
	if (is_last())
		_exit(DEAD);
	return __real_fdatasync(fd);
}

int
__wrap_renameat(int from, const char *old, int to, const char *new)
{
	bool last = is_last();
	int result = last && !by_half ? 0 : __real_renameat(from, old, to, new);

	if (last)
		_exit(DEAD);
	return result;
}

int
__wrap_unlinkat(int fd, const char *name, int flags)
{
	bool last = is_last();
	int result = last && !by_half ? 0 : __real_unlinkat(fd, name, flags);

	if (last)
		_exit(DEAD);
	return result;
}

int
__wrap_unlink(const char *name)
{
	bool last = is_last();
	int result = last && !by_half ? 0 : __real_unlink(name);

	if (last)
		_exit(DEAD);
	return result;
}

int
__wrap_mknodat(int fd, const char *name, mode_t mode, dev_t device)
{
	bool last = is_last();
	int result =
	    last && !by_half ? 0 : __real_mknodat(fd, name, mode, device);

	if (last)
		_exit(DEAD);
	return result;
}

bool
dying_run(struct rig *r, int (*function)(struct rig *), int at, bool half)
{
	int status, result;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		left = at;
		by_half = half;
		result = function(r);
		left = -1;
		_exit(result);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	(void)unlink(r->lock);
	if (WEXITSTATUS(status) == DEAD)
		return true;
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}
