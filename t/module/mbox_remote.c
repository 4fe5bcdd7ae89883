/*
 * mbox_remote.c - an mbox on a network file system: nothing is believed that
 * was not looked at under the lock, nor what our clock says of its times.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mbox_rig.h"

#define MAIL FROM_A "A: 1\n\n1\n\n" FROM_B "A: 2\n\n2\n\n"

static struct {
	bool network;
	time_t later; /* by the server's clock than the mbox was written */
} fake;

int __real_fstatfs(int, struct statfs *);
int __wrap_fstatfs(int, struct statfs *);
int __real_fstatat(int, const char *, struct stat *, int);
int __wrap_fstatat(int, const char *, struct stat *, int);

int
__wrap_fstatfs(int fd, struct statfs *fs)
{
	int r = __real_fstatfs(fd, fs);

	if (fake.network)
		fs->f_type = NFS_SUPER_MAGIC;
	return r;
}

int
__wrap_fstatat(int folder, const char *name, struct stat *st, int flags)
{
	const char *dot = strrchr(name, '.');
	int r = __real_fstatat(folder, name, st, flags);

	if (r == 0 && dot != NULL && strcmp(dot, ".lock") == 0)
		st->st_ctime += fake.later;
	return r;
}

static int
setup(void **state)
{
	int r = rig_setup(state);

	fake.network = true;
	fake.later = 10;
	return r;
}

static void
lock(const struct rig *r)
{
	int fd = open(r->lock, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(close(fd), 0);
}

static void
open_and_close(struct rig *r)
{
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
	rig_close(r);
	assert_int_equal(access(r->lock, F_OK), -1);
}

static void
the_index_is_kept_by_the_servers_clock(void **state)
{
	struct rig *r = *state;

	rig_put(r, MAIL);
	fake.later = 2;
	open_and_close(r);
	assert_false(rig_exists(r, "mbox.index"));
	fake.later = 10;
	open_and_close(r);
	assert_true(rig_exists(r, "mbox.index"));
	open_and_close(r);
	rig_deliver(r, FROM_A "A: 3\n\n3\n\n");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 3);
}

static void
a_login_takes_the_lock(void **state)
{
	struct rig *r = *state;

	rig_put(r, MAIL);
	open_and_close(r);
	lock(r);
	rig_refused(r, POPPER_TEMPORARY);
	assert_int_equal(unlink(r->lock), 0);
	open_and_close(r);
}

static void
a_message_is_checked_under_the_lock(void **state)
{
	struct popper_sink sink = { .put = NULL };
	struct rig *r = *state;
	struct popper_slice got;

	rig_put(r, MAIL);
	open_and_close(r);
	rig_open(r);
	got = rig_read(r, 1, 0);
	assert_string_equal(got.ptr, "A: 2\n\n2\n");
	free((void *)(uintptr_t)got.ptr);
	lock(r);
	assert_int_equal(r->drop->read(r->self, 1, 0, &sink, &r->error), -1);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
	assert_int_equal(unlink(r->lock), 0);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	rig_expect(r, FROM_B "A: 2\n\n2\n\n");
}

/* What statfs(2) does not tell, the option does. */
static void
the_option_says_it_too(void **state)
{
	struct rig *r = *state;

	fake.network = false;
	r->conf.nfs = true;
	rig_put(r, MAIL);
	open_and_close(r);
	lock(r);
	rig_refused(r, POPPER_TEMPORARY);
	assert_int_equal(unlink(r->lock), 0);
	/* Without the dot lock nobody tells the server's time. */
	r->conf.dotlock = false;
	rig_put(r, MAIL FROM_A "A: 3\n\n3\n\n");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_index_is_kept_by_the_servers_clock, setup,
		    rig_teardown),
		cmocka_unit_test_setup_teardown(
		    a_login_takes_the_lock, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    a_message_is_checked_under_the_lock, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
		    the_option_says_it_too, setup, rig_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
