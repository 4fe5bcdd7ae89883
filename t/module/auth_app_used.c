/* auth_app_used.c - the app module: when a device was last used. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app.h"

/* All of the file of last use. */
static const char *
used_text(void)
{
	static char text[8192];
	int fd = open(app_used_path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	assert_int_equal(close(fd), 0);
	return text;
}

#define KEY_1 "ae9b3b8ad01a36a174f169cc3c75c47a"
#define KEY_2 "32846a20556b5c6f72b12029455bb41c"
#define BOTH "ann:Phone:" ONE_HASH ":1\nann:Tablet:" TWO_HASH ":1\n"

static void
last_use_is_kept(void **state)
{
	struct stat st;

	(void)state;
	app_begin_with(BOTH);
	assert_int_equal(stat(app_used_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_string_equal(used_text(), "");
	assert_int_equal(app_login("ann", "wrong"), POPPER_AUTH_NEXT);
	assert_string_equal(used_text(), "");
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_string_equal(used_text(), KEY_1 " 00000000001795323000\n");
	app_clock += 59;
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_int_equal(app_login("ann", TWO), POPPER_AUTH_YES);
	assert_string_equal(used_text(),
	    KEY_1 " 00000000001795323000\n" KEY_2 " 00000000001795323059\n");
	app_clock += 1;
	app_begin_with(BOTH); /* survives a restart */
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_string_equal(used_text(),
	    KEY_1 " 00000000001795323060\n" KEY_2 " 00000000001795323059\n");
	app_clock -= 1000; /* the clock was wrong */
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_string_equal(used_text(),
	    KEY_1 " 00000000001795322060\n" KEY_2 " 00000000001795323059\n");
	app_knows = POPPER_DENIED;
	app_clock += 2000;
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_NO);
	assert_string_equal(used_text(),
	    KEY_1 " 00000000001795322060\n" KEY_2 " 00000000001795323059\n");
}

static void
damage_to_last_use_is_mended(void **state)
{
	static const char *const damaged[] = {
		KEY_1 " 0000000000179532",
		KEY_1 " 00000000001795323000x",
		KEY_1 "_00000000001795323000\n",
		KEY_1 " 0000000000x795323000\n",
		KEY_1 " 99999999999999999999\n",
		KEY_1 " 00000000000000000000\n",
		"00000000000000000000000000000000 00000000000000000000\n",
		"\n\n\n\n\n\n\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		(void)auth_write("used", 0600, damaged[i]);
		app_begin_with(BOTH);
		assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
		assert_memory_equal(
		    used_text(), KEY_1 " 00000000001795323000\n", 54);
		assert_int_equal(app_login("ann", TWO), POPPER_AUTH_YES);
		assert_string_equal(used_text(),
		    KEY_1 " 00000000001795323000\n" KEY_2
			  " 00000000001795323000\n");
	}
}

static void
last_use_stops_no_login(void **state)
{
	int fd;

	(void)state;
	app_begin_with(BOTH);
	fd = open(app_used_path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_string_equal(used_text(), "");
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(app_used_path), 0);
	assert_int_equal(symlink(app_path, app_used_path), 0);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	app_begin_with(BOTH);
	assert_int_equal(auth_logged("last use is not kept"), 1);
	assert_int_equal(unlink(app_used_path), 0);
	assert_int_equal(mkfifo(app_used_path, 0600), 0);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_int_equal(unlink(app_used_path), 0);
	(void)auth_write("used", 0644, "");
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	assert_string_equal(used_text(), "");
	auth_forget();
	app_settings.last_use = "/nowhere/used";
	app_begin_with(BOTH);
	assert_int_equal(auth_logged("/nowhere/used"), 1);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	auth_forget();
	app_settings.last_use = "";
	app_begin_with(BOTH);
	assert_int_equal(auth_logged("app"), 0);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
}

static void
a_thousand_devices_have_their_record(void **state)
{
	enum { DEVICES = 1500 };
	static char text[DEVICES * 54 + 1];

	(void)state;
	for (size_t i = 0; i < DEVICES; i++)
		(void)snprintf(
		    text + 54 * i, 55, "%032zu 00000000001795000000\n", i + 1);
	(void)auth_write("used", 0600, text);
	memcpy(text + 54 * 1400, KEY_1, 32);
	app_begin_with(BOTH);
	assert_int_equal(app_login("ann", TWO), POPPER_AUTH_YES);
	(void)auth_write("used", 0600, text);
	assert_int_equal(app_login("ann", ONE), POPPER_AUTH_YES);
	{
		int fd = open(app_used_path, O_RDONLY | O_CLOEXEC);
		char record[55] = "";

		assert_int_not_equal(fd, -1);
		assert_int_equal(pread(fd, record, 54, 54 * 1400), 54);
		assert_string_equal(record, KEY_1 " 00000000001795323000\n");
		assert_int_equal(lseek(fd, 0, SEEK_END), DEVICES * 54);
		assert_int_equal(close(fd), 0);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, app_setup, app_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(last_use_is_kept),
		TEST(damage_to_last_use_is_mended),
		TEST(last_use_stops_no_login),
		TEST(a_thousand_devices_have_their_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
