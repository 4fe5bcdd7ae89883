/*
 * points_machine.h - a system call in the registers of a stopped process.
 *
 * call_skip(pid): at its entry: let it not be made.
 * call_fail(pid, error): at its exit: let it have failed.
 * call_halve(pid): at the entry of a write: half of its third argument.
 * Return 0 or -1.
 */
#ifndef MODULE_POINTS_MACHINE_H
#define MODULE_POINTS_MACHINE_H

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define CALLS_KNOWN true

static inline int
call_change(pid_t pid, int what, int error)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r) == -1)
		return -1;
	if (what == 0)
		r.orig_rax = (unsigned long long)-1;
	else if (what == 1)
		r.rax = (unsigned long long)-error;
	else
		r.rdx /= 2;
	return ptrace(PTRACE_SETREGS, pid, 0, &r) == -1 ? -1 : 0;
}
#else
#define CALLS_KNOWN false

static inline int
call_change(pid_t pid, int what, int error)
{
	(void)pid;
	(void)what;
	(void)error;
	return -1;
}
#endif

static inline int
call_skip(pid_t pid)
{
	return call_change(pid, 0, 0);
}

static inline int
call_fail(pid_t pid, int error)
{
	return call_change(pid, 1, error);
}

static inline int
call_halve(pid_t pid)
{
	return call_change(pid, 2, 0);
}

#endif
