/*
 * auth_passwd_file.c - the passwd module: who may own its file, and what the
 * lines of the file mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "passwd.h"

static void
the_identity_is_the_line(void **state)
{
	const struct popper_identity *id = &auth_answer.identity;

	(void)state;
	pw_start_counting("# comment\n\n  \t\nann@example.org:aaaaaaaaaaaaa:"
			  "5001:5002:maildir:/m/ann\n"
			  "bob:aaaaaaaaaaaaa:::\n");
	assert_int_equal(pw_login("ann@example.org", "right"), POPPER_AUTH_YES);
	assert_string_equal(id->user, "ann@example.org");
	assert_int_equal(id->uid, 5001);
	assert_int_equal(id->gid, 5002);
	assert_string_equal(id->home, "");
	assert_string_equal(id->drop, "maildir");
	assert_string_equal(id->maildrop, "/m/ann");
	assert_int_equal(id->flags, POPPER_IDENTITY_VIRTUAL);
	assert_int_equal(id->size, sizeof(*id));
	assert_int_equal(pw_login("bob", "right"), POPPER_AUTH_YES);
	assert_int_equal(id->uid, geteuid());
	assert_int_equal(id->gid, getegid());
	assert_string_equal(id->drop, "");
	assert_string_equal(id->maildrop, "");
	assert_int_equal(auth_logged("passwd"), 0);
}

static void
maildrop_forms(void **state)
{
	static const struct {
		const char *field, *drop, *path;
	} forms[] = {
		{ "/var/mail/u", "", "/var/mail/u" },
		{ "mbox:/var/mail/u", "mbox", "/var/mail/u" },
		{ "maildir:/a b/c", "maildir", "/a b/c" },
		{ "rados:pool/u", "rados", "pool/u" },
		{ "/m/%u", "", "/m/u@d.example" },
		{ "maildir:/m/%d/%1/%n/100%%", "maildir",
		    "/m/d.example/u/u/100%" },
		{ "", "maildir", "/spool/u@d.example" },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "u@d.example:aaaaaaaaaaaaa:::%s\n", forms[i].field);
		pw_start_counting(text);
		pw_conf.maildrop = "maildir:/spool/%u";
		assert_int_equal(
		    pw_login("u@d.example", "right"), POPPER_AUTH_YES);
		assert_string_equal(auth_answer.identity.drop, forms[i].drop);
		assert_string_equal(
		    auth_answer.identity.maildrop, forms[i].path);
		pw_driver->stop(pw_self);
		pw_self = NULL;
	}
}

static void
a_path_that_cannot_be_made_is_not_given(void **state)
{
	(void)state;
	pw_start_counting("../eve:aaaaaaaaaaaaa:::/m/%u\n"
			  "u:aaaaaaaaaaaaa:::/m/%q\n");
	assert_int_equal(pw_login("../eve", "right"), POPPER_AUTH_LATER);
	assert_non_null(strstr(auth_answer.error.text, "../eve"));
	assert_int_equal(pw_login("../eve", "wrong"), POPPER_AUTH_NO);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_LATER);
}

static void
a_bad_default_maildrop_stops_the_start(void **state)
{
	struct popper_error e;

	(void)state;
	pw_start("");
	pw_driver->stop(pw_self);
	pw_self = NULL;
	pw_conf.maildrop = "Maildir";
	assert_int_equal(
	    pw_driver->start(&auth_host, &pw_conf, &pw_self, &e), -1);
	assert_non_null(strstr(e.text, "default-maildrop"));
}

static void
a_file_others_can_use_is_refused(void **state)
{
	static const unsigned bad[] = { 0644, 0640, 0604, 0660, 0620, 0602,
		0610, 0666, 0777 };

	(void)state;
	pw_start_counting("u:aaaaaaaaaaaaa:::\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(pw_file, bad[i]), 0);
		assert_int_equal(pw_login("u", "right"), POPPER_AUTH_LATER);
	}
	assert_int_equal(chmod(pw_file, 0400), 0);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
	pw_driver->stop(pw_self);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(pw_file, bad[i]), 0);
		pw_refuse_start("chmod 600");
	}
}

static void
a_file_of_somebody_else_is_refused(void **state)
{
	(void)state;
	pw_start("u:aaaaaaaaaaaaa:::\n");
	pw_driver->stop(pw_self);
	pw_self = NULL;
	if (geteuid() != 0)
		return; /* only root can give a file away */
	assert_int_equal(chown(pw_file, 65534, (gid_t)-1), 0);
	pw_refuse_start("owned by uid 65534");
}

static void
only_a_regular_file_is_read(void **state)
{
	char other[600];

	(void)state;
	pw_start("u:aaaaaaaaaaaaa:::\n");
	pw_driver->stop(pw_self);
	(void)snprintf(other, sizeof(other), "%s.real", pw_file);
	assert_int_equal(rename(pw_file, other), 0);
	pw_refuse_start("No such file");
	assert_int_equal(symlink(other, pw_file), 0);
	pw_refuse_start("symbolic link");
	assert_int_equal(unlink(pw_file), 0);
	assert_int_equal(mkdir(pw_file, 0700), 0);
	pw_refuse_start("not a regular file");
	assert_int_equal(rmdir(pw_file), 0);
	assert_int_equal(mkfifo(pw_file, 0600), 0);
	pw_refuse_start("not a regular file");
}

static void
a_file_out_of_all_proportion_is_refused(void **state)
{
	(void)state;
	pw_start("u:aaaaaaaaaaaaa:::\n");
	pw_driver->stop(pw_self);
	assert_int_equal(truncate(pw_file, (off_t)PASSWD_FILE_MAX + 1), 0);
	pw_refuse_start("larger than");
}

static void
a_change_is_seen_at_the_next_login(void **state)
{
	struct stat before, after;

	(void)state;
	pw_start_counting("u:aaaaaaaaaaaaa:::/m/1\n");
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
	/* In place: same inode, same size. */
	assert_int_equal(stat(pw_file, &before), 0);
	{
		FILE *f = fopen(pw_file, "r+");

		assert_non_null(f);
		assert_int_equal(fputs("v:aaaaaaaaaaaaa:::/m/2\n", f) >= 0, 1);
		assert_int_equal(fclose(f), 0);
	}
	assert_int_equal(stat(pw_file, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_login("v", "right"), POPPER_AUTH_YES);
	/* Replaced. */
	(void)auth_write("users", 0600, "w:aaaaaaaaaaaaa:::/m/3\n");
	assert_int_equal(pw_login("v", "right"), POPPER_AUTH_NEXT);
	assert_int_equal(pw_login("w", "right"), POPPER_AUTH_YES);
	/* Gone. */
	assert_int_equal(unlink(pw_file), 0);
	assert_int_equal(pw_login("w", "right"), POPPER_AUTH_LATER);
	assert_int_equal(auth_answer.error.status, POPPER_TEMPORARY);
}

/* A line that is wrong, and what the log says of it. */
static const struct {
	const char *line, *why;
} bad_lines[] = {
	{ "u", "no colon" },
	{ "u:aaaaaaaaaaaaa", "too few fields" },
	{ "u:aaaaaaaaaaaaa::", "too few fields" },
	{ ":aaaaaaaaaaaaa:::", "name is empty" },
	{ "u:aaaaaaaaaaaaa:x::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:-1::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:+1::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa: 1::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:1x::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:0x10::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:4294967295::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:4294967296::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:18446744073709551617::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa:99999999999999999999999::", "uid is no number" },
	{ "u:aaaaaaaaaaaaa::4294967295:", "gid is no number" },
	{ "u:aaaaaaaaaaaaa:::Maildir", "neither /path nor NAME:/path" },
	{ "u:aaaaaaaaaaaaa::::/m", "unknown option" },
	{ "u:aaaaaaaaaaaaa:::maildir:", "names no place" },
	{ "u:aaaaaaaaaaaaa:::/m::", "reserved" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay=1:", "reserved" },
	{ "u:aaaaaaaaaaaaa:::/m:more", "unknown option" },
	{ "u:aaaaaaaaaaaaa:::maildir:/m:more", "unknown option" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay", "unknown option" },
	{ "u:aaaaaaaaaaaaa:::/m:Login-delay=1", "unknown option" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay=", "no number of seconds" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay=-1", "no number of seconds" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay=1x", "no number of seconds" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay=604801", "no number of seconds" },
	{ "u:aaaaaaaaaaaaa:::/m:login-delay=18446744073709551617",
	    "no number of seconds" },
	{ "u:aaaaaaaaaaaaa:::/m\r", "control character" },
	{ "u:aaaaaaaaaaaaa:::/m\tx", "control character" },
	{ "u:aaaaaaaaaaaaa:::"
	  "abcdefghijabcdefghijabcdefghijab:/m",
	    "kind is too long" },
};

static void
a_bad_line_hurts_nobody_else(void **state)
{
	char text[512], where[600];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "# users\na:aaaaaaaaaaaaa:::\n%s\nz:aaaaaaaaaaaaa:::\n",
		    bad_lines[i].line);
		auth_forget();
		pw_start_counting(text);
		(void)snprintf(where, sizeof(where), "%s:3: ", pw_file);
		assert_int_equal(auth_logged(where), 1);
		assert_int_equal(auth_logged(bad_lines[i].why), 1);
		assert_int_equal(auth_logged("passwd"), 1);
		assert_int_equal(pw_login("a", "right"), POPPER_AUTH_YES);
		assert_int_equal(pw_login("z", "right"), POPPER_AUTH_YES);
		assert_int_not_equal(pw_login("u", "right"), POPPER_AUTH_YES);
		pw_driver->stop(pw_self);
		pw_self = NULL;
	}
}

static void
a_bad_line_of_ones_own_is_told_to_the_log(void **state)
{
	(void)state;
	pw_start_counting("u:aaaaaaaaaaaaa:x::\nu:aaaaaaaaaaaaa:::/other\n");
	pw_calls = 0;
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_NO);
	assert_int_equal(pw_calls, 1);
	assert_int_equal(auth_answer.error.status, POPPER_DENIED);
	assert_non_null(
	    strstr(auth_answer.error.text, ":1: the uid is no number"));
}

static void
largest_numbers_are_fine(void **state)
{
	(void)state;
	pw_start_counting("u:aaaaaaaaaaaaa:4294967294:0004294967294:\n");
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.identity.uid, 4294967294u);
	assert_int_equal(auth_answer.identity.gid, 4294967294u);
}

static void
warnings_end_somewhere(void **state)
{
	static char text[100 * 3 + 1];

	(void)state;
	for (size_t i = 0; i < 100; i++)
		memcpy(text + 3 * i, "xx\n", 4);
	pw_start(text);
	assert_int_equal(auth_logged("no colon"), 20);
	assert_int_equal(auth_logged("80 more lines"), 1);
}

static void
the_first_of_two_lines_counts(void **state)
{
	char where[600];

	(void)state;
	pw_start_counting("b:aaaaaaaaaaaaa:::/m/b\nu:aaaaaaaaaaaaa:::/m/1\n"
			  "c:aaaaaaaaaaaaa:::/m/c\nu:bbbbbbbbbbbbb:::/m/2\n");
	(void)snprintf(where, sizeof(where),
	    "%s:4: a user that an earlier line has", pw_file);
	assert_int_equal(auth_logged(where), 1);
	assert_int_equal(auth_logged("passwd"), 1);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_YES);
	assert_string_equal(auth_answer.identity.maildrop, "/m/1");
}

/* Lines of every length up to the limit, across every edge of the buffer. */
static void
lines_of_every_length_are_found(void **state)
{
	enum { USERS = 2000 };
	char *text = malloc(USERS * (PASSWD_LINE_MAX + 1) + 1);
	char name[32];
	size_t at = 0, pad;
	int len;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < USERS; i++) {
		len = snprintf(text + at, 64, "u%zu:aaaaaaaaaaaaa:::/", i);
		assert_true(len > 0);
		at += (size_t)len;
		pad = i * 7 % 1000;
		memset(text + at, 'p', pad);
		at += pad;
		text[at++] = '\n';
	}
	text[at] = '\0';
	pw_start_counting(text);
	free(text);
	assert_int_equal(auth_logged("passwd"), 0);
	for (size_t i = 0; i < USERS; i++) {
		(void)snprintf(name, sizeof(name), "u%zu", i);
		assert_int_equal(pw_login(name, "right"), POPPER_AUTH_YES);
		assert_int_equal(
		    strlen(auth_answer.identity.maildrop), 1 + i * 7 % 1000);
	}
	assert_int_equal(pw_login("u2000", "right"), POPPER_AUTH_NEXT);
}

static void
an_endless_line_is_skipped(void **state)
{
	static const size_t lengths[] = { PASSWD_LINE_MAX, PASSWD_LINE_MAX + 1,
		65535, 65536, 65537, 131072, 200000 };
	static const char first[] = "a:aaaaaaaaaaaaa:::\n";
	static const char last[] = "\nz:aaaaaaaaaaaaa:::\n";
	char *text = malloc(200100);
	size_t len;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		len = sizeof(first) - 1;
		memcpy(text, first, len);
		/* Names all over it must not be taken for lines. */
		for (size_t k = 0; k < lengths[i]; k++)
			text[len + k] = "u:"[k % 2];
		memcpy(text + len + lengths[i], last, sizeof(last));
		auth_forget();
		pw_start_counting(text);
		assert_int_equal(auth_logged(":2: "), 1);
		assert_int_equal(pw_login("a", "right"), POPPER_AUTH_YES);
		assert_int_equal(pw_login("z", "right"), POPPER_AUTH_YES);
		assert_int_equal(pw_login("u", "right"), POPPER_AUTH_NO);
		assert_int_equal(pw_login("", "right"), POPPER_AUTH_NEXT);
		pw_driver->stop(pw_self);
		pw_self = NULL;
	}
	free(text);
}

static void
a_line_without_an_end_is_not_trusted(void **state)
{
	(void)state;
	pw_start_counting("a:aaaaaaaaaaaaa:::/m/a\nu:aaaaaaaaaaaaa:::/m/al");
	assert_int_equal(auth_logged(":2: it does not end with a newline"), 1);
	assert_int_equal(pw_login("a", "right"), POPPER_AUTH_YES);
	assert_int_equal(pw_login("u", "right"), POPPER_AUTH_NO);
	assert_non_null(strstr(auth_answer.error.text, "newline"));
}

static void
a_hundred_thousand_users(void **state)
{
	enum { USERS = 100000 };
	char *text = malloc(USERS * 64);
	size_t at = 0;
	int len;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < USERS; i++) {
		len = snprintf(text + at, 64,
		    "user%zu:aaaaaaaaaaaaa:%zu:%zu:/m/%zu\n", i, 1000 + i,
		    1000 + i, i);
		assert_true(len > 0 && len < 64);
		at += (size_t)len;
	}
	pw_start_counting(text);
	free(text);
	assert_int_equal(auth_logged("passwd"), 0);
	assert_int_equal(pw_login("user0", "right"), POPPER_AUTH_YES);
	assert_int_equal(pw_login("user99999", "right"), POPPER_AUTH_YES);
	assert_int_equal(auth_answer.identity.uid, 100999);
	assert_string_equal(auth_answer.identity.maildrop, "/m/99999");
	assert_int_equal(pw_login("user100000", "right"), POPPER_AUTH_NEXT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pw_setup, pw_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_identity_is_the_line),
		TEST(maildrop_forms),
		TEST(a_path_that_cannot_be_made_is_not_given),
		TEST(a_bad_default_maildrop_stops_the_start),
		TEST(a_file_others_can_use_is_refused),
		TEST(a_file_of_somebody_else_is_refused),
		TEST(only_a_regular_file_is_read),
		TEST(a_file_out_of_all_proportion_is_refused),
		TEST(a_change_is_seen_at_the_next_login),
		TEST(a_bad_line_hurts_nobody_else),
		TEST(a_bad_line_of_ones_own_is_told_to_the_log),
		TEST(largest_numbers_are_fine),
		TEST(warnings_end_somewhere),
		TEST(the_first_of_two_lines_counts),
		TEST(lines_of_every_length_are_found),
		TEST(an_endless_line_is_skipped),
		TEST(a_line_without_an_end_is_not_trusted),
		TEST(a_hundred_thousand_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
