/* test_name.c - src/auth/name.c and src/auth/prepare.c */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "auth/name.h"
#include "auth/prepare.h"
#include "mod/host.h"

static struct settings s;
static struct name n;
static struct popper_error e;

static int
plain(void **state)
{
	(void)state;
	s = (struct settings){ .mailbox_separator = "",
		.default_domain = "",
		.name_suffix = "",
		.name_suffix_except = "" };
	return 0;
}

static void
becomes(const char *given, const char *user, const char *folder)
{
	if (name_make(&s, given, &n, &e) == -1)
		fail_msg("%s: %s", given, e.text);
	assert_string_equal(n.user, user);
	assert_string_equal(n.folder, folder);
}

static void
refused(const char *given)
{
	memset(&e, 0, sizeof(e));
	if (name_make(&s, given, &n, &e) == 0)
		fail_msg("%s was taken as %s", given, n.user);
	assert_int_equal(e.status, POPPER_DENIED);
	assert_string_equal(e.reply, "");
}

static void
ascii_stays(void **state)
{
	char name[300];

	(void)state;
	becomes("bob", "bob", "");
	becomes("Bob Smith", "Bob Smith", "");
	becomes("bob+x@Example.ORG", "bob+x@Example.ORG", "");
	memset(name, 'x', sizeof(name));
	name[255] = '\0';
	becomes(name, name, "");
	name[255] = 'x';
	name[256] = '\0';
	refused(name);
	refused("");
}

/* RFC 4013 section 3 and its kin. */
static void
prepares(void **state)
{
	(void)state;
	becomes("I\xc2\xadX", "IX", "");
	becomes("\xc2\xaa", "a", "");
	becomes("\xe2\x85\xa8", "IX", "");
	becomes("USER", "USER", "");
	becomes("bo\xc2\xa0"
		"b",
	    "bo b", "");
	becomes("m\xc3\xbcller", "m\xc3\xbcller", "");
	becomes("mu\xcc\x88ller", "m\xc3\xbcller", "");
	/* New in Unicode 8: a query may have it. */
	becomes("\xf0\x9f\xa4\x98", "\xf0\x9f\xa4\x98", "");
}

static void
refuses_what_is_prohibited(void **state)
{
	(void)state;
	refused("\x07");
	refused("bob\n");
	refused("bob\r\nx");
	refused("bob\x1b[2J");
	refused("bob\x7f");
	refused("bob\xc2\x85"); /* C1 */
	refused("bob\xe2\x80\xa8"); /* line separator */
	refused("bob\xee\x80\x80"); /* private use */
	refused("bob\xef\xbf\xbd"); /* replacement character */
	refused("bob\xef\xbf\xbf");
	refused("bob\xe2\x80\xae"
		"txt"); /* bidi controls */
	refused("\xe2\x80\xaa"
		"bob");
	refused("bob\xe2\x80\x8f");
	refused("\xd8\xa7"
		"1"); /* mixed directions, RFC 4013 section 3 */
	refused("a\xd8\xa7");
	refused("\xc2\xad"); /* nothing is left */
	refused("\xe2\x81\xa0");
}

static void
refuses_what_is_not_utf8(void **state)
{
	(void)state;
	refused("m\xfcller");
	refused("\xc0\xaf");
	refused("..\xc0\xaf..");
	refused("\xed\xa0\x80");
	refused("\xf4\x90\x80\x80");
	refused("abc\xe2\x82");
}

/* More octets than came: one character of NFKC may be eighteen. */
static void
grows_only_so_far(void **state)
{
	char name[256];
	size_t i;

	(void)state;
	for (i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "\xef\xb7\xba", 3);
	name[i] = '\0';
	refused(name);
}

static void
passwords(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(prepare(out, sizeof(out), S("two  spaces "), &e), 0);
	assert_string_equal(out, "two  spaces ");
	assert_int_equal(prepare(out, sizeof(out), S("pa\xcc\x88ss"), &e), 0);
	assert_string_equal(out, "p\xc3\xa4ss");
	assert_int_equal(prepare(out, sizeof(out), S("a\0b"), &e), -1);
	assert_string_equal(out, "");
	assert_int_equal(prepare(out, sizeof(out), S("p\xe4ss"), &e), -1);
	assert_string_equal(out, "");
	assert_int_equal(
	    prepare(out, sizeof(out), S("0123456789abcdef"), &e), -1);
	assert_int_equal(prepare(out, sizeof(out), S(""), &e), -1);
	assert_false(prepare_leaves(S("abc")));
	assert_true(prepare_leaves(S("\xc3\xa4")));
}

static void
domains(void **state)
{
	char name[256];

	(void)state;
	s.trim_domain = true;
	becomes("bob@example.org", "bob", "");
	becomes("bob@a@b", "bob", "");
	becomes("bob", "bob", "");
	refused("@example.org");
	s.default_domain = "here.example";
	becomes("bob@example.org", "bob@here.example", "");
	s.trim_domain = false;
	becomes("bob@example.org", "bob@example.org", "");
	becomes("bob", "bob@here.example", "");
	memset(name, 'x', sizeof(name));
	name[255 - sizeof("@here.example") + 1] = '\0';
	assert_int_equal(name_make(&s, name, &n, &e), 0);
	assert_int_equal(strlen(n.user), 255);
	strcat(name, "x");
	refused(name);
}

static void
case_is_folded_last(void **state)
{
	(void)state;
	s.downcase_user = true;
	s.default_domain = "Example.ORG";
	becomes("BoB", "bob@example.org", "");
	becomes("\xc3\x84@X", "\xc3\x84@x", ""); /* ASCII letters only */
	/* Full-width letters are ASCII ones then. */
	becomes("\xef\xbc\xa2ob@X", "bob@x", "");
}

static void
is(const char *given, const char *user, const char *suffix)
{
	becomes(given, user, "");
	assert_string_equal(n.suffix, suffix);
}

static void
suffixes(void **state)
{
	(void)state;
	is("mary-no-mime", "mary-no-mime", "");
	s.name_suffix = "-no-mime";
	is("mary", "mary", "");
	is("mary-no-mime", "mary", "no-mime");
	is("mary-no-mime@example.org", "mary@example.org", "no-mime");
	is("mary@example.org-no-mime", "mary@example.org-no-mime", "");
	is("mary-no-mime-no-mime", "mary-no-mime", "no-mime");
	is("-no-mime", "-no-mime", "");
	is("-no-mime@example.org", "-no-mime@example.org", "");
	is("mary-no-mime ", "mary-no-mime ", "");
	is("no-mime", "no-mime", "");
	is("mary-NO-mime", "mary-NO-mime", "");
	s.downcase_user = true;
	is("Mary-NO-Mime", "mary", "no-mime");
	s.trim_domain = true;
	is("mary-no-mime@example.org", "mary", "no-mime");
	s.trim_domain = false;
	s.default_domain = "here.example";
	is("mary-no-mime", "mary@here.example", "no-mime");
	s.mailbox_separator = "-";
	becomes("mary-work-no-mime@x", "mary@x", "work");
	assert_string_equal(n.suffix, "no-mime");
	s.mailbox_separator = "+";
	becomes("mary+work-no-mime@x", "mary@x", "work");
	assert_string_equal(n.suffix, "no-mime");
}

/* Accounts that are really called so. */
static void
suffixes_of_real_names(void **state)
{
	(void)state;
	s.name_suffix = "-no-mime";
	s.name_suffix_except = "x-no-mime, bob-no-mime@example.org";
	is("x-no-mime", "x-no-mime", "");
	is("x-no-mime@example.com", "x-no-mime@example.com", "");
	is("x-no-mime-no-mime", "x-no-mime", "no-mime");
	is("xx-no-mime", "xx", "no-mime");
	is("bob-no-mime@example.org", "bob-no-mime@example.org", "");
	is("bob-no-mime@example.com", "bob@example.com", "no-mime");
	is("bob-no-mime", "bob", "no-mime");
	is("X-no-mime", "X", "no-mime");
	s.downcase_user = true;
	is("X-No-Mime", "x-no-mime", "");
}

static void
sub_mailboxes(void **state)
{
	char name[100] = "bob+";

	(void)state;
	becomes("bob+work", "bob+work", "");
	s.mailbox_separator = "+";
	becomes("bob", "bob", "");
	becomes("bob+work", "bob", "work");
	becomes("bob+a.B_9-", "bob", "a.B_9-");
	becomes("bob+work@example.org", "bob@example.org", "work");
	becomes("bob@example.org+work", "bob@example.org+work", "");
	becomes("bob+inbox", "bob", "");
	becomes("bob+INBOX", "bob", "");
	refused("+work");
	refused("bob+");
	refused("bob+@example.org");
	refused("bob+a+b");
	refused("bob+.");
	refused("bob+..");
	refused("bob+../../x");
	refused("bob+.hidden");
	refused("bob+a/b");
	refused("bob+a b");
	refused("bob+a%n");
	refused("bob+\xc3\xa4");
	memset(name + 4, 'x', 64);
	refused(name);
	name[4 + 63] = '\0';
	becomes(name, "bob", name + 4);
	s.trim_domain = true;
	becomes("bob+work@example.org", "bob", "work");
	assert_true(name_is_folder("a"));
	assert_false(name_is_folder(""));
	assert_false(name_is_folder(".a"));
}

/* Whatever is let through is harmless in a path. */
static void
no_name_leaves_its_folder(void **state)
{
	static const char *const names[] = { "../x", "..", ".", "/etc/passwd",
		"%n%s%u", "a/../b", "a\\b", "x@../y", "x@/y", "~root",
		("\xef\xbc\x8f"
		 "etc"),
		"\xe2\x80\xa5/x", "-rf", "$(id)", "a;b|c&d", "'\"" };
	struct popper_identity who = { .size = sizeof(who) };
	char out[1000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (name_make(&s, names[i], &n, &e) == -1)
			continue;
		memcpy(who.user, n.user, sizeof(who.user));
		if (host_expand(out, sizeof(out), "/mail/%u", &who, &e) == 0) {
			assert_memory_equal(out, "/mail/", 6);
			assert_null(strchr(out + 6, '/'));
			assert_int_not_equal(out[6], '.');
			assert_string_equal(out + 6, n.user);
		}
		if (host_expand(out, sizeof(out), "/mail/%d/%n", &who, &e) == 0)
			assert_null(strstr(out, "/."));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ascii_stays, plain),
		cmocka_unit_test_setup(prepares, plain),
		cmocka_unit_test_setup(refuses_what_is_prohibited, plain),
		cmocka_unit_test_setup(refuses_what_is_not_utf8, plain),
		cmocka_unit_test_setup(grows_only_so_far, plain),
		cmocka_unit_test_setup(passwords, plain),
		cmocka_unit_test_setup(domains, plain),
		cmocka_unit_test_setup(case_is_folded_last, plain),
		cmocka_unit_test_setup(suffixes, plain),
		cmocka_unit_test_setup(suffixes_of_real_names, plain),
		cmocka_unit_test_setup(sub_mailboxes, plain),
		cmocka_unit_test_setup(no_name_leaves_its_folder, plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
