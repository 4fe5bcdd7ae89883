/*
 * mbox_remains.c - ".user.pop" is found where another server's crash left it,
 * and only if it is the user's; a crash of our own loses nothing either.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_left.h"
#include "mod/host.h"

static void
what_is_not_the_users_is_left_alone(void **state)
{
	struct rig *r = *state;
	char other[200];

	put_left(r, "no mailbox at all\n", 18);
	expect_left_alone(r, A);
	put_left(r, B, strlen(B));
	assert_int_equal(chmod(left_path, 0666), 0);
	expect_left_alone(r, A);
	assert_int_equal(chmod(left_path, 0600), 0);
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	assert_int_equal(link(left_path, other), 0);
	expect_left_alone(r, A);
	assert_int_equal(unlink(left_path), 0);
	assert_int_equal(symlink(other, left_path), 0);
	expect_left_alone(r, A);
	assert_int_equal(unlink(left_path), 0);
	assert_int_equal(mkfifo(left_path, 0600), 0);
	rig_put(r, A);
	rig_open(r);
	rig_expect(r, A);
	rig_close(r);
	assert_int_equal(unlink(left_path), 0);
	assert_int_equal(mkdir(left_path, 0700), 0);
	expect_left_alone(r, A);
	assert_int_equal(rmdir(left_path), 0);
	/* An empty one is as Qpopper leaves it with keep-temp-drop. */
	put_left(r, "", 0);
	rig_open(r);
	rig_expect(r, A);
	assert_int_equal(access(left_path, F_OK), 0);
	rig_close(r);
	/* Or if the administrator does not want it. */
	put_left(r, B, strlen(B));
	r->conf.merge_temp_drop = false;
	rig_open(r);
	rig_expect(r, A);
	assert_int_equal(access(left_path, F_OK), 0);
	rig_close(r);
	if (getuid() != 0)
		return;
	r->conf.merge_temp_drop = true;
	assert_int_equal(chown(left_path, 65534, 65534), 0);
	expect_left_alone(r, A);
}

static void
a_session_of_the_old_server_is_heeded(void **state)
{
	struct rig *r = *state;
	int fd;

	rig_put(r, "");
	put_left(r, A, strlen(A));
	fd = open(left_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	rig_refused(r, POPPER_IN_USE);
	(void)close(fd);
	rig_open(r);
	rig_expect(r, A);
	rig_close(r);
	/* In server mode its copy is empty, and locked. */
	put_left(r, "", 0);
	fd = open(left_path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	rig_refused(r, POPPER_IN_USE);
	(void)close(fd);
	rig_open(r);
	rig_expect(r, A);
}

static int
allow_all(struct popper_allow *a, const char *path, unsigned rights)
{
	(void)a;
	(void)path;
	(void)rights;
	return 0;
}

/* The mbox was removed: paths, which runs before the session is shut off, makes
 * it, but only then. */
static void
a_missing_mbox_is_made(void **state)
{
	struct popper_allow allow = { allow_all };
	struct rig *r = *state;

	assert_int_equal(r->drop->paths(&host_services, &r->conf, &r->place,
			     &allow, &r->error),
	    0);
	assert_int_equal(access(r->path, F_OK), -1);
	put_left(r, A, strlen(A));
	rig_refused(r, POPPER_TEMPORARY);
	assert_int_equal(r->drop->paths(&host_services, &r->conf, &r->place,
			     &allow, &r->error),
	    0);
	rig_open(r);
	rig_expect(r, A);
}

/* temp-dir, temp-name, and the place without hash. */
static void
it_is_found_where_qpopper_had_it(void **state)
{
	struct rig *r = *state;
	char path[200], temp[128];
	int fd;

	(void)snprintf(temp, sizeof(temp), "%s/temp", r->top);
	assert_int_equal(mkdir(temp, 0755), 0);
	rig_put(r, N);
	(void)snprintf(path, sizeof(path), "%s/left-user", temp);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, A, strlen(A)), strlen(A));
	(void)close(fd);
	r->conf.temp_dir = temp;
	r->conf.temp_name = "left-%s"; /* as Qpopper has it */
	rig_open(r);
	rig_expect(r, A N);
	rig_close(r);
	assert_int_equal(access(path, F_OK), -1);
	r->conf.temp_name = "../%u";
	rig_refused(r, POPPER_PERMANENT);
	r->conf.temp_name = ".%u.pop";
	/* With hash folders: there, and in the plain folder. */
	r->conf.temp_dir = "";
	r->conf.spool_dir = r->spool;
	r->conf.hash_spool = 1;
	r->identity.maildrop[0] = '\0';
	(void)snprintf(path, sizeof(path), "%s/f", r->spool); /* "user" */
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(r->path, sizeof(r->path), "%s/f/user", r->spool);
	rig_put(r, N);
	put_left(r, A, strlen(A));
	r->conf.check_old_spool_loc = false;
	rig_open(r);
	rig_expect(r, N);
	rig_close(r);
	r->conf.check_old_spool_loc = true;
	rig_open(r);
	rig_expect(r, A N);
	rig_close(r);
	(void)snprintf(path, sizeof(path), "%s/f/.user.pop", r->spool);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, B, strlen(B)), strlen(B));
	(void)close(fd);
	rig_open(r);
	rig_expect(r, B A N);
}

static int
log_in(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	rig_close(r);
	return 0;
}

/* Whatever died when, the next login has all of it, once. */
static void
a_crash_at_any_change_is_made_good(void **state)
{
	struct rig *r = *state;
	bool died = true;
	struct stat st;
	int at, round;

	for (at = 0; died; at++)
		for (round = 0; round < 4; round++) {
			put_left(r, A B, strlen(A B));
			rig_put(r, N A2);
			died = dying_run(r, log_in, at, round % 2 == 1);
			if (round >= 2)
				rig_deliver(r, C);
			rig_open(r);
			/* Mail that came meanwhile lies behind. */
			if (round < 2)
				rig_expect(r, A2 B N);
			else
				assert_int_equal(r->drop->count(r->self), 4);
			rig_close(r);
			assert_false(rig_exists(r, "rewrite.mbox"));
			assert_true(
			    stat(left_path, &st) == -1 || st.st_size == 0);
		}
	assert_in_range(at, 10, 40);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(what_is_not_the_users_is_left_alone),
		RIGGED(a_session_of_the_old_server_is_heeded),
		RIGGED(a_missing_mbox_is_made),
		RIGGED(it_is_found_where_qpopper_had_it),
		RIGGED(a_crash_at_any_change_is_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
