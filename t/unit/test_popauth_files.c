/*
 * test_popauth_files.c - popauth's changes of text files are killed, or fail,
 * at each of their steps: src/tools/popauth/{app,users,lines,replace}.c.
 *
 * Runs in: tests.  Linked so that every call that changes a file passes here.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "tools/popauth/ask.h"

#define KILLED 42
#define ENDLESS 1000

/* --- What the sub-commands need of the rest of popauth. --- */

void
popauth_say(const struct popauth *p, const char *format, ...)
{
	(void)p;
	(void)format;
}

int
popauth_fail(const struct popauth *p, const struct popper_error *e)
{
	(void)p;
	(void)e;
	return POPAUTH_FAILED;
}

void
popauth_log(const struct popauth *p, const char *format, ...)
{
	(void)p;
	(void)format;
}

int
popauth_check_name(const char *name, struct popper_error *e)
{
	(void)name;
	(void)e;
	return 0;
}

int
ask_new_secret(const struct popauth *p, const char *user, char *out,
    size_t size, struct popper_error *e)
{
	(void)p;
	(void)user;
	(void)e;
	(void)snprintf(out, size, "wet paper boat");
	return 0;
}

/* --- Steps. --- */

static unsigned calls, at; /* step ${at} is the one, 0: none */
static bool kills; /* it ends the process, else it fails */

static bool
is_step(void)
{
	return ++calls == at;
}

/* Returns true if the step is to fail. */
static bool
step(void)
{
	if (!is_step())
		return false;
	if (kills)
		_exit(KILLED);
	errno = EIO;
	return true;
}

ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
int __real_fsync(int);
int __wrap_fsync(int);
int __real_fchown(int, uid_t, gid_t);
int __wrap_fchown(int, uid_t, gid_t);
int __real_fchmod(int, mode_t);
int __wrap_fchmod(int, mode_t);
int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);

/* Half of it is there when the process is killed or the disk is full. */
ssize_t
__wrap_write(int fd, const void *octets, size_t len)
{
	if (fd <= STDERR_FILENO)
		return __real_write(fd, octets, len);
	if (calls + 1 == at && len > 1)
		(void)!__real_write(fd, octets, len / 2);
	return step() ? -1 : __real_write(fd, octets, len);
}

int
__wrap_fsync(int fd)
{
	return step() ? -1 : __real_fsync(fd);
}

int
__wrap_fchown(int fd, uid_t uid, gid_t gid)
{
	return step() ? -1 : __real_fchown(fd, uid, gid);
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	return step() ? -1 : __real_fchmod(fd, mode);
}

int
__wrap_renameat(int a, const char *from, int b, const char *to)
{
	return step() ? -1 : __real_renameat(a, from, b, to);
}

int
__wrap_unlinkat(int a, const char *name, int how)
{
	return step() ? -1 : __real_unlinkat(a, name, how);
}

/* --- A change, and what may be there after it. --- */

#define HASH                                       \
	"$sha256$0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef"
#define ANN "ann:Phone:" HASH ":1\n"
#define BOB "bob:Phone:" HASH ":2\n"
#define ZOE "zoe:*:1:2:/m\n"

static const struct change {
	const struct subcommand *table;
	const char *name;
	const char *args[6];
	const char *before;
	/* After it: ${head}, a part with ${some} or nothing, ${tail}. */
	const char *head, *some, *tail;
} changes[] = {
	{ app_subcommands, "app", { "delete", "ann", "--all" }, "# c\n" ANN BOB,
	    "# c\n", NULL, BOB },
	{ app_subcommands, "app", { "add", "ann", "Tablet" }, "# c\n" ANN BOB,
	    "# c\n" ANN BOB, "ann:Tablet:$sha256$", "\n" },
	{ users_subcommands, "passwd", { "zoe" }, "# c\n" ZOE "bad\n",
	    "# c\nzoe:", "$y$", ":1:2:/m\nbad\n" },
	{ users_subcommands, "scram", { "--iterations", "4096", "zoe" },
	    "# c\n" ZOE "bad\n", "# c\nzoe:", "$scram-sha-256$4096$",
	    ":1:2:/m\nbad\n" },
};

static char folder[64], file[80], fresh[96];

/* What popauth would do. */
static int
run(const struct change *c)
{
	struct popauth p = { .program = "popauth", .file = file };
	const struct subcommand *s = c->table;
	char *args[8] = { NULL };
	char used[] = "--last-use", nowhere[] = "/nowhere";
	int count = 0, result;

	for (; c->args[count] != NULL; count++)
		args[count] = strdup(c->args[count]);
	if (c->table == app_subcommands) {
		args[count] = used;
		args[count + 1] = nowhere;
	}
	while (strcmp(s->name, c->name) != 0)
		s++;
	result =
	    s->run(&p, args, c->table == app_subcommands ? count + 2 : count);
	while (count-- > 0)
		free(args[count]);
	return result;
}

static const char *
read_file(void)
{
	static char text[4096];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	fd_close(&fd);
	return text;
}

static void
write_file(const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

static bool
is_changed(const struct change *c)
{
	const char *text = read_file();
	const char *middle = text + strlen(c->head);
	size_t tail = strlen(c->tail), len = strlen(text);

	if (strncmp(text, c->head, strlen(c->head)) != 0)
		return false;
	if (c->some == NULL)
		return strcmp(middle, c->tail) == 0;
	return strncmp(middle, c->some, strlen(c->some)) == 0 &&
	    len >= strlen(c->head) + strlen(c->some) + tail &&
	    strcmp(text + len - tail, c->tail) == 0;
}

static bool
is_as_it_was(const struct change *c)
{
	return strcmp(read_file(), c->before) == 0;
}

/* In a child, so that a kill is one.  Returns its exit status; ${steps} is
 * whether step ${n} came at all. */
static int
run_to(const struct change *c, unsigned n, bool *reached)
{
	int status;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		calls = 0;
		at = n;
		/* What is shown is not for whoever reads the test. */
		(void)!freopen("/dev/null", "w", stdout);
		status = run(c);
		_exit(calls >= n ? status + 10 : status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	status = WEXITSTATUS(status);
	*reached = status >= 10;
	return status >= 10 && status != KILLED ? status - 10 : status;
}

static void
try_each_step(const struct change *c)
{
	bool reached = true;
	unsigned n, kept = 0, changed = 0;
	int status;

	for (n = 1; n < ENDLESS; n++) {
		write_file(c->before);
		status = run_to(c, n, &reached);
		if (!reached)
			break;
		if (kills)
			assert_int_equal(status, KILLED);
		/* The old file or the new one, never anything else. */
		assert_true(is_as_it_was(c) || is_changed(c));
		assert_true(status != POPAUTH_DONE || is_changed(c));
		kept += is_as_it_was(c);
		changed += is_changed(c);
		/* What is left behind is in nobody's way. */
		write_file(c->before);
		assert_int_equal(run_to(c, ENDLESS, &reached), POPAUTH_DONE);
		assert_true(is_changed(c));
		assert_int_equal(access(fresh, F_OK), -1);
	}
	assert_false(reached);
	assert_int_equal(status, POPAUTH_DONE);
	/* Steps before the change and one behind it, the folder's fsync. */
	assert_true(kept >= 5);
	assert_true(changed >= 1);
}

static void
killed_at_each_step(void **state)
{
	(void)state;
	kills = true;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		try_each_step(&changes[i]);
}

static void
failed_at_each_step(void **state)
{
	(void)state;
	kills = false;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		try_each_step(&changes[i]);
}

/* Whoever owns the folder may have made it, and root gives the lock to him. */
static void
no_other_file_is_the_lock(void **state)
{
	const struct change *c = &changes[0];
	char lock[96], other[96];
	bool reached;
	int fd;

	(void)state;
	(void)snprintf(lock, sizeof(lock), "%s.lock", file);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	write_file(c->before);
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	fd_close(&fd);
	assert_int_equal(link(other, lock), 0);
	assert_int_equal(run_to(c, ENDLESS, &reached), POPAUTH_FAILED);
	assert_true(is_as_it_was(c));
	assert_int_equal(unlink(other), 0);
	assert_int_equal(run_to(c, ENDLESS, &reached), POPAUTH_DONE);
	assert_true(is_changed(c));
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)umask(077);
	(void)snprintf(folder, sizeof(folder), "%s/popper-unit-XXXXXX",
	    tmp != NULL && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(file, sizeof(file), "%s/file", folder);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", file);
	return 0;
}

static int
teardown(void **state)
{
	char lock[96];

	(void)state;
	(void)snprintf(lock, sizeof(lock), "%s.lock", file);
	(void)unlink(fresh);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    killed_at_each_step, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    failed_at_each_step, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    no_other_file_is_the_lock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
