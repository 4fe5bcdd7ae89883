/*
 * ext_bulletins_group.c - bulletins for the members of a group.
 *
 * Runs in: tests.  The system's groups are replaced by what stands here.
 */
#include "bulletins_bed.h"

#include <grp.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bulletins.h"

#define USERS 100
#define STAFF 200
#define NAMELESS 300

static const char *asked; /* whose groups */

int __wrap_getgrouplist(const char *, gid_t, gid_t *, int *);
struct group *__wrap_getgrgid(gid_t);

/* alice is in staff as well. */
int
__wrap_getgrouplist(const char *user, gid_t gid, gid_t *gids, int *count)
{
	asked = user;
	assert_true(*count >= 2);
	gids[0] = gid;
	gids[1] = STAFF;
	*count = strcmp(user, "alice") == 0 ? 2 : 1;
	return *count;
}

struct group *
__wrap_getgrgid(gid_t gid)
{
	static char users[] = "users", staff[] = "staff";
	static struct group g;

	if (gid == NAMELESS)
		return NULL;
	g.gr_name = gid == USERS ? users : staff;
	return &g;
}

/* What a session finds: a process each, since it looks groups up once. */
static unsigned
in_a_session(const char *user, gid_t gid, unsigned flags)
{
	static const char *const names[] = { "1.users.x", "1.staff", "1.ALL.x",
		"1", "1.all.x", "1.wheel.x", "1..x", "1.use.x", "1.usersx" };
	struct popper_identity i = { .gid = gid, .flags = flags };
	const struct popper_place place = { .identity = &i };
	unsigned is_for = 0;
	int status;
	pid_t pid;

	(void)strncpy(i.user, user, sizeof(i.user) - 1);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		bulletins_groups_learn(&place);
		if ((flags & POPPER_IDENTITY_VIRTUAL) != 0 && asked != NULL)
			_exit(255);
		for (size_t k = 0; k < 8; k++)
			if (bulletins_is_for(names[k]))
				is_for |= 1u << k;
		_exit(bulletins_is_for(names[8]) ? 255 : (int)is_for);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (unsigned)WEXITSTATUS(status);
}

static void
members_and_everybody(void **state)
{
	(void)state;
	assert_int_equal(in_a_session("alice", USERS, 0), 1 | 2 | 4 | 8);
	assert_int_equal(in_a_session("bob", USERS, 0), 1 | 4 | 8);
	assert_int_equal(in_a_session("bob", STAFF, 0), 2 | 4 | 8);
	/* A group without a name keeps nobody from what is for everybody. */
	assert_int_equal(in_a_session("bob", NAMELESS, 0), 4 | 8);
}

/* A virtual user may have the name of somebody's account. */
static void
virtual_users_have_their_gid_only(void **state)
{
	(void)state;
	assert_int_equal(
	    in_a_session("alice", USERS, POPPER_IDENTITY_VIRTUAL), 1 | 4 | 8);
}

static void
sessions_show_what_is_for_the_user(void **state)
{
	(void)state;
	bulletins_bed.identity.gid = USERS;
	bulletins_options.max_bulletins = 2;
	bulletins_post("1.users.a", "for users");
	bulletins_post("2.wheel.a", "for wheel");
	bulletins_post("3.ALL.a", "for all");
	bulletins_post("4.nobody", "for nobody");
	/* Without the option a group is a word like others. */
	assert_string_equal(bulletins_subjects(), "for all,for nobody");
	bed_remove(&bulletins_bed, ".popbull");
	bed_remove(&bulletins_bed, "state/bulletins");
	bulletins_options.group_bulletins = true;
	assert_string_equal(bulletins_subjects(), "for users,for all");
	assert_string_equal(bulletins_text(".popbull"), "3\n");
	bulletins_post("5.staff.a", "for staff");
	bulletins_post("6.wheel.a", "for wheel");
	assert_string_equal(
	    bulletins_subjects(), "for users,for all,for staff");
	assert_string_equal(bulletins_text(".popbull"), "5\n");
	assert_int_equal(bulletins_login(), 0);
	assert_int_equal(bulletins_quit(1), POPPER_DONE);
	assert_string_equal(bulletins_subjects(), "for all,for staff");
}

#define TEST(f)                          \
	cmocka_unit_test_setup_teardown( \
	    f, bulletins_set_up, bulletins_tear_down)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(members_and_everybody),
		TEST(virtual_users_have_their_gid_only),
		TEST(sessions_show_what_is_for_the_user),
	};

	return cmocka_run_group_tests_name(
	    "ext_bulletins_group", tests, NULL, NULL);
}
