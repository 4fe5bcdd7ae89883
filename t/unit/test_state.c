/* test_state.c - src/session/state.c */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "session/state.h"

static char folder[] = "/tmp/test_state.XXXXXX";
static int root = -1;
static struct popper_error error;

static int
set_up(void **unused)
{
	(void)unused;
	if (mkdtemp(folder) == NULL)
		return -1;
	root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root == -1 ? -1 : 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	close(root);
	return rmdir(folder);
}

static struct popper_identity
person(const char *user, const char *sub)
{
	struct popper_identity i = {
		.size = sizeof(i), .uid = geteuid(), .gid = getegid()
	};

	(void)text_copy(i.user, sizeof(i.user), user);
	(void)text_copy(i.folder, sizeof(i.folder), sub);
	return i;
}

/* A name comes back from the folder that was made for it. */
static void
names_come_back(void **unused)
{
	static const struct {
		const char *user, *sub, *name;
	} cases[] = {
		{ "alice", "", "alice" },
		{ "alice", "lists", "alice%=lists" },
		{ "a.b-c_d+e@example.org", "", "a.b-c_d+e@example.org" },
		{ "../x y", "", "%2E.%2Fx%20y" },
		{ "%=", "x", "%25%3D%=x" },
		{ "\xc3\xa4\x01", "", "%C3%A4%01" },
	};
	struct popper_identity i, back;
	int fd;

	(void)unused;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		i = person(cases[k].user, cases[k].sub);
		assert_int_equal(state_find(root, &i, &error), -1);
		assert_int_equal(error.status, POPPER_ABSENT);
		fd = state_open(root, &i, &error);
		assert_int_not_equal(fd, -1);
		close(fd);
		assert_int_equal(faccessat(root, cases[k].name, F_OK, 0), 0);
		fd = state_find(root, &i, &error);
		assert_int_not_equal(fd, -1);
		close(fd);
		assert_int_equal(
		    unlinkat(root, cases[k].name, AT_REMOVEDIR), 0);
		assert_true(state_whose(cases[k].name, &back));
		assert_string_equal(back.user, cases[k].user);
		assert_string_equal(back.folder, cases[k].sub);
	}
}

/* What nobody's folder is called. */
static void
other_names_are_nobodys(void **unused)
{
	static const char *const names[] = { "", ".x", "..", "a b", "a%", "a%4",
		"a%4x", "a%00", "a%2e%41", "a%2f", "%=x", "a%=", "a/b", "a%+4",
		"a% 4", "a\n", "a%=b/c", "a%=b%=c/", "%41" };
	char longest[600], many[400];
	struct popper_identity i;

	(void)unused;
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
		if (state_whose(names[k], &i))
			fail_msg("\"%s\" is said to be %s's", names[k], i.user);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_false(state_whose(longest, &i));
	memset(many, 'b', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	memcpy(many, "a%=", 3);
	assert_false(state_whose(many, &i));
}

/* What is there already is only taken if it is the user's alone. */
static void
others_folders_are_refused(void **unused)
{
	struct popper_identity i = person("alice", "");

	(void)unused;
	assert_int_equal(mkdirat(root, "alice", 0700), 0);
	assert_int_equal(fchmodat(root, "alice", 0750, 0), 0);
	assert_int_equal(state_find(root, &i, &error), -1);
	assert_int_equal(error.status, POPPER_PERMANENT);
	assert_int_equal(unlinkat(root, "alice", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat(folder, root, "alice"), 0);
	assert_int_equal(state_find(root, &i, &error), -1);
	assert_int_not_equal(error.status, POPPER_ABSENT);
	assert_int_equal(state_open(root, &i, &error), -1);
	assert_int_equal(unlinkat(root, "alice", 0), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_back),
		cmocka_unit_test(other_names_are_nobodys),
		cmocka_unit_test(others_folders_are_refused),
	};

	return cmocka_run_group_tests_name("state", tests, set_up, tear_down);
}
