/* test_shared.c - src/auth/shared.c and digest.c */
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/digest.h"
#include "auth/shared.h"

/* A gate is killed while it holds the lock. */
static void
survives_a_killed_gate(void **state)
{
	pthread_mutex_t *m = shared_make(sizeof(*m));
	pid_t pid;
	int status;

	(void)state;
	shared_lock_make(m);
	pid = fork();
	if (pid == 0) {
		shared_lock(m);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	for (int i = 0; i < 2; i++) {
		shared_lock(m);
		shared_unlock(m);
	}
	assert_int_equal(munmap(m, sizeof(*m)), 0);
}

static void
digests_depend_on_everything(void **state)
{
	unsigned char a[DIGEST_LEN], b[DIGEST_LEN];

	(void)state;
	digest_of("p", "bob", S("x"), a);
	digest_of("p", "bob", S("x"), b);
	assert_memory_equal(a, b, sizeof(a));
	digest_of("q", "bob", S("x"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_of("p", "bobx", S(""), b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_of("p", "bob", S("x\0"), b);
	assert_memory_not_equal(a, b, sizeof(a));
	digest_start();
	digest_of("p", "bob", S("x"), b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_killed_gate),
		cmocka_unit_test(digests_depend_on_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
