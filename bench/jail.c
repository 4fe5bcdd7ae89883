/*
 * jail.c - run a server in its own cgroup and account for all it forks.
 *
 * usage: jail CGROUP_PROCS_FILE... -- COMMAND [ARGUMENT...]
 *
 * Runs in:  bench/jail, between the measuring script and a server, as root.
 *
 * As child sub-reaper it waits for every orphan, so that what the dead
 * children read and wrote stays in its own /proc/PID/io.  At SIGTERM, SIGINT
 * or the death of its parent it ends the server, then whatever is left in the
 * first cgroup, first politely, after two seconds with SIGKILL.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void
enter(const char *procs)
{
	int fd = open(procs, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, "0\n", 2) != 2 || close(fd) == -1)
		err(1, "%s", procs);
}

/* Send ${signal_number} to all in the cgroup but ourselves. */
static void
signal_all(const char *procs, int signal_number)
{
	FILE *f = fopen(procs, "re");
	int pid;

	if (f == NULL)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		if (pid != getpid())
			kill(pid, signal_number);
	fclose(f);
}

/* Reap what has died; false when no child is left. */
static bool
reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	return pid == 0;
}

static void
end_all(const char *procs, pid_t server)
{
	const struct timespec tick = { .tv_nsec = 10000000 };

	kill(server, SIGTERM);
	for (int i = 0; i < 400 && reap(); i++) {
		if (i == 100)
			signal_all(procs, SIGTERM);
		if (i >= 200 && i % 20 == 0)
			signal_all(procs, SIGKILL);
		nanosleep(&tick, NULL);
	}
}

static pid_t
start(char **command, const sigset_t *before)
{
	pid_t pid = fork();

	if (pid == -1)
		err(1, "fork");
	if (pid > 0)
		return pid;
	setsid(); /* some servers signal their whole process group */
	sigprocmask(SIG_SETMASK, before, NULL);
	execvp(command[0], command);
	warn("%s", command[0]);
	_exit(127);
}

int
main(int argc, char **argv)
{
	sigset_t awaited, before;
	struct rlimit files;
	pid_t server;
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++)
		enter(argv[i]);
	if (i < 2 || i + 1 >= argc)
		errx(2, "usage: jail CGROUP_PROCS_FILE... -- COMMAND ...");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGTERM);
	sigaddset(&awaited, SIGINT);
	sigprocmask(SIG_BLOCK, &awaited, &before);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	server = start(argv + i + 1, &before);
	while (sigwaitinfo(&awaited, NULL) == SIGCHLD && reap())
		;
	end_all(argv[1], server);
	return 0;
}
