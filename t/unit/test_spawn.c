/*
 * test_spawn.c - src/priv/spawn.c: this program starts itself, and the second
 * one tells on its descriptors what it has got.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "priv/spawn.h"

static char self[4096];

/* --- The one that is started. --- */

static unsigned
open_descriptors(char *which, size_t size)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned n = 0;
	size_t len = 0;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(d))
			continue;
		len += (size_t)snprintf(
		    which + len, size - len, "%s ", entry->d_name);
		n++;
	}
	closedir(d);
	return n;
}

/* Which character device, as "major:minor", is ${fd}? */
static unsigned
is_null(int fd)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat("/dev/null", &b) == 0 &&
	    a.st_rdev == b.st_rdev;
}

static int
report(const char *name)
{
	char text[4096], which[2048] = "";
	unsigned n = open_descriptors(which, sizeof(which));
	sigset_t blocked;
	int len;

	if (sigprocmask(SIG_BLOCK, NULL, &blocked) == -1)
		return 1;
	len = snprintf(text, sizeof(text),
	    "name=%s fds=%u null=%u%u%u leader=%d blocked=%d secret=%s "
	    "path=%s zone=%s",
	    name, n, is_null(0), is_null(1), is_null(4), getpgrp() == getpid(),
	    sigismember(&blocked, SIGTERM), getenv("POPPER_UNIT_SECRET"),
	    getenv("PATH"), getenv("TZ"));
	return fd_write_all(3, text, (size_t)len) == 0 ? 0 : 1;
}

/* --- The one that starts. --- */

static struct popper_error e;

/* What the second program says on descriptor 3. */
static const char *
spawned(struct spawn *s)
{
	static char text[4096];
	int pair[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	s->path = self;
	s->fd[0] = pair[1];
	pid = spawn_service(s, &e);
	assert_true(pid > 0);
	assert_int_equal(getpgid(pid), pid);
	fd_close(&pair[1]);
	while ((n = read(pair[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	fd_close(&pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text;
}

static void
gives_exactly_these_descriptors(void **state)
{
	struct spawn s = { .name = "popper-unit", .count = 4 };
	const char *text;
	int more[64];

	(void)state;
	/* Open, and not close-on-exec: none of it may arrive. */
	for (size_t i = 0; i < 64; i++)
		more[i] = dup(STDERR_FILENO);
	s.fd[1] = -1;
	s.fd[2] = s.fd[3] = STDERR_FILENO;
	text = spawned(&s);
	for (size_t i = 0; i < 64; i++)
		fd_close(&more[i]);
	/* 0 to 2 and the four. */
	assert_non_null(strstr(text, "name=popper-unit fds=7 null=111 "));
	assert_non_null(strstr(text, " leader=1 blocked=0 "));
}

/* The numbers they have here are those they must not get in each other's way
 * with there. */
static void
mixes_no_descriptors(void **state)
{
	struct spawn s = { .name = "x", .count = SPAWN_MAX };
	int file[SPAWN_MAX], filler[60], status;
	char path[] = "/tmp/popper-unit-XXXXXX", c;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < 60; i++)
		filler[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	/* High numbers, in falling order. */
	for (size_t i = 0; i < SPAWN_MAX; i++) {
		file[i] = mkostemp(path, O_CLOEXEC);
		assert_int_not_equal(file[i], -1);
		unlink(path);
		strcpy(path + strlen(path) - 6, "XXXXXX");
		s.fd[SPAWN_MAX - 1 - i] = file[i];
	}
	s.path = self;
	s.name = "stamp";
	pid = spawn_service(&s, &e);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < SPAWN_MAX; i++) {
		assert_int_equal(pread(file[i], &c, 1, 0), 1);
		assert_int_equal(c, ' ' + (char)(SPAWN_MAX - 1 - i));
		fd_close(&file[i]);
	}
	for (size_t i = 0; i < 60; i++)
		fd_close(&filler[i]);
}

/* Write its place into each descriptor. */
static int
stamp(void)
{
	char c = ' ';

	for (int fd = 3; fd < 3 + SPAWN_MAX; fd++, c++)
		if (fd_write_all(fd, &c, 1) == -1)
			return 1;
	return 0;
}

static void
cleans_roots_environment(void **state)
{
	struct spawn s = { .name = "x", .count = 1 };
	const char *text;

	(void)state;
	setenv("POPPER_UNIT_SECRET", "yes", 1);
	setenv("TZ", "UTC", 1);
	text = spawned(&s);
	assert_non_null(strstr(text, "zone=UTC"));
	if (geteuid() == 0) {
		assert_non_null(strstr(text, "secret=(null) "));
		assert_non_null(
		    strstr(text, "path=/usr/sbin:/usr/bin:/sbin:/bin "));
	} else
		assert_non_null(strstr(text, "secret=yes "));
}

static void
starts_with_open_signals(void **state)
{
	struct spawn s = { .name = "x", .count = 1 };
	sigset_t term;

	(void)state;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	assert_non_null(strstr(spawned(&s), " blocked=0 "));
	sigprocmask(SIG_UNBLOCK, &term, NULL);
}

static void
says_what_cannot_be_started(void **state)
{
	struct spawn s = { .name = "x", .path = "/nowhere/popper-login" };
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(spawn_service(&s, &e), -1);
	assert_string_equal(e.text,
	    "/nowhere/popper-login cannot be executed (program-folder): "
	    "No such file or directory");
	s.path = "/"; /* may be "executed" */
	pid = spawn_service(&s, &e);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 127);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_exactly_these_descriptors),
		cmocka_unit_test(mixes_no_descriptors),
		cmocka_unit_test(cleans_roots_environment),
		cmocka_unit_test(starts_with_open_signals),
		cmocka_unit_test(says_what_cannot_be_started),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0 || argc < 1)
		return 1;
	if (strcmp(argv[0], "stamp") == 0)
		return stamp();
	if (strchr(argv[0], '/') == NULL)
		return report(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
