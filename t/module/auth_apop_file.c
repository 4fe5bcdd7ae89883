/* auth_apop_file.c - the apop module: databases it must not trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "apop.h"

/* Both at the start and at a login; never "wrong password". */
static void
refuse_file(const char *why)
{
	struct popper_error e = { .text = "" };
	void *other;

	assert_int_equal(
	    ap_driver->start(&auth_host, &ap_conf, &other, &e), -1);
	if (strstr(e.text, why) == NULL || strstr(e.text, ap_file) == NULL)
		print_error("\"%s\" does not say \"%s\"\n", e.text, why);
	assert_non_null(strstr(e.text, why));
	assert_non_null(strstr(e.text, ap_file));
	assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_LATER);
	assert_int_equal(ap_login("carol", DIGEST), POPPER_AUTH_LATER);
	ap_conf.only = true;
	assert_int_equal(
	    ap_attempt("USER", "carol", "", popper_slice_text("word")),
	    POPPER_AUTH_LATER);
	ap_conf.only = false;
}

static void
files_that_others_reach_are_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0620, 0604, 0602, 0610, 0666 };

	(void)state;
	ap_start();
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		assert_int_equal(chmod(ap_file, modes[i]), 0);
		refuse_file("lets others in; chmod 600 it");
	}
	assert_int_equal(chmod(ap_file, 0600), 0);
	assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_YES);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(ap_file, 65534, 65534), 0);
	refuse_file("owned by uid 65534");
	ap_driver->stop(ap_self);
	ap_conf.owner = "nobody";
	ap_start();
	assert_int_equal(ap_login("mrose", DIGEST), POPPER_AUTH_YES);
}

static void
what_is_no_database_is_refused(void **state)
{
	char aside[512], octets[2000] = "";
	void *other;

	(void)state;
	ap_start();
	assert_int_equal(unlink(ap_file), 0);
	refuse_file("popauth init");
	(void)auth_write("mailauth", 0600, "mrose:tanstaaf\n");
	refuse_file("is it a GDBM database?");
	(void)auth_write("mailauth", 0600, "");
	refuse_file("is it a GDBM database?");
	memset(octets, 'x', sizeof(octets) - 1);
	(void)auth_write("mailauth", 0600, octets);
	refuse_file("is it a GDBM database?");
	(void)snprintf(aside, sizeof(aside), "%s/aside", auth_folder);
	assert_int_equal(rename(ap_file, aside), 0);
	assert_int_equal(symlink(aside, ap_file), 0);
	refuse_file("symbolic link");
	assert_int_equal(unlink(ap_file), 0);
	assert_int_equal(mkfifo(ap_file, 0600), 0);
	refuse_file("not a regular file");
	ap_conf.owner = "no such account here";
	assert_int_equal(
	    ap_driver->start(&auth_host, &ap_conf, &other, &ap_error), -1);
	assert_non_null(strstr(ap_error.text, ap_conf.owner));
}

static void
overwrite(const char *octets, size_t len)
{
	FILE *f = fopen(ap_file, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Any octet may have changed: an answer, never a crash, and nobody gets in
 * by another's digest. */
static void
damage_is_no_wrong_password(void **state)
{
	char whole[65536], broken[65536];
	enum popper_verdict v;
	size_t len, later = 0, cuts = 0;
	FILE *f;

	(void)state;
	ap_start();
	f = fopen(ap_file, "rb");
	assert_non_null(f);
	len = fread(whole, 1, sizeof(whole), f);
	assert_int_equal(fclose(f), 0);
	assert_true(len > 1000 && len < sizeof(whole));
	for (size_t at = 0; at < len; at += at < 256 ? 1 : 61) {
		memcpy(broken, whole, len);
		broken[at] = (char)~broken[at];
		overwrite(broken, len);
		v = ap_login("mrose", "0123456789abcdef0123456789abcdef");
		assert_true(v == POPPER_AUTH_LATER || v == POPPER_AUTH_NEXT ||
		    v == POPPER_AUTH_NO);
		later += v == POPPER_AUTH_LATER;
	}
	assert_true(later >= 32); /* most of the header */
	for (size_t cut = 0; cut < len; cut += 997) {
		overwrite(whole, cut);
		v = ap_login("mrose", DIGEST);
		assert_true(v == POPPER_AUTH_LATER || v == POPPER_AUTH_YES);
		cuts += v == POPPER_AUTH_LATER;
	}
	assert_true(cuts >= 8); /* a whole block at the end is of no use */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, ap_setup, ap_teardown)
		TEST(files_that_others_reach_are_refused),
		TEST(what_is_no_database_is_refused),
		TEST(damage_is_no_wrong_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
