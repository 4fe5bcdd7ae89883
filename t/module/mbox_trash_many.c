/*
 * mbox_trash_many.c - much trash comes back, too.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mbox_trash.h"

#define BATCHES 150
#define FILES 96 /* that may be open at once */

/* A client that deletes each message when it comes leaves a batch for each. */
static void
more_batches_than_files(void **state)
{
	struct rig *r = *state;
	struct rlimit limit, few;
	char text[128], *all = NULL;
	uint64_t count = 0;
	size_t size, i;
	int result;
	FILE *f;

	r->conf.trash = 86400;
	assert_non_null(f = open_memstream(&all, &size));
	for (i = 0; i < BATCHES; i++) {
		(void)snprintf(text, sizeof(text),
		    FROM_A "Subject: %zu\n\nText %zu\n\n", i, i);
		(void)fputs(text, f);
		rig_put(r, text);
		rig_open(r);
		assert_int_equal(rig_commit(r, "D"), POPPER_DONE);
		rig_close(r);
	}
	(void)fclose(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = FILES;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	result = rig_undelete(r, 0, &count);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (result == -1)
		fail_msg("undelete: %s", r->error.text);
	assert_int_equal(count, BATCHES);
	rig_expect(r, all);
	free(all);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(more_batches_than_files),
	};

	return cmocka_run_group_tests_name(
	    "mbox_trash_many", tests, NULL, NULL);
}
