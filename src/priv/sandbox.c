/*
 * sandbox.c - what our processes give up at start.
 *
 * Runs in: popper-login and popper-session, in the warm parent.
 */
#include "priv/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

#include <popper/module.h>

#include "base/fd.h"
#include "base/log.h"
#include "priv/landlock.h"

/* All that popper-login's parent and its workers ever call. */
static const int login_calls[] = { SCMP_SYS(accept4), SCMP_SYS(brk),
	SCMP_SYS(clock_gettime), SCMP_SYS(close), SCMP_SYS(close_range),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fcntl), SCMP_SYS(futex),
	SCMP_SYS(getpeername), SCMP_SYS(getpid), SCMP_SYS(getrandom),
	SCMP_SYS(getsockname), SCMP_SYS(gettid), SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap),
	SCMP_SYS(munmap), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto), SCMP_SYS(set_robust_list), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(shutdown), SCMP_SYS(socketpair),
	SCMP_SYS(tgkill), SCMP_SYS(wait4), SCMP_SYS(write), SCMP_SYS(writev) };

/* Younger than the libseccomp of Debian 12; one number everywhere. */
enum { SETXATTRAT = 463, REMOVEXATTRAT = 466, FCHMODAT2 = 452 };

/* What no session has any use for, whatever its modules do.  Those that change
 * rights by a path would not be held by Landlock, which knows contents only:
 * users who share one uid could open or close each other's mail. */
static const int session_refused[] = { SCMP_SYS(acct), SCMP_SYS(add_key),
	SCMP_SYS(bpf), SCMP_SYS(chmod), SCMP_SYS(chown), SCMP_SYS(chroot),
	SCMP_SYS(clock_settime), SCMP_SYS(delete_module), SCMP_SYS(fchmodat),
	FCHMODAT2, SCMP_SYS(fchownat), SCMP_SYS(finit_module),
	SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fsopen),
	SCMP_SYS(fspick), SCMP_SYS(init_module), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(io_uring_setup),
	SCMP_SYS(kexec_file_load), SCMP_SYS(kexec_load), SCMP_SYS(keyctl),
	SCMP_SYS(lchown), SCMP_SYS(lremovexattr), SCMP_SYS(lsetxattr),
	SCMP_SYS(mount), SCMP_SYS(mount_setattr), SCMP_SYS(move_mount),
	SCMP_SYS(open_by_handle_at), SCMP_SYS(open_tree),
	SCMP_SYS(perf_event_open), SCMP_SYS(personality), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pivot_root), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(ptrace), SCMP_SYS(quotactl),
	SCMP_SYS(reboot), SCMP_SYS(removexattr), REMOVEXATTRAT,
	SCMP_SYS(request_key), SCMP_SYS(setns), SCMP_SYS(settimeofday),
	SCMP_SYS(setxattr), SETXATTRAT, SCMP_SYS(swapoff), SCMP_SYS(swapon),
	SCMP_SYS(syslog), SCMP_SYS(umount2), SCMP_SYS(unshare),
	SCMP_SYS(userfaultfd) };

/* Flags of clone(2) that make a new namespace.  A user's own one would bring
 * all capabilities in it, and much of the kernel into reach. */
static const scmp_datum_t namespaces[] = { CLONE_NEWCGROUP, CLONE_NEWIPC,
	CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS };

bool
sandbox_empty_root(void)
{
	char path[] = "/tmp/popper-root-XXXXXX";
	int fd = -1;
	bool done;

	if (geteuid() != 0 || mkdtemp(path) == NULL)
		return false;
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rmdir(path) == -1)
		log_warning("cannot remove %s", path);
	/* The folder has no name any more: nothing can be put into it. */
	done =
	    fd != -1 && fchdir(fd) == 0 && chroot(".") == 0 && chdir("/") == 0;
	fd_close(&fd);
	return done;
}

int
sandbox_no_files(void)
{
	int version = landlock_version(), rules;

	if (version == 0 || (rules = landlock_start(version)) == -1)
		return 0;
	if (landlock_enter(rules) == -1)
		version = 0;
	fd_close(&rules);
	return version;
}

/* Load and forget ${c}.  No-new-privileges is set only where somebody who is
 * not root asks: a module may need to start a program with rights of its own.
 */
static bool
load(scmp_filter_ctx c, bool complete)
{
	bool done = complete &&
	    seccomp_attr_set(c, SCMP_FLTATR_CTL_NNP, geteuid() != 0) == 0 &&
	    seccomp_load(c) == 0;

	seccomp_release(c);
	return done;
}

/* The flags of clone3(2) lie in memory, where no filter sees them.  The C
 * library takes clone(2) where there is no clone3. */
static bool
no_clone3(scmp_filter_ctx c)
{
	return seccomp_rule_add(
		   c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
}

static bool
allow_fork(scmp_filter_ctx c)
{
	scmp_datum_t any = 0;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		any |= namespaces[i];
	return seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		   SCMP_A0(SCMP_CMP_MASKED_EQ, any, 0)) == 0;
}

bool
sandbox_filter_login(void)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool complete;

	if (c == NULL)
		return false;
	complete = allow_fork(c) && no_clone3(c);
	for (size_t i = 0; i < sizeof(login_calls) / sizeof(*login_calls); i++)
		if (seccomp_rule_add(c, SCMP_ACT_ALLOW, login_calls[i], 0) < 0)
			complete = false;
	return load(c, complete);
}

static bool
refuse(scmp_filter_ctx c, int call)
{
	int r = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), call, 0);

	return r == 0 || r == -EDOM; /* EDOM: not on this architecture */
}

static bool
refuse_namespaces(scmp_filter_ctx c)
{
	bool done = no_clone3(c);

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		done = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM),
			   SCMP_SYS(clone), 1,
			   SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i],
			       namespaces[i])) == 0 &&
		    done;
	return done;
}

bool
sandbox_filter_session(unsigned needs)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	bool complete;

	if (c == NULL)
		return false;
	complete = refuse_namespaces(c);
	for (size_t i = 0;
	     i < sizeof(session_refused) / sizeof(*session_refused); i++)
		complete = refuse(c, session_refused[i]) && complete;
	if ((needs & POPPER_NEEDS_EXEC) == 0)
		complete = refuse(c, SCMP_SYS(execve)) &&
		    refuse(c, SCMP_SYS(execveat)) && complete;
	if ((needs & POPPER_NEEDS_NETWORK) == 0)
		complete = refuse(c, SCMP_SYS(socket)) && complete;
	return load(c, complete);
}

void
sandbox_tell(const char *what, const struct sandbox *s)
{
	log_info("%s: %s, %s, Landlock version %d", what,
	    s->root_changed ? "empty root directory" : "usual root directory",
	    s->filtered ? "seccomp filter" : "no seccomp filter", s->landlock);
	if (!s->filtered)
		log_warning("%s: runs without a seccomp filter: the kernel "
			    "has none or refused it",
		    what);
	if (s->landlock == 0)
		log_warning("%s: runs without Landlock: the kernel has none "
			    "(5.19 or newer, lsm=landlock)",
		    what);
}
