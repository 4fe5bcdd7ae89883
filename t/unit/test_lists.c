/* test_lists.c - src/auth/lists.c */
#include "unit.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/lists.h"
#include "base/fd.h"
#include "base/text.h"

static char folder[] = "/tmp/popper-unit-XXXXXX";
static char path[64];
static struct settings s;
static struct popper_identity id;
static struct popper_error e;

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/list", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int
start(void **state)
{
	(void)state;
	s = (struct settings){ .auth_file = "", .nonauth_file = "" };
	id = (struct popper_identity){ .user = "bob", .uid = getuid() };
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	(void)remove(path);
	return 0;
}

static void
write_list(struct popper_slice text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* Is ${user} let in by the list as auth-file (or not, as nonauth-file)? */
static bool
listed(const char *user)
{
	int in, out;

	text_copy(id.user, sizeof(id.user), user);
	s.auth_file = path;
	s.nonauth_file = "";
	assert_int_equal(lists_ready(&s, &e), 0);
	in = lists_check(&s, &id, &e);
	if (in == -1)
		assert_int_equal(e.status, POPPER_DENIED);
	s.auth_file = "";
	s.nonauth_file = path;
	assert_int_equal(lists_ready(&s, &e), 0);
	out = lists_check(&s, &id, &e);
	if (out == -1)
		assert_int_equal(e.status, POPPER_DENIED);
	assert_int_not_equal(in, out);
	return in == 0;
}

static void
lets_in_without_lists(void **state)
{
	(void)state;
	assert_int_equal(lists_ready(&s, &e), 0);
	assert_int_equal(lists_check(&s, &id, &e), 0);
}

static void
finds_names(void **state)
{
	char text[5000];

	(void)state;
	write_list(
	    S("# bob\n\n  alice \t\r\n#carol\ndave@example.org\nerin"), 0644);
	assert_true(listed("alice"));
	assert_true(listed("dave@example.org"));
	assert_true(listed("erin"));
	assert_false(listed("bob"));
	assert_false(listed("carol"));
	assert_false(listed("#carol"));
	assert_false(listed("Alice"));
	assert_false(listed("dave"));
	assert_false(listed("alic"));
	assert_false(listed("alice2"));
	/* A long line is no two lines. */
	memset(text, 'x', sizeof(text));
	memcpy(text + 1023, "bob\n", 4);
	memcpy(text + 4996, "\nbob", 4);
	write_list(popper_slice(text, 2000), 0600);
	assert_false(listed("bob"));
	write_list(popper_slice(text, sizeof(text)), 0600);
	assert_true(listed("bob"));
	write_list(S(""), 0600);
	assert_false(listed("bob"));
}

static void
finds_names_in_any_case(void **state)
{
	(void)state;
	write_list(S("Bob\nALICE\n"), 0644);
	assert_false(listed("bob"));
	s.downcase_user = true;
	assert_true(listed("bob"));
	assert_true(listed("alice"));
	assert_false(listed("carol"));
}

/* A name behind a NUL octet must not be missed by nonauth-file. */
static void
trusts_no_file_with_nul(void **state)
{
	(void)state;
	write_list(S("alice\n\0\nbob\n"), 0644);
	for (int i = 0; i < 2; i++) {
		s.auth_file = i == 0 ? path : "";
		s.nonauth_file = i == 0 ? "" : path;
		assert_int_equal(lists_check(&s, &id, &e), -1);
		assert_int_equal(e.status, POPPER_TEMPORARY);
		assert_non_null(strstr(e.text, "NUL octet"));
	}
}

static void
needs_both(void **state)
{
	(void)state;
	write_list(S("bob\n"), 0644);
	s.auth_file = s.nonauth_file = path;
	assert_int_equal(lists_check(&s, &id, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "nonauth-file"));
}

/* Nobody gets in, by either list, and before the password is looked at. */
static void
closed(const char *why)
{
	for (int i = 0; i < 2; i++) {
		s.auth_file = i == 0 ? path : "";
		s.nonauth_file = i == 0 ? "" : path;
		assert_int_equal(lists_ready(&s, &e), -1);
		assert_int_equal(e.status, POPPER_TEMPORARY);
		assert_non_null(strstr(e.text, why));
		assert_string_equal(e.reply, "");
		assert_int_equal(lists_check(&s, &id, &e), -1);
		assert_int_equal(e.status, POPPER_TEMPORARY);
	}
}

static void
fails_closed(void **state)
{
	(void)state;
	closed("No such file");
	assert_int_equal(symlink("/etc/passwd", path), 0);
	closed("symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	closed("not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	closed("not a regular file");
	assert_int_equal(unlink(path), 0);
	write_list(S("bob\n"), 0664);
	closed("mode 664");
	write_list(S("bob\n"), 0646);
	closed("mode 646");
	write_list(S("bob\n"), 0644);
	assert_int_equal(truncate(path, (16 << 20) + 1), 0);
	closed("larger");
}

static void
looks_at_shells(void **state)
{
	const struct passwd *pw;

	(void)state;
	s.check_shell = true;
	/* Nobody has a shell, and so has a uid without an account. */
	id.uid = 3999999999;
	assert_int_equal(lists_check(&s, &id, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "no account"));
	id.flags = POPPER_IDENTITY_VIRTUAL;
	assert_int_equal(lists_check(&s, &id, &e), 0);
	id.flags = 0;
	pw = getpwnam("daemon");
	assert_non_null(pw);
	id.uid = pw->pw_uid;
	text_copy(id.user, sizeof(id.user), "daemon");
	assert_int_equal(lists_check(&s, &id, &e), -1);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_non_null(strstr(e.text, "/etc/shells"));
	/* The name is another's: the uid counts. */
	id.uid = 0;
	assert_int_equal(lists_check(&s, &id, &e), 0);
	s.check_shell = false;
	id.uid = pw->pw_uid;
	assert_int_equal(lists_check(&s, &id, &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    lets_in_without_lists, start, clean),
		cmocka_unit_test_setup_teardown(finds_names, start, clean),
		cmocka_unit_test_setup_teardown(
		    finds_names_in_any_case, start, clean),
		cmocka_unit_test_setup_teardown(
		    trusts_no_file_with_nul, start, clean),
		cmocka_unit_test_setup_teardown(needs_both, start, clean),
		cmocka_unit_test_setup_teardown(fails_closed, start, clean),
		cmocka_unit_test_setup_teardown(looks_at_shells, start, clean),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
