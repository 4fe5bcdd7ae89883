/*
 * mbox_stale.c - which dot locks are taken for those of the dead, and how they
 * are removed.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mbox_rig.h"

#define MAIL FROM_A "A: 1\n\n1\n\n"

static struct {
	struct rig *swap; /* of its lock, at the next rename */
	bool network; /* the folder is another host's */
	time_t ahead; /* whose clock is so far ahead */
} fake;

int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __real_fstatfs(int, struct statfs *);
int __wrap_fstatfs(int, struct statfs *);
int __real_mknodat(int, const char *, mode_t, dev_t);
int __wrap_mknodat(int, const char *, mode_t, dev_t);

static void
make_lock(const struct rig *r, const char *text, time_t age)
{
	struct timespec t[2] = { { .tv_sec = time(NULL) - age } };
	int fd = open(r->lock, O_WRONLY | O_CREAT | O_EXCL, 0600);

	t[1] = t[0];
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, t), 0);
	assert_int_equal(close(fd), 0);
}

/* Another program removes the stale lock, too, and makes its own. */
int
__wrap_renameat(int from, const char *old, int to, const char *name)
{
	struct rig *r = fake.swap;

	fake.swap = NULL;
	if (r != NULL) {
		assert_int_equal(unlink(r->lock), 0);
		make_lock(r, "another's", 0);
	}
	return __real_renameat(from, old, to, name);
}

int
__wrap_fstatfs(int fd, struct statfs *fs)
{
	int r = __real_fstatfs(fd, fs);

	if (fake.network)
		fs->f_type = NFS_SUPER_MAGIC;
	return r;
}

int
__wrap_mknodat(int folder, const char *name, mode_t mode, dev_t device)
{
	struct timespec t[2] = { { .tv_sec = time(NULL) + fake.ahead } };
	int r = __real_mknodat(folder, name, mode, device);

	t[1] = t[0];
	if (r == 0 && fake.ahead != 0)
		assert_int_equal(utimensat(folder, name, t, 0), 0);
	return r;
}

static int
setup(void **state)
{
	memset(&fake, 0, sizeof(fake));
	return rig_setup(state);
}

/* Is a lock with that in it, so old, heeded?  It is gone afterwards. */
static bool
heeded(struct rig *r, const char *text, time_t age)
{
	bool there;

	make_lock(r, text, age);
	rig_put(r, MAIL);
	r->conf.lock_timeout = 1;
	if (rig_try_open(r) == 0)
		rig_close(r);
	there = access(r->lock, F_OK) == 0;
	assert_int_equal(there, r->error.status == POPPER_TEMPORARY);
	if (there)
		assert_int_equal(unlink(r->lock), 0);
	r->error.status = POPPER_OK;
	return there;
}

static pid_t
dead_pid(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static void
a_lock_of_nobody_goes_by_its_age(void **state)
{
	static const char *const texts[] = { "", "0", "0\n", "host.1234",
		"-1\n", "12345678901234567890", "1\n" };
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_true(heeded(r, texts[i], 290));
		assert_false(heeded(r, texts[i], 310));
	}
}

static void
a_dead_owner_is_known_sooner(void **state)
{
	struct rig *r = *state;
	char text[64];

	snprintf(text, sizeof(text), "%d\n", (int)dead_pid());
	assert_true(heeded(r, text, 30));
	assert_false(heeded(r, text, 70));
	snprintf(text, sizeof(text), "%d:host", (int)dead_pid());
	assert_false(heeded(r, text, 70));
}

static void
a_living_owner_has_more_time(void **state)
{
	struct rig *r = *state;
	char text[64];

	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	assert_true(heeded(r, text, 3500));
	assert_false(heeded(r, text, 3700));
}

static void
a_fresh_lock_is_given_back(void **state)
{
	struct rig *r = *state;
	struct popper_slice got;

	rig_put(r, MAIL);
	make_lock(r, "", 400);
	fake.swap = r;
	r->conf.lock_timeout = 0;
	rig_refused(r, POPPER_TEMPORARY);
	assert_null(fake.swap);
	got = rig_get(r->lock);
	assert_string_equal(got.ptr, "another's");
	free((void *)(uintptr_t)got.ptr);
}

static void
on_a_network_the_servers_clock_counts(void **state)
{
	struct rig *r = *state;
	char text[64];

	fake.network = true;
	snprintf(text, sizeof(text), "%d\n", (int)dead_pid());
	assert_true(heeded(r, text, 290)); /* it may be another host's */
	assert_false(heeded(r, text, 310));
	fake.ahead = 200;
	assert_true(heeded(r, "", 90));
	assert_false(heeded(r, "", 110));
	fake.ahead = -200;
	assert_true(heeded(r, "", 490));
	assert_false(heeded(r, "", 510));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_lock_of_nobody_goes_by_its_age, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    a_dead_owner_is_known_sooner, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    a_living_owner_has_more_time, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    a_fresh_lock_is_given_back, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    on_a_network_the_servers_clock_counts, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
