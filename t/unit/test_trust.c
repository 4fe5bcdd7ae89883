/* test_trust.c - src/mod/trust.c */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mod/trust.h"

/* folder/safe/module.so and folder/safe/link.so -> module.so */
static char folder[] = "/tmp/popper-unit-XXXXXX";
static struct popper_error e;
static char out[PATH_MAX];

static const char *
in(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int
make(void **state)
{
	int fd;

	(void)state;
	if (mkdtemp(folder) == NULL || mkdir(in("safe"), 0755) == -1 ||
	    (fd = open(in("safe/module.so"), O_WRONLY | O_CREAT | O_CLOEXEC,
		 0644)) == -1)
		return -1;
	close(fd);
	return symlink("module.so", in("safe/link.so"));
}

static int
clean(void **state)
{
	(void)state;
	if (remove(in("safe/link.so")) == -1 ||
	    remove(in("safe/module.so")) == -1 || remove(in("safe")) == -1)
		return -1;
	return rmdir(folder);
}

static int
trusted(const char *name)
{
	memset(&e, 0, sizeof(e));
	return trust_path(in(name), out, sizeof(out), &e);
}

static void
distrusted(const char *name, const char *object, const char *remedy)
{
	assert_int_equal(trusted(name), -1);
	assert_int_equal(e.status, POPPER_PERMANENT);
	assert_int_equal(strncmp(e.text, in(object), strlen(in(object))), 0);
	assert_non_null(strstr(e.text, remedy));
}

static void
trusts_its_own(void **state)
{
	(void)state;
	if (trusted("safe/module.so") == -1)
		fail_msg("%s", e.text);
	assert_string_equal(out, in("safe/module.so"));
}

static void
resolves_links(void **state)
{
	(void)state;
	assert_int_equal(trusted("safe/../safe/./link.so"), 0);
	assert_string_equal(out, in("safe/module.so"));
}

static void
distrusts_what_others_can_write(void **state)
{
	(void)state;
	assert_int_equal(chmod(in("safe/module.so"), 0664), 0);
	distrusted("safe/module.so", "safe/module.so", "(mode 0664): chmod");
	distrusted("safe/link.so", "safe/module.so", "chmod go-w it");
	assert_int_equal(chmod(in("safe/module.so"), 0646), 0);
	distrusted("safe/module.so", "safe/module.so", "chmod go-w it");
	/* A sticky bit means nothing on a file. */
	assert_int_equal(chmod(in("safe/module.so"), 01666), 0);
	distrusted("safe/module.so", "safe/module.so", "chmod go-w it");
	assert_int_equal(chmod(in("safe/module.so"), 0644), 0);
	assert_int_equal(chmod(in("safe"), 0777), 0);
	distrusted("safe/module.so", "safe", "chmod go-w it");
	assert_int_equal(chmod(in("safe"), 0775), 0);
	distrusted("safe/module.so", "safe", "chmod go-w it");
	assert_int_equal(chmod(in("safe"), 01777), 0);
	assert_int_equal(trusted("safe/module.so"), 0);
	assert_int_equal(chmod(in("safe"), 0755), 0);
	assert_int_equal(trusted("safe/module.so"), 0);
}

/* Only root can make such files, so only root can see them refused. */
static void
distrusts_others(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(chown(in("safe/module.so"), 0, 0), -1);
		return;
	}
	assert_int_equal(chown(in("safe/module.so"), 65534, 0), 0);
	distrusted("safe/module.so", "safe/module.so",
	    "belongs to uid 65534: chown it to root");
	assert_int_equal(chown(in("safe/module.so"), 0, 0), 0);
	assert_int_equal(chown(in("safe"), 65534, 0), 0);
	distrusted("safe/module.so", "safe", "chown it to root");
	assert_int_equal(chown(in("safe"), 0, 0), 0);
}

static void
wants_a_file(void **state)
{
	(void)state;
	distrusted("safe", "safe", "is not a regular file");
	assert_int_equal(mkfifo(in("safe/fifo"), 0600), 0);
	distrusted("safe/fifo", "safe/fifo", "is not a regular file");
	assert_int_equal(unlink(in("safe/fifo")), 0);
	assert_int_equal(trusted("safe/none.so"), -1);
	assert_int_equal(e.status, POPPER_ABSENT);
	assert_int_equal(trusted("safe/module.so/x"), -1);
	assert_int_equal(e.status, POPPER_PERMANENT);
	/* No room for the answer. */
	assert_int_equal(trust_path(in("safe/module.so"), out, 10, &e), -1);
	assert_int_equal(e.status, POPPER_PERMANENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusts_its_own),
		cmocka_unit_test(resolves_links),
		cmocka_unit_test(distrusts_what_others_can_write),
		cmocka_unit_test(distrusts_others),
		cmocka_unit_test(wants_a_file),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
