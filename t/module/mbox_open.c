/*
 * mbox_open.c - what is opened, what is refused, and whose locks are heeded.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mbox_rig.h"

#define MAIL FROM_A "A: 1\n\n1\n\n" FROM_B "A: 2\n\n2\n\n"

static void
missing_and_empty_files_are_empty_maildrops(void **state)
{
	struct rig *r = *state;

	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
	assert_int_equal(rig_commit(r, ""), POPPER_DONE);
	rig_close(r);
	assert_int_equal(access(r->path, F_OK), -1);
	rig_put(r, "");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
	assert_int_equal(rig_commit(r, ""), POPPER_DONE);
}

static void
path_comes_from_the_option_without_a_maildrop(void **state)
{
	struct rig *r = *state;
	char path[128];

	rig_put(r, MAIL);
	(void)snprintf(path, sizeof(path), "%s/%%u", r->spool);
	r->conf.path = path;
	r->identity.maildrop[0] = '\0';
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 2);
	rig_close(r);
	(void)strcpy(r->identity.user, "other");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
	rig_close(r);
	(void)strcpy(r->identity.maildrop, "relative");
	rig_refused(r, POPPER_PERMANENT);
}

static void
folders_are_for_another_driver(void **state)
{
	struct rig *r = *state;

	assert_int_equal(mkdir(r->path, 0700), 0);
	rig_refused(r, POPPER_ABSENT);
	(void)snprintf(
	    r->identity.maildrop, sizeof(r->identity.maildrop), "%s/", r->path);
	rig_refused(r, POPPER_ABSENT);
	(void)snprintf(r->identity.maildrop, sizeof(r->identity.maildrop),
	    "%s/none/user", r->path);
	rig_refused(r, POPPER_ABSENT);
}

static void
only_plain_files_are_opened(void **state)
{
	struct rig *r = *state;
	char other[160];

	assert_int_equal(mkfifo(r->path, 0600), 0);
	rig_refused(r, POPPER_PERMANENT);
	assert_int_equal(unlink(r->path), 0);
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	rig_put(r, MAIL);
	assert_int_equal(link(r->path, other), 0);
	rig_refused(r, POPPER_PERMANENT);
	assert_int_equal(unlink(r->path), 0);
	assert_int_equal(symlink(other, r->path), 0);
	rig_refused(r, POPPER_PERMANENT);
}

static int
open_foreign(struct rig *r)
{
	(void)strcpy(r->identity.maildrop, "/etc/passwd");
	MUST(rig_try_open(r) == -1 && r->error.status == POPPER_PERMANENT);
	return 0;
}

static void
foreign_files_are_refused(void **state)
{
	assert_int_equal(rig_child(open_foreign, *state), 0);
}

static void
junk_at_the_start_is_refused_and_left_alone(void **state)
{
	static const char *const junk[] = { "x", "\n" MAIL, "A: b\n\n" MAIL,
		"From here\n\n", "\001\001\001\nA: b\n\n" };
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(junk) / sizeof(*junk); i++) {
		rig_put(r, junk[i]);
		rig_refused(r, POPPER_PERMANENT);
		rig_expect(r, junk[i]);
		assert_int_equal(access(r->lock, F_OK), -1);
	}
}

/* Somebody who holds a lock until we say so. */
struct holder {
	pid_t pid;
	int fd; /* closing it ends him */
};

static void
hold_lock(struct rig *r, short kind, struct holder *h)
{
	struct flock l = { .l_type = kind, .l_whence = SEEK_SET };
	int pair[2], fd;
	char c = 0;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	h->pid = fork();
	assert_int_not_equal(h->pid, -1);
	if (h->pid == 0) {
		(void)close(pair[0]);
		fd = open(r->path, O_RDWR);
		if (fd == -1 || fcntl(fd, F_SETLK, &l) == -1)
			_exit(1);
		(void)!write(pair[1], &c, 1);
		(void)!read(pair[1], &c, 1);
		_exit(0);
	}
	(void)close(pair[1]);
	h->fd = pair[0];
	assert_int_equal(read(h->fd, &c, 1), 1);
}

static void
release_lock(struct holder *h)
{
	(void)close(h->fd);
	assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
}

static void
fcntl_locks_are_heeded(void **state)
{
	struct rig *r = *state;
	struct holder h;

	rig_put(r, MAIL);
	hold_lock(r, F_WRLCK, &h);
	rig_refused(r, POPPER_TEMPORARY);
	assert_int_equal(access(r->lock, F_OK), -1);
	release_lock(&h);
	/* A reader disturbs no scan, but a commit. */
	hold_lock(r, F_RDLCK, &h);
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-"), POPPER_NOT_DONE);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
	release_lock(&h);
	rig_expect(r, MAIL);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	/* The session holds none. */
	hold_lock(r, F_WRLCK, &h);
	release_lock(&h);
}

static void
a_lock_is_waited_for(void **state)
{
	struct rig *r = *state;
	struct holder h;

	rig_put(r, MAIL);
	r->conf.lock_timeout = 60;
	hold_lock(r, F_WRLCK, &h);
	/* He goes as soon as he is told, most likely while we wait. */
	(void)shutdown(h.fd, SHUT_RDWR);
	rig_open(r);
	release_lock(&h);
	assert_int_equal(r->drop->count(r->self), 2);
}

static void
make_dot_lock(const struct rig *r, time_t age)
{
	struct timespec t[2] = { { .tv_sec = time(NULL) - age } };
	int fd = open(r->lock, O_WRONLY | O_CREAT | O_EXCL, 0600);

	t[1] = t[0];
	assert_int_not_equal(fd, -1);
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

static void
dot_locks_are_heeded_unless_stale(void **state)
{
	struct rig *r = *state;
	struct holder h;

	rig_put(r, MAIL);
	make_dot_lock(r, 200);
	rig_refused(r, POPPER_TEMPORARY);
	assert_int_equal(access(r->lock, F_OK), 0);
	/* Nothing is held on to. */
	hold_lock(r, F_WRLCK, &h);
	release_lock(&h);
	assert_int_equal(unlink(r->lock), 0);
	r->conf.lock_timeout = 60;
	make_dot_lock(r, 400);
	rig_open(r);
	assert_int_equal(access(r->lock, F_OK), -1);
	make_dot_lock(r, 0);
	r->conf.lock_timeout = 0;
	assert_int_equal(rig_commit(r, "D-"), POPPER_NOT_DONE);
	rig_expect(r, MAIL);
	r->conf.dotlock = false;
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	assert_int_equal(access(r->lock, F_OK), 0);
}

static int
open_in_closed_folder(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	MUST(strstr(rig_log(), "no dot lock") != NULL);
	MUST(r->drop->count(r->self) == 2);
	MUST(rig_commit(r, "D-") == POPPER_DONE);
	return 0;
}

static void
a_closed_folder_costs_only_the_dot_lock(void **state)
{
	struct rig *r = *state;

	rig_put(r, MAIL);
	assert_int_equal(chmod(r->spool, 0555), 0);
	assert_int_equal(rig_child(open_in_closed_folder, r), 0);
	assert_int_equal(chmod(r->spool, 0755), 0);
	rig_expect(r, FROM_B "A: 2\n\n2\n\n");
}

static int
use_read_only(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	MUST(r->drop->count(r->self) == 2);
	MUST(rig_commit(r, "--") == POPPER_DONE);
	MUST(rig_commit(r, "D-") == POPPER_NOT_DONE);
	MUST(r->error.status == POPPER_PERMANENT);
	return 0;
}

static void
read_only_mail_can_be_read(void **state)
{
	struct rig *r = *state;

	rig_put(r, MAIL);
	assert_int_equal(chmod(r->path, 0400), 0);
	assert_int_equal(rig_child(use_read_only, r), 0);
	rig_expect(r, MAIL);
}
static void
a_mailbox_cut_short_is_noticed(void **state)
{
	struct rig *r = *state;
	struct popper_sink sink = { .put = NULL };

	rig_put(r, MAIL);
	rig_open(r);
	assert_int_equal(truncate(r->path, sizeof(MAIL) - 5), 0);
	assert_int_equal(r->drop->read(r->self, 1, 0, &sink, &r->error), -1);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
	/* Something else where a message was. */
	rig_put(r, FROM_B "A: 3\n\n1\n\n" FROM_B "A: 2\n\n2\n\n\n\n");
	assert_int_equal(r->drop->read(r->self, 0, 0, &sink, &r->error), -1);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(missing_and_empty_files_are_empty_maildrops),
		RIGGED(path_comes_from_the_option_without_a_maildrop),
		RIGGED(folders_are_for_another_driver),
		RIGGED(only_plain_files_are_opened),
		RIGGED(foreign_files_are_refused),
		RIGGED(junk_at_the_start_is_refused_and_left_alone),
		RIGGED(fcntl_locks_are_heeded),
		RIGGED(a_lock_is_waited_for),
		RIGGED(dot_locks_are_heeded_unless_stale),
		RIGGED(a_closed_folder_costs_only_the_dot_lock),
		RIGGED(read_only_mail_can_be_read),
		RIGGED(a_mailbox_cut_short_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
