/*
 * ext_xmit_run.c - XTND XMIT: how the MTA is started and may end, what is
 * counted, and what a session that was taken over gets.
 *
 * Runs in: tests.
 */
#include "xmit_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* --- The MTA. --- */

static void
exit_codes_become_response_codes(void **state)
{
	static const int temporary[] = { 69, 71, 73, 74, 75, 76 };
	char script[100], text[100];
	bool may_pass;

	(void)state;
	for (int code = 1; code < 256; code += code < 80 ? 1 : 25) {
		(void)snprintf(script, sizeof(script),
		    "echo 'bad luck'; echo more >&2; exit %d", code);
		write_sendmail(script);
		may_pass = false;
		for (size_t i = 0; i < 6; i++)
			may_pass = may_pass || temporary[i] == code;
		conf.per_hour = 0;
		conf.per_session = 0;
		assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
		assert_int_equal(error.status,
		    may_pass ? POPPER_TEMPORARY : POPPER_PERMANENT);
		assert_string_equal(error.reply, "Unable to send message");
		(void)snprintf(text, sizeof(text),
		    "ended with status %d: bad luck more", code);
		assert_non_null(strstr(error.text, text));
	}
}

static void
an_mta_that_fails_otherwise(void **state)
{
	(void)state;
	write_sendmail("kill -9 $$");
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_non_null(strstr(error.text, "signal 9"));
	bed_remove(&bed, "sendmail");
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_PERMANENT);
	assert_non_null(strstr(error.text, "cannot be started"));
	assert_int_equal(error.system, ENOENT);
	conf.sendmail = "sendmail";
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_string_equal(bed_said, "");
	assert_int_equal(error.status, POPPER_PERMANENT);
}

static bool
runs(int pid)
{
	char path[60], state = 'Z';
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((file = fopen(path, "r")) == NULL)
		return false;
	if (fscanf(file, "%*d %*s %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state != 'Z';
}

static void
an_mta_that_hangs_is_ended(void **state)
{
	(void)state;
	/* It says more than a pipe holds, and has a child. */
	write_sendmail("sleep 1000 & echo $! >pid; seq 100000; wait");
	conf.time_limit = 1;
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_non_null(strstr(error.text, "time-limit"));
	while (runs(atoi(content("pid"))))
		continue; /* it has got its signal */
	/* A background process that keeps its output is not waited for. */
	write_sendmail("sleep 1000 & echo $! >pid; exit 0");
	conf.time_limit = 100;
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	assert_int_equal(kill(atoi(content("pid")), SIGKILL), 0);
}

static void
an_mta_that_reads_nothing(void **state)
{
	static char text[90000];
	size_t len = strlen(strcpy(text, HEAD "\r\n"));

	(void)state;
	while (len < sizeof(text) - 80)
		len += (size_t)sprintf(text + len, "line %zu\r\n", len);
	strcpy(text + len, ".\r\n");
	write_sendmail("exit 0");
	assert_int_equal(transmit(text), 0);
	write_sendmail("exec 0<&-; exit 75");
	assert_int_equal(transmit(text), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
}

static void
how_the_mta_is_started(void **state)
{
	char want[500];
	const char *ignored;

	(void)state;
	assert_true(setenv("LD_PRELOAD", "", 1) == 0);
	assert_true(setenv("SECRET", "x", 1) == 0);
	strcpy(bed.identity.home, "/home/alice");
	write_sendmail("env >environment; readlink /proc/$$/cwd >cwd\n"
		       "ls /proc/$$/fd >fds; umask >umask\n"
		       "grep '^Sig[BI]' /proc/self/status >signals\n"
		       "cut -d ' ' -f 6 /proc/$$/stat >session; echo $$ >pid");
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	assert_null(strstr(content("environment"), "SECRET"));
	assert_null(strstr(content("environment"), "LD_PRELOAD"));
	assert_non_null(strstr(
	    content("environment"), "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
	assert_non_null(strstr(content("environment"), "HOME=/home/alice\n"));
	assert_non_null(strstr(content("environment"), "USER=alice\n"));
	assert_non_null(strstr(content("environment"), "LOGNAME=alice\n"));
	assert_string_equal(content("umask"), "0077\n");
	assert_non_null(
	    strstr(content("signals"), "SigBlk:\t0000000000000000"));
	ignored = strstr(content("signals"), "SigIgn:\t");
	assert_non_null(ignored);
	/* The C library keeps 32 and 33 to itself, also when they come ignored
	 * from whoever started us. */
	assert_int_equal(strtoull(ignored + 8, NULL, 16) & ~0x180000000ull, 0);
	(void)snprintf(want, sizeof(want), "%s", content("pid"));
	assert_string_equal(content("session"), want);
	/* The shell may have the script open as 10 or 255. */
	assert_int_equal(strncmp(content("fds"), "0\n1\n", 4), 0);
	assert_null(strstr(content("fds"), "\n3\n"));
	assert_null(strstr(content("fds"), "\n4\n"));
}

/* --- Limits. --- */

static void
messages_of_a_session_are_counted(void **state)
{
	(void)state;
	conf.per_session = 2;
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_string_equal(bed_said, ""); /* before it is sent */
	assert_int_equal(attended, 2);
	/* Nor if the session forgets to count. */
	ext()->stop(self);
	assert_int_equal(
	    ext()->start(&bed_host, &conf, &bed.place, &self, &error), 0);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_int_equal(attended, 3);
}

static void
messages_of_an_hour_are_counted(void **state)
{
	unsigned long long now = (unsigned long long)time(NULL);
	char text[200];

	(void)state;
	conf.per_hour = 2;
	/* An old one, one of a future that was, one of this hour. */
	(void)snprintf(text, sizeof(text), "%llu\n%llu\n%llu\n", now - 3601,
	    now + 100000, now - 1800);
	bed_text(&bed, "state/xmit.sent", text);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_string_equal(error.reply, "too many messages, try again later");
	assert_string_equal(bed_said, "");
	assert_int_equal(attended, 1);
	/* One that is refused costs nothing. */
	conf.per_hour = 3;
	bed_remove(&bed, "message");
	expect_refused("From: x@y\r\n\r\n.\r\n", "From must be");
}

static void
a_damaged_count_is_no_obstacle(void **state)
{
	char text[5000];

	(void)state;
	conf.per_hour = 1;
	bed_text(&bed, "state/xmit.sent", "12345");
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	bed_text(&bed, "state/xmit.sent", text);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), 0);
	bed_remove(&bed, "state/xmit.sent");
	assert_int_equal(
	    symlink("/etc/passwd", bed_path(&bed, "state/xmit.sent")), 0);
	assert_int_equal(transmit(HEAD "\r\n.\r\n"), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
}

/* --- What goes wrong on the way. --- */

static void
a_client_that_goes_away(void **state)
{
	(void)state;
	assert_int_equal(transmit(HEAD "\r\nhalf"), -1);
	assert_int_equal(transmit(HEAD "\r\nwhole line\r\n"), -1);
	assert_int_equal(transmit(HEAD "\r\n."), -1);
	assert_int_equal(attended, 0);
	assert_false(bed_exists(&bed, "message"));
}

static void
a_full_disk_is_temporary(void **state)
{
	static char text[90000];
	size_t len = strlen(strcpy(text, HEAD "\r\n"));
	struct rlimit old, small;

	(void)state;
	while (len < sizeof(text) - 80)
		len += (size_t)sprintf(text + len, "line %zu\r\n", len);
	strcpy(text + len, ".\r\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 70000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(transmit(text), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_int_equal(error.system, EFBIG);
	assert_int_equal(sent_len, 0); /* read to the dot */
	assert_int_equal(attended, 0);
}

/* --- A session that has been taken over. --- */

static int
attend_with(int fd)
{
	const struct popper_errand errand = { .size = sizeof(errand),
		.fd = fd };

	memset(&error, 0, sizeof(error));
	return ext()->attend(&bed_host, &conf, &bed.place, &errand, &error);
}

static int
memory(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
the_attendant_checks_for_itself(void **state)
{
	static char large[110000];
	int fd;

	(void)state;
	assert_int_equal(attend_with(-1), -1);
	fd = memory("From: root@example.org\nTo: a@b\n\nx\n");
	assert_int_equal(attend_with(fd), -1);
	assert_int_equal(error.status, POPPER_INVALID);
	close(fd);
	fd = memory("From: alice@example.org\rX: y\nTo: a@b\n\nx\n");
	assert_int_equal(attend_with(fd), -1);
	close(fd);
	fd = memory("To: a@b\n\nx\n");
	assert_int_equal(attend_with(fd), -1);
	close(fd);
	memset(large, 'x', sizeof(large) - 1);
	fd = memory(large);
	assert_int_equal(attend_with(fd), -1);
	assert_non_null(strstr(error.reply, "too large"));
	close(fd);
	conf.size_limit = sizeof(large);
	memcpy(large, "X: ", 3);
	fd = memory(large);
	assert_int_equal(attend_with(fd), -1);
	assert_non_null(strstr(error.reply, "too long"));
	close(fd);
	assert_false(bed_exists(&bed, "message"));
}

static void
what_is_checked_is_what_is_sent(void **state)
{
	static const char good[] =
	    "From: alice@example.org\nTo: b@c\n\nFrom: x@y\nTo: z@z\n\nx\n";
	void *map;
	int fd;

	(void)state;
	/* Not a file, a file others may write, memory somebody can write. */
	assert_int_equal(attend_with(STDIN_FILENO), -1);
	bed_text(&bed, "plain", good);
	fd = open(bed_path(&bed, "plain"), O_RDWR | O_CLOEXEC);
	assert_int_equal(attend_with(fd), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	close(fd);
	fd = memory(good);
	map = mmap(NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(attend_with(fd), -1);
	munmap(map, 10);
	assert_false(bed_exists(&bed, "message"));
	/* Where the session reads does not matter, and it is sealed. */
	assert_true(lseek(fd, 35, SEEK_SET) == 35);
	assert_int_equal(attend_with(fd), 0);
	assert_string_equal(content("message"), good);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	close(fd);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(exit_codes_become_response_codes),
		TEST(an_mta_that_fails_otherwise),
		TEST(an_mta_that_hangs_is_ended),
		TEST(an_mta_that_reads_nothing),
		TEST(how_the_mta_is_started),
		TEST(messages_of_a_session_are_counted),
		TEST(messages_of_an_hour_are_counted),
		TEST(a_damaged_count_is_no_obstacle),
		TEST(a_client_that_goes_away),
		TEST(a_full_disk_is_temporary),
		TEST(the_attendant_checks_for_itself),
		TEST(what_is_checked_is_what_is_sent),
	};

	return cmocka_run_group_tests_name("xmit_run", tests, NULL, NULL);
}
