/* test_host.c - src/mod/host.c */
#include "unit.h"

#include <stdio.h>

#include "base/text.h"
#include "mod/host.h"

#include <popper/auth.h>

static struct popper_identity who;
static struct popper_error e;
static char out[POPPER_PATH_MAX + 1];

static void
is(const char *user, const char *home)
{
	memset(&who, 0, sizeof(who));
	text_copy(who.user, sizeof(who.user), user);
	text_copy(who.home, sizeof(who.home), home);
}

static int
expand(const char *path)
{
	return host_services.expand(out, sizeof(out), path, &who, &e);
}

static void
becomes(const char *path, const char *wanted)
{
	if (expand(path) == -1)
		fail_msg("%s: %s", path, e.text);
	assert_string_equal(out, wanted);
}

static void
refused(const char *path)
{
	if (expand(path) != -1)
		fail_msg("%s of \"%s\" became %s", path, who.user, out);
	assert_int_equal(e.status, POPPER_PERMANENT);
	assert_non_null(strstr(e.text, "cannot be made"));
}

static void
knows_every_form(void **state)
{
	(void)state;
	is("alice@example.org", "/users/alice");
	becomes("/var/mail/plain", "/var/mail/plain");
	becomes("~/Maildir", "/users/alice/Maildir");
	becomes("%h/mail", "/users/alice/mail");
	becomes("/m/%u", "/m/alice@example.org");
	becomes("/m/%d/%n", "/m/example.org/alice");
	becomes("/m/%1/%2/%u", "/m/a/l/alice@example.org");
	becomes("/m/100%%/%1%2", "/m/100%/al");
	becomes("/~/x", "/~/x");
	/* Qpopper's hash-spool 1: five octets count, not four. */
	is("maida", "/b");
	becomes("/m/%H/%u", "/m/o/maida");
	is("mary", "/b");
	becomes("/m/%H/%u", "/m/z/mary");
	is("root", "/b");
	becomes("/m/%H", "/m/k");
	is("maidas", "/b");
	becomes("/m/%H", "/m/o");
	is("bob", "/b");
	becomes("/m/%n", "/m/bob");
	is("x", "/b");
	becomes("/m/%1/%2/%u", "/m/x/x/x");
	is("a@b@c", "/b");
	becomes("/m/%n/%d", "/m/a@b/c");
	is("with space", "/b");
	becomes("/m/%u", "/m/with space");
	is("\xc3\xa4@x", "/b");
	becomes("/m/%u", "/m/\xc3\xa4@x");
}

static void
refuses_what_is_not_there(void **state)
{
	(void)state;
	is("bob", "");
	refused("~/Maildir");
	refused("%h/x");
	refused("/m/%d");
	is("bob", "home/bob");
	refused("~/Maildir");
	is("bob", "/home/bob");
	refused("/m/%");
	refused("/m/%x");
	refused("/m/% u");
	refused("");
	refused("mail/%u");
	refused("%u");
	refused("~");
	refused("~bob/mail");
	refused("./x");
	is("", "/");
	refused("/m/%u");
	refused("/m/%1");
	refused("/m/%2");
	refused("/m/%H");
	is("@example.org", "/");
	refused("/m/%n");
	is("alice@", "/");
	refused("/m/%d");
}

static void
lets_no_name_leave_its_folder(void **state)
{
	static const char *const hostile[] = { "..", ".", "../root", ".ssh",
		"a/../../etc", "/etc/passwd", "a/b", "/", "a\nb", "a\tb",
		"a\x7f", "\x01", "./", ".@x" };

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		is(hostile[i], "/home/x");
		refused("/m/%u");
		refused("/m/x%u/y");
		becomes("/m/fixed", "/m/fixed");
	}
	is("x@../../etc", "/");
	refused("/m/%d");
	refused("/m/%u");
	is("x@.hidden", "/");
	refused("/m/%d");
	is("../x@example.org", "/");
	refused("/m/%n");
	refused("/m/%1");
	is("a/b", "/");
	becomes("/m/%1", "/m/a");
	refused("/m/%2");
	is("a.b", "/");
	refused("/m/%2");
	becomes("/m/%u", "/m/a.b");
}

static void
keeps_to_its_room(void **state)
{
	char small[8];

	(void)state;
	is("bob", "/home/bob");
	assert_int_equal(host_expand(small, 7, "/m/%u", &who, &e), 0);
	assert_string_equal(small, "/m/bob");
	assert_int_equal(host_expand(small, 6, "/m/%u", &who, &e), -1);
	assert_int_equal(host_expand(small, 1, "/", &who, &e), -1);
	assert_string_equal(small, "");
	assert_int_equal(host_expand(small, 2, "/", &who, &e), 0);
	memset(who.user, 'u', POPPER_USER_MAX);
	assert_int_equal(expand("/%u/%u/%u"), 0);
	assert_int_equal(expand("/%u/%u/%u/%u/%u"), -1);
}

static void
offers_services(void **state)
{
	char secret[4] = "abc";

	(void)state;
	assert_int_equal(host_services.size, sizeof(struct popper_host));
	assert_int_equal(
	    (host_services.fail)(&e, POPPER_IN_USE, "lock %d", 3), -1);
	assert_int_equal(e.status, POPPER_IN_USE);
	assert_string_equal(e.text, "lock 3");
	host_services.wipe(secret, sizeof(secret));
	assert_memory_equal(secret, "\0\0\0", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_every_form),
		cmocka_unit_test(refuses_what_is_not_there),
		cmocka_unit_test(lets_no_name_leave_its_folder),
		cmocka_unit_test(keeps_to_its_room),
		cmocka_unit_test(offers_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
