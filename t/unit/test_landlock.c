/* test_landlock.c - src/priv/landlock.c, each test in a child */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "child.h"
#include "priv/landlock.h"

/* folder/allowed/{file,below/} and folder/other/file */
static char folder[] = "/tmp/popper-unit-XXXXXX";
static int version;

static const char *
in(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static int
make(void **state)
{
	static const char *const folders[] = { "allowed", "allowed/below",
		"other" };
	static const char *const files[] = { "allowed/file", "other/file" };
	int fd;

	(void)state;
	version = landlock_version();
	if (mkdtemp(folder) == NULL)
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (mkdir(in(folders[i]), 0700) == -1)
			return -1;
	for (size_t i = 0; i < 2; i++) {
		fd = open(in(files[i]), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd == -1 || write(fd, "mail", 4) != 4 || close(fd) == -1)
			return -1;
	}
	return 0;
}

static int
clean(void **state)
{
	static const char *const left[] = { "allowed/file", "allowed/below",
		"allowed", "other/file", "other", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
		if (remove(in(left[i])) == -1)
			return -1;
	return 0;
}

/* Enter a rule set that allows ${rights} on ${name}, or nothing. */
static void
enclose(const char *name, unsigned rights)
{
	int rules = landlock_start(version), fd;

	must(rules != -1);
	if (name != NULL) {
		fd = open(in(name), O_PATH | O_CLOEXEC);
		must(fd != -1);
		must(landlock_allow(rules, version, fd, rights) == 0);
		close(fd);
	}
	must(landlock_enter(rules) == 0);
	close(rules);
}

static bool
opens(const char *name, int flags)
{
	int fd = open(in(name), flags | O_CLOEXEC, 0600);

	if (fd == -1) {
		must(errno == EACCES);
		return false;
	}
	close(fd);
	return true;
}

static void
nothing(void)
{
	enclose(NULL, 0);
	must(!opens("allowed/file", O_RDONLY));
	must(!opens("allowed/file", O_WRONLY));
	must(!opens("allowed", O_RDONLY | O_DIRECTORY));
	must(!opens("allowed/new", O_WRONLY | O_CREAT));
	must(open("/", O_RDONLY | O_DIRECTORY) == -1 && errno == EACCES);
	must(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
	must(unlink(in("allowed/file")) == -1 && errno == EACCES);
	must(mkdir(in("allowed/new"), 0700) == -1 && errno == EACCES);
}

static void
reading(void)
{
	enclose("allowed", POPPER_ALLOW_READ);
	must(opens("allowed/file", O_RDONLY));
	must(opens("allowed", O_RDONLY | O_DIRECTORY));
	must(!opens("allowed/file", O_WRONLY));
	must(!opens("allowed/file", O_RDWR));
	must(!opens("allowed/new", O_WRONLY | O_CREAT));
	must(unlink(in("allowed/file")) == -1 && errno == EACCES);
	must(!opens("other/file", O_RDONLY));
	must(!opens("other", O_RDONLY | O_DIRECTORY));
	must(!opens("allowed/../other/file", O_RDONLY));
}

static void
writing(void)
{
	enclose("allowed", POPPER_ALLOW_WRITE);
	must(opens("allowed/file", O_WRONLY));
	must(opens("allowed/file", O_WRONLY | O_TRUNC));
	must(truncate(in("allowed/file"), 4) == 0);
	must(!opens("allowed/file", O_RDONLY));
	must(!opens("allowed/new", O_WRONLY | O_CREAT));
	if (version >= 3)
		must(truncate(in("other/file"), 0) == -1 && errno == EACCES);
}

static void
making(void)
{
	enclose("allowed",
	    POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE);
	must(opens("allowed/new", O_WRONLY | O_CREAT | O_EXCL));
	must(rename(in("allowed/new"), in("allowed/newer")) == 0);
	must(link(in("allowed/newer"), in("allowed/lock")) == 0);
	must(unlink(in("allowed/lock")) == 0);
	must(mkdir(in("allowed/cur"), 0700) == 0);
	if (version >= 2)
		must(rename(in("allowed/newer"), in("allowed/cur/x")) == 0);
	else
		must(unlink(in("allowed/newer")) == 0);
	if (version >= 2)
		must(unlink(in("allowed/cur/x")) == 0);
	must(rmdir(in("allowed/cur")) == 0);
	must(!opens("other/new", O_WRONLY | O_CREAT));
}

/* Mail does not leave its folder, and nothing comes in from outside. */
static void
moving(void)
{
	enclose("allowed",
	    POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE);
	must(rename(in("allowed/file"), in("other/x")) == -1);
	must(errno == EACCES || errno == EXDEV);
	must(rename(in("other/file"), in("allowed/x")) == -1);
	must(errno == EACCES || errno == EXDEV);
	must(link(in("other/file"), in("allowed/x")) == -1);
	must(errno == EACCES || errno == EXDEV);
}

/* Folders, files and hard links only. */
static void
special(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	enclose("allowed",
	    POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE);
	must(symlink("/etc", in("allowed/s")) == -1 && errno == EACCES);
	must(mkfifo(in("allowed/f"), 0600) == -1 && errno == EACCES);
	strcpy(a.sun_path, in("allowed/u"));
	must(bind(sock, (struct sockaddr *)&a, sizeof(a)) == -1 &&
	    errno == EACCES);
	/* To root device nodes are refused for this reason, to others in any
	 * case. */
	must(mknod(in("allowed/c"), S_IFCHR | 0600, makedev(1, 3)) == -1);
	must(errno == EACCES || errno == EPERM);
}

/* A symbolic link leads nowhere that is not allowed. */
static void
links(void)
{
	must(symlink("../other/file", in("allowed/s")) == 0);
	if (child_status(reading) != 0)
		_exit(1);
	enclose("allowed", POPPER_ALLOW_READ | POPPER_ALLOW_MAKE);
	must(!opens("allowed/s", O_RDONLY));
	must(unlink(in("allowed/s")) == 0);
}

static void
one_file(void)
{
	enclose("allowed/file",
	    POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE);
	must(opens("allowed/file", O_RDWR));
	must(!opens("allowed", O_RDONLY | O_DIRECTORY));
	must(!opens("allowed/new", O_WRONLY | O_CREAT));
	must(unlink(in("allowed/file")) == -1 && errno == EACCES);
}

/* No second rule set can take back what the first has shut off. */
static void
widening(void)
{
	enclose("allowed", POPPER_ALLOW_READ);
	must(open(in("other"), O_PATH | O_CLOEXEC) != -1);
	enclose("other", POPPER_ALLOW_READ);
	must(!opens("other/file", O_RDONLY));
	must(!opens("allowed/file", O_RDONLY));
}

static void
open_files(void)
{
	int fd = open(in("allowed/file"), O_RDONLY | O_CLOEXEC);
	char c;

	enclose(NULL, 0);
	must(read(fd, &c, 1) == 1);
	must(landlock_allow(-1, version, fd, POPPER_ALLOW_READ) == -1);
}

#define CHILD(name)                                              \
	static void in_##name(void **state)                      \
	{                                                        \
		(void)state;                                     \
		if (version > 0)                                 \
			assert_true(child_is_content(name));     \
		else                                             \
			assert_int_equal(landlock_start(1), -1); \
	}

CHILD(nothing)
CHILD(reading)
CHILD(writing)
CHILD(making)
CHILD(moving)
CHILD(special)
CHILD(links)
CHILD(one_file)
CHILD(widening)
CHILD(open_files)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_nothing),
		cmocka_unit_test(in_reading),
		cmocka_unit_test(in_writing),
		cmocka_unit_test(in_making),
		cmocka_unit_test(in_moving),
		cmocka_unit_test(in_special),
		cmocka_unit_test(in_links),
		cmocka_unit_test(in_one_file),
		cmocka_unit_test(in_widening),
		cmocka_unit_test(in_open_files),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
