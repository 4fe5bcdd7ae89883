/* test_identity.c - src/priv/identity.c, each test in a child */
#include "unit.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "priv/identity.h"

#define SOMEBODY 61234
#define GROUP 61235
#define MAIL 61236

static struct popper_error e;

static void
is_somebody(void)
{
	uid_t r, f, s;
	gid_t gr, gf, gs;

	must(getresuid(&r, &f, &s) == 0);
	must(r == SOMEBODY && f == SOMEBODY && s == SOMEBODY);
	must(getresgid(&gr, &gf, &gs) == 0);
	must(gr == GROUP && gf == GROUP && gs == GROUP);
}

static void
becomes(void)
{
	const gid_t mail = MAIL;
	gid_t groups[8];

	must(identity_become(SOMEBODY, GROUP, &mail, 1, &e) == 0);
	is_somebody();
	must(getgroups(8, groups) == 1 && groups[0] == MAIL);
	/* There is no way back. */
	must(setuid(0) == -1 && seteuid(0) == -1 && setreuid(0, 0) == -1);
	must(setgid(0) == -1 && setegid(0) == -1);
	must(setgroups(0, NULL) == -1);
	must(setresuid(1, 1, 1) == -1 && setresgid(1, 1, 1) == -1);
	is_somebody();
}

static void
becomes_without_groups(void)
{
	const gid_t old[] = { 0, 4, 27 };

	must(setgroups(3, old) == 0);
	must(identity_become(SOMEBODY, GROUP, NULL, 0, &e) == 0);
	must(getgroups(0, NULL) == 0);
	is_somebody();
}

/* Saved ids of somebody else are given up as well. */
static void
forgets_saved_ids(void)
{
	must(setresuid(4, 0, 5) == 0);
	must(identity_become(SOMEBODY, GROUP, NULL, 0, &e) == 0);
	is_somebody();
	must(seteuid(4) == -1 && seteuid(5) == -1);
}

static void
never_root(void)
{
	must(identity_become(0, GROUP, NULL, 0, &e) == -1);
	must(e.status == POPPER_PERMANENT && strstr(e.text, "root") != NULL);
}

static void
stays_who_it_is(void)
{
	if (geteuid() == 0)
		must(setresgid(GROUP, GROUP, GROUP) == 0 &&
		    setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	must(identity_become(geteuid(), getegid(), NULL, 0, &e) == 0);
	must(identity_become(geteuid() + 1, getegid(), NULL, 0, &e) == -1);
	must(e.status == POPPER_PERMANENT &&
	    strstr(e.text, "not started as root") != NULL);
	must(identity_become(geteuid(), getegid() + 1, NULL, 0, &e) == -1);
}

/* Not even a program that is somebody for the moment only. */
static void
wants_the_real_uid_too(void)
{
	must(setresuid(0, SOMEBODY, 0) == 0);
	must(identity_become(SOMEBODY, getegid(), NULL, 0, &e) == -1);
}

static void
dumps_no_core(void)
{
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	identity_no_dump();
	must(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

static void
root_becomes_somebody(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		/* For others the same calls are refused. */
		assert_int_equal(
		    identity_become(SOMEBODY, GROUP, NULL, 0, &e), -1);
		return;
	}
	assert_true(child_is_content(becomes));
	assert_true(child_is_content(becomes_without_groups));
	assert_true(child_is_content(forgets_saved_ids));
	assert_true(child_is_content(wants_the_real_uid_too));
}

static void
nobody_becomes_root(void **state)
{
	(void)state;
	assert_true(child_is_content(never_root));
}

static void
others_stay(void **state)
{
	(void)state;
	assert_true(child_is_content(stays_who_it_is));
}

static void
no_core(void **state)
{
	(void)state;
	assert_true(child_is_content(dumps_no_core));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_becomes_somebody),
		cmocka_unit_test(nobody_becomes_root),
		cmocka_unit_test(others_stay),
		cmocka_unit_test(no_core),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
