/*
 * mbox_fence.c - the session is shut off from all that paths does not name, and
 * needs nothing else.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mod/host.h"

#define MAIL FROM_A "A: 1\n\n1\n\n" FROM_B "A: 2\n\n2\n\n"

struct fence {
	struct popper_allow allow;
	int ruleset;
	int named;
};

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE)
#define ACCESS_WRITE (LANDLOCK_ACCESS_FS_WRITE_FILE)
#define ACCESS_MAKE \
	(LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE)

static int
fence_allow(struct popper_allow *allow, const char *path, unsigned rights)
{
	struct fence *f = (struct fence *)(void *)allow;
	struct landlock_path_beneath_attr rule = { .allowed_access = 0 };
	long failed;

	f->named++;
	if (rights & POPPER_ALLOW_READ)
		rule.allowed_access |= ACCESS_READ;
	if (rights & POPPER_ALLOW_WRITE)
		rule.allowed_access |= ACCESS_WRITE;
	if (rights & POPPER_ALLOW_MAKE)
		rule.allowed_access |= ACCESS_MAKE;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1 && errno == ENOENT)
		return 0; /* nobody has a dot lock, see popper/drop.h */
	failed = syscall(SYS_landlock_add_rule, f->ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	(void)close(rule.parent_fd);
	return failed == -1 ? -1 : 0;
}

/* Shut this process off from all that paths does not name.  1; 0: a kernel
 * without Landlock; -1. */
static int
fence_off(struct rig *r, struct fence *f)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = ACCESS_READ |
		    ACCESS_WRITE | ACCESS_MAKE };
	char path[160];

	f->ruleset =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (f->ruleset == -1)
		return 0;
	if (r->drop->paths(&host_services, &r->conf, &r->place, &f->allow,
		&r->error) == -1)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/state", r->top);
	if (fence_allow(&f->allow, path,
		POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE) ==
		-1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_landlock_restrict_self, f->ruleset, 0) == -1)
		return -1;
	return 1;
}

static int
work_fenced_in(struct rig *r)
{
	struct fence f = { .allow.allow = fence_allow };
	struct popper_slice message;
	char path[160];
	int fenced = fence_off(r, &f);

	MUST(fenced != -1);
	if (fenced == 0)
		return 0;
	MUST(f.named == 3 + 1); /* and the state folder */
	/* The fence stands: no other file of the folder can be written. */
	(void)snprintf(path, sizeof(path), "%s/other", r->spool);
	MUST(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) == -1);
	MUST(rig_try_open(r) == 0);
	message = rig_read(r, 1, 0);
	MUST(strcmp(message.ptr, "A: 2\n\n2\n") == 0);
	free((void *)(uintptr_t)message.ptr);
	MUST(rig_commit(r, "D-") == POPPER_DONE);
	MUST(*rig_log() == '\0'); /* "no dot lock" would be there */
	return 0;
}

static void
run_fenced(struct rig *r, int (*work)(struct rig *))
{
	rig_put(r, MAIL);
	if (getuid() == 0)
		assert_int_equal(chown(r->spool, 65534, 65534), 0);
	assert_int_equal(rig_child(work, r), 0);
}

static void
the_paths_named_are_enough(void **state)
{
	struct rig *r = *state;

	run_fenced(r, work_fenced_in);
	assert_int_equal(access(r->lock, F_OK), -1);
	rig_expect(r, FROM_B "A: 2\n\n2\n\n");
}

static int
merge_fenced_in(struct rig *r)
{
	struct fence f = { .allow.allow = fence_allow };
	char left[160];

	(void)snprintf(left, sizeof(left), "%s/.user.pop", r->spool);
	MUST(rename(r->path, left) == 0);
	MUST(fence_off(r, &f) != -1);
	MUST(rig_try_open(r) == 0);
	MUST(r->drop->count(r->self) == 2);
	MUST(access(left, F_OK) == -1);
	return 0;
}

/* Also to take back what a crash of another server left, even if there is no
 * mbox any more. */
static void
they_are_enough_to_merge(void **state)
{
	struct rig *r = *state;

	run_fenced(r, merge_fenced_in);
	rig_expect(r, MAIL);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(the_paths_named_are_enough),
		RIGGED(they_are_enough_to_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
