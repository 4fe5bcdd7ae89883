/*
 * ext_mangle_confine.c - what the child that looks into a message may do if it
 * was taken over.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "bed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mangle.h"

/* In the child: which of its attempts on the user's mail succeeds? */
static int
attempt(const char *mail)
{
	const struct mangle_conf conf = { .time = 60 };
	int in = open("/dev/null", O_RDONLY), out = open("/dev/null", O_WRONLY);

	if (mangle_confine(&conf, in, out) == -1)
		return 1;
	if (open(mail, O_RDONLY) != -1 || open(mail, O_WRONLY) != -1)
		return 2;
	if (truncate(mail, 0) != -1 || errno != EACCES)
		return 3;
	if (unlink(mail) != -1 || rename(mail, "/tmp/elsewhere") != -1)
		return 4;
	return kill(getppid(), 0) == -1 ? 0 : 5;
}

static void
mail_is_out_of_reach(void **state)
{
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, 1u);
	struct bed bed;
	char mail[300];
	int status;
	pid_t pid;

	(void)state;
	if (version < 6)
		skip(); /* such a kernel cannot forbid all of it */
	bed_open(&bed);
	bed_text(&bed, "mail", "From a@b\n");
	(void)snprintf(mail, sizeof(mail), "%s", bed_path(&bed, "mail"));
	if ((pid = fork()) == 0)
		_exit(attempt(mail));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	bed_close(&bed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_is_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
