/*
 * points.c - stop a process at each of its system calls.
 *
 * Runs in: tests; the child is traced by its parent.
 */
#define _GNU_SOURCE
#include "points.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "points_machine.h"

#define MARK 0x706f696e /* no option of prctl(2) */

bool
points_usable(void)
{
	return CALLS_KNOWN;
}

static bool
asked_for(const char *word)
{
	const char *said = getenv("POPPER_TEST_POINTS");

	return said != NULL && strcmp(said, word) == 0;
}

bool
points_deep(void)
{
	return asked_for("all");
}

long
points_step(void)
{
	return asked_for("few") ? 5 : 1;
}

void
points_begin(void)
{
	(void)prctl(MARK);
}

static bool
is_write(uint64_t number)
{
	return number == SYS_write || number == SYS_pwrite64;
}

/* At the entry of a call that counts.  True: it is the end of the child. */
static bool
enter(struct points *p, pid_t pid, const struct __ptrace_syscall_info *i)
{
	if (++p->seen != p->at)
		return false;
	p->number = (long)i->entry.nr;
	if (p->meanwhile != NULL)
		p->meanwhile(p->arg);
	switch (p->deed) {
	case POINTS_KILL:
		p->done = kill(pid, SIGKILL) == 0;
		return true;
	case POINTS_FAIL:
		p->done = call_skip(pid) == 0;
		break;
	case POINTS_SHORT:
		p->done = is_write(i->entry.nr) && i->entry.args[2] > 1 &&
		    call_halve(pid) == 0;
		break;
	}
	return false;
}

struct trace {
	bool begun;
	bool failing; /* the call under way is not made */
};

/* The child stands at a system call.  True: it is its end. */
static bool
look(struct points *p, struct trace *t, pid_t pid)
{
	struct __ptrace_syscall_info i;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(i), &i) == -1)
		fail_msg("PTRACE_GET_SYSCALL_INFO: errno %d", errno);
	if (i.op == PTRACE_SYSCALL_INFO_EXIT && t->failing) {
		t->failing = false;
		assert_int_equal(call_fail(pid, p->error), 0);
	}
	if (i.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (i.entry.nr == SYS_prctl && i.entry.args[0] == MARK) {
		t->begun = true;
		return false;
	}
	/* brk(2) does not fail with an error, and libc knows it. */
	if (!t->begun || i.entry.nr == SYS_exit_group || i.entry.nr == SYS_brk)
		return false;
	if (enter(p, pid, &i))
		return true;
	t->failing = p->done && p->deed == POINTS_FAIL && p->seen == p->at;
	return false;
}

static void
follow(struct points *p, pid_t pid)
{
	struct trace t = { .begun = false };
	int pass = 0;

	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, (long)pass) == -1 &&
		    errno != ESRCH)
			fail_msg("PTRACE_SYSCALL: errno %d", errno);
		if (waitpid(pid, &p->status, 0) == -1)
			fail_msg("waitpid: errno %d", errno);
		if (!WIFSTOPPED(p->status))
			return;
		pass = WSTOPSIG(p->status);
		if (pass != (SIGTRAP | 0x80))
			continue;
		pass = 0;
		if (look(p, &t, pid)) {
			(void)waitpid(pid, &p->status, 0);
			return;
		}
	}
}

void
points_run(struct points *p, int (*run)(void *), void *arg)
{
	pid_t pid = fork();
	int status;

	p->seen = 0;
	p->done = false;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) == -1 ||
		    raise(SIGSTOP) != 0)
			_exit(255);
		_exit(run(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, 0,
			     PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
	    0);
	follow(p, pid);
}
