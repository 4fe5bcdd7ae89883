/* test_sandbox.c - src/priv/sandbox.c, each test in a child */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <popper/module.h>

#include "child.h"
#include "priv/landlock.h"
#include "priv/sandbox.h"

/* --- popper-login. --- */

static void
enter_login(void)
{
	must(sandbox_filter_login());
}

/* What a worker does all day, and what dies with it if something is wrong. */
static void
login_works(void)
{
	struct timespec now;
	int pair[2], status;
	char *p, c;
	pid_t pid;

	enter_login();
	must((p = malloc(1 << 20)) != NULL);
	must((p = realloc(p, 4 << 20)) != NULL);
	free(p);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	must(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	must(send(pair[0], "x", 1, MSG_NOSIGNAL) == 1);
	must(recv(pair[1], &c, 1, 0) == 1);
	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	must(shutdown(pair[0], SHUT_WR) == 0);
	must((pid = fork()) != -1);
	if (pid == 0)
		_exit(7);
	must(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	must(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void
login_aborts(void)
{
	enter_login();
	abort();
}

static void
login_opens(void)
{
	enter_login();
	syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static void
login_makes_a_socket(void)
{
	enter_login();
	syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static void
login_executes(void)
{
	char *argv[] = { NULL };

	enter_login();
	syscall(SYS_execve, "/bin/true", argv, argv);
}

static void
login_signals(void)
{
	enter_login();
	syscall(SYS_kill, getppid(), 0);
}

static void
login_traces(void)
{
	enter_login();
	syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static void
login_changes_its_uid(void)
{
	enter_login();
	syscall(SYS_setuid, 65534);
}

static void
login_makes_a_namespace(void)
{
	enter_login();
	syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
}

static void
login_takes_clone3(void)
{
	char arguments[64] = "";

	enter_login();
	must(syscall(SYS_clone3, arguments, sizeof(arguments)) == -1 &&
	    errno == ENOSYS);
}

static void
login_is_filtered(void **state)
{
	static void (*const deadly[])(void) = { login_opens,
		login_makes_a_socket, login_executes, login_signals,
		login_traces, login_changes_its_uid, login_makes_a_namespace };
	int status;

	(void)state;
	assert_true(child_is_content(login_works));
	assert_true(child_is_content(login_takes_clone3));
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		status = child_status(deadly[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("call %zu: status %#x", i, (unsigned)status);
	}
	status = child_status(login_aborts);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* --- popper-session. --- */

static void
must_be_refused(long result)
{
	must(result == -1 && errno == EPERM);
}

static void
session_refuses(void)
{
	char *argv[] = { NULL };
	int fd;

	must(sandbox_filter_session(POPPER_NEEDS_NOTHING));
	must_be_refused(socket(AF_INET, SOCK_STREAM, 0));
	must_be_refused(socket(AF_UNIX, SOCK_STREAM, 0));
	must_be_refused(execve("/bin/true", argv, argv));
	must_be_refused(ptrace(PTRACE_TRACEME, 0, 0, 0));
	must_be_refused(unshare(CLONE_NEWUSER));
	must_be_refused(
	    syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
	must_be_refused(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0));
	must_be_refused(mount("x", "/", "tmpfs", 0, NULL));
	must_be_refused(chroot("/"));
	must_be_refused(syscall(SYS_io_uring_setup, 1, NULL));
	must_be_refused(syscall(SYS_bpf, 0, NULL, 0));
	must_be_refused(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
	must_be_refused(syscall(SYS_pidfd_getfd, 0, 0, 0));
	must_be_refused(syscall(SYS_fsopen, "tmpfs", 0));
	/* Files are another wall's business. */
	must((fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1);
	must(close(fd) == 0);
}

static void
session_lets_modules_have_their_way(void)
{
	char *argv[] = { NULL };
	int fd, status;
	pid_t pid;

	must(sandbox_filter_session(POPPER_NEEDS_EXEC | POPPER_NEEDS_NETWORK));
	must((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	must(close(fd) == 0);
	must((pid = fork()) != -1);
	if (pid == 0) {
		execve("/bin/true", argv, argv);
		_exit(1);
	}
	must(waitpid(pid, &status, 0) == pid && status == 0);
	must_be_refused(unshare(CLONE_NEWUSER));
}

/* What is not asked for is not given. */
static void
session_gives_one_thing_only(void)
{
	char *argv[] = { NULL };

	must(sandbox_filter_session(POPPER_NEEDS_NETWORK));
	must(socket(AF_UNIX, SOCK_STREAM, 0) != -1);
	must_be_refused(execve("/bin/true", argv, argv));
}

static void
session_is_filtered(void **state)
{
	(void)state;
	assert_true(child_is_content(session_refuses));
	assert_true(child_is_content(session_lets_modules_have_their_way));
	assert_true(child_is_content(session_gives_one_thing_only));
}

/* --- Files. --- */

static void
root_is_empty(void)
{
	struct stat here, root;

	must(sandbox_empty_root());
	must(access("/etc", F_OK) == -1 && access("/proc", F_OK) == -1);
	must(stat(".", &here) == 0 && stat("/", &root) == 0);
	must(here.st_ino == root.st_ino && here.st_dev == root.st_dev);
	must(stat("/..", &here) == 0 && here.st_ino == root.st_ino);
	must(root.st_nlink == 0);
	/* Not even root can put something there. */
	must(open("/x", O_WRONLY | O_CREAT, 0600) == -1 && errno == ENOENT);
	must(mkdir("/x", 0700) == -1);
}

static void
empties_the_root(void **state)
{
	(void)state;
	if (geteuid() == 0)
		assert_true(child_is_content(root_is_empty));
	else
		assert_false(sandbox_empty_root());
}

static void
sees_no_file(void)
{
	must(sandbox_no_files() == landlock_version());
	if (landlock_version() == 0)
		return;
	must(open("/", O_RDONLY | O_DIRECTORY) == -1 && errno == EACCES);
	must(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
	must(open("/tmp/popper-unseen", O_WRONLY | O_CREAT, 0600) == -1 &&
	    errno == EACCES);
}

static void
takes_all_files_away(void **state)
{
	(void)state;
	assert_true(child_is_content(sees_no_file));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(login_is_filtered),
		cmocka_unit_test(session_is_filtered),
		cmocka_unit_test(empties_the_root),
		cmocka_unit_test(takes_all_files_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
