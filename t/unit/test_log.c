/* test_log.c - src/base/log.c */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static int pair[2];
static char line[LOG_LINE_MAX + 2];

static int
open_pair(void **state)
{
	(void)state;
	if (fd_pair(pair) == -1)
		return -1;
	log_start(pair[0], true);
	return 0;
}

static int
close_pair(void **state)
{
	(void)state;
	log_start(-1, false);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return 0;
}

/* One datagram as a string, or -1 if none waits. */
static int
next(void)
{
	ssize_t n = recv(pair[1], line, sizeof(line) - 1, MSG_DONTWAIT);

	line[n < 0 ? 0 : n] = '\0';
	return (int)n;
}

static void
sends_level_and_text(void **state)
{
	(void)state;
	log_debug("d%d", 1);
	assert_int_equal(next(), 3);
	assert_int_equal(line[0], POPPER_LOG_DEBUG);
	assert_string_equal(line + 1, "d1");
	log_info("i");
	assert_true(next() > 0 && line[0] == POPPER_LOG_INFO);
	log_notice("n");
	assert_true(next() > 0 && line[0] == POPPER_LOG_NOTICE);
	log_warning("w");
	assert_true(next() > 0 && line[0] == POPPER_LOG_WARNING);
	log_error("e");
	assert_true(next() > 0 && line[0] == POPPER_LOG_ERROR);
	log_write(POPPER_LOG_INFO, "%s", "by value");
	assert_true(next() > 0);
	assert_string_equal(line + 1, "by value");
}

static void
hides_debug_lines(void **state)
{
	(void)state;
	log_start(pair[0], false);
	log_debug("not seen");
	assert_int_equal(next(), -1);
}

static void
escapes_what_clients_send(void **state)
{
	(void)state;
	log_info("user %s", "x\nroot logged in\x1b[0m");
	assert_true(next() > 0);
	assert_string_equal(line + 1, "user x\\x0aroot logged in\\x1b[0m");
}

static void
cuts_long_lines(void **state)
{
	char text[3 * LOG_LINE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_int_equal(next(), 1 + LOG_LINE_MAX);
	memset(text, '\n', sizeof(text) - 1);
	log_info("%s", text);
	assert_int_equal(next(), 1 + LOG_LINE_MAX);
}

static void
keeps_errno(void **state)
{
	(void)state;
	fd_close(&pair[1]);
	errno = ENOTDIR;
	log_error("into the void");
	assert_int_equal(errno, ENOTDIR);
}

static void
counts_what_is_lost(void **state)
{
	unsigned long sent = 0, lost = 0;

	(void)state;
	for (; sent < 100000 && lost == 0; sent++) {
		log_info("line %lu", sent);
		/* Full: the queue takes nothing more. */
		lost = send(pair[0], "", 1, MSG_DONTWAIT) == -1;
	}
	assert_int_equal(lost, 1);
	log_info("lost for sure");
	log_info("and this one");
	while (next() > 0)
		;
	log_info("after");
	assert_true(next() > 0);
	assert_int_equal(line[0], POPPER_LOG_WARNING);
	assert_int_equal(
	    sscanf(line + 1, "%lu lines of the log were lost", &lost), 1);
	assert_true(lost == 2 || lost == 3);
	assert_true(next() > 0);
	assert_string_equal(line + 1, "after");
	log_info("again");
	assert_true(next() > 0);
	assert_string_equal(line + 1, "again");
}

static enum popper_level given_level;
static pid_t given_pid;
static char given_text[LOG_LINE_MAX + 1];

static void
writer(enum popper_level level, pid_t pid, const char *text)
{
	given_level = level;
	given_pid = pid;
	memcpy(given_text, text, strlen(text) + 1);
}

static void
hands_lines_to_the_writer(void **state)
{
	(void)state;
	log_to(writer);
	log_warning("a\tb");
	assert_int_equal(next(), -1);
	assert_int_equal(given_level, POPPER_LOG_WARNING);
	assert_int_equal(given_pid, getpid());
	assert_string_equal(given_text, "a\\x09b");
}

static void
judges_failures(void **state)
{
	struct popper_error e = { .status = POPPER_DENIED, .text = "who?" };

	(void)state;
	log_failure("login", &e);
	assert_true(next() > 0);
	assert_int_equal(line[0], POPPER_LOG_NOTICE);
	assert_string_equal(line + 1, "login: who?");
	e.status = POPPER_TEMPORARY;
	log_failure("login", &e);
	assert_true(next() > 0 && line[0] == POPPER_LOG_ERROR);
	e.status = POPPER_PERMANENT;
	log_failure("login", &e);
	assert_true(next() > 0 && line[0] == POPPER_LOG_ERROR);
}

/* How a process that calls ${end} ends. */
static int
status_of(void (*end)(void))
{
	const struct rlimit none = { 0, 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL); /* cmocka has its own */
		end();
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
be_fatal(void)
{
	log_fatal("no %s", "file");
}

static void
panic(void)
{
	log_panic("message %d of %d", 3, 2);
}

static void
fatal_ends_with_1(void **state)
{
	int status = status_of(be_fatal);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(next() > 0 && line[0] == POPPER_LOG_ERROR);
	assert_string_equal(line + 1, "no file");
}

static void
panic_aborts(void **state)
{
	int status = status_of(panic);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_true(next() > 0);
	assert_string_equal(line + 1, "message 3 of 2");
}

static void
writes_to_stderr(void **state)
{
	char buf[128];
	int pipes[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	log_start(-1, false);
	log_error("a%cb", '\n');
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	n = read(pipes[0], buf, sizeof(buf) - 1);
	close(pipes[0]);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_non_null(strstr(buf, "test_log: error: a\\x0ab\n"));
}

#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(sends_level_and_text),
		WITH_PAIR(hides_debug_lines),
		WITH_PAIR(escapes_what_clients_send),
		WITH_PAIR(cuts_long_lines),
		WITH_PAIR(keeps_errno),
		WITH_PAIR(counts_what_is_lost),
		WITH_PAIR(hands_lines_to_the_writer),
		WITH_PAIR(judges_failures),
		WITH_PAIR(fatal_ends_with_1),
		WITH_PAIR(panic_aborts),
		cmocka_unit_test(writes_to_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
