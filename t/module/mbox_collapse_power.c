/*
 * mbox_collapse_power.c - the power goes while blocks are cut out of the mbox,
 * or in the recovery after that.
 *
 * Runs in: tests.  As mbox_power.c; to cut blocks out is more than one step,
 * see power.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_journal.h"
#include "mbox_space.h"
#include "power.h"

static struct space box;
static long states, recoveries; /* that were tried in all */
static size_t turn; /* of the states */

/* The next session; the machine that had the dot lock is no more. */
static const char *
recover(void *arg, bool said)
{
	struct rig *r = arg;
	const char *wrong = NULL;
	bool kept;

	(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		return r->error.text;
	kept = space_holds(r, box.after, "");
	if (!kept && !space_holds(r, box.before, ""))
		wrong = "mail is lost";
	else if (!kept && said)
		wrong = "what was removed is there again";
	else
		wrong = space_wrong(&box, r, !kept);
	rig_close(r);
	if (wrong == NULL && rig_exists(r, MBOX_JOURNAL))
		wrong = "the journal is left";
	return wrong;
}

/* The power goes again while that is put right. */
static const char *
recover_twice(void *arg, bool said)
{
	struct power_sweep how = {
		.order = POWER_POSIX, .limit = 64, .judge = recover, .arg = arg
	};
	struct rig *r = arg;
	struct power *p;
	const char *wrong;

	if (turn++ % (power_deep() ? 8 : 64) != 0)
		return recover(arg, said);
	(void)unlink(r->lock);
	p = malloc(sizeof(*p));
	assert_non_null(p);
	power_start(p, r->top, 512);
	if (said)
		power_said(p);
	wrong = recover(arg, said);
	power_stop(p);
	if (wrong == NULL)
		recoveries += power_sweep(p, &how);
	power_free(p);
	free(p);
	return wrong;
}

static void
sweep(struct rig *r, size_t block, size_t limit)
{
	struct power_sweep how = {
		.limit = limit, .judge = recover_twice, .arg = r
	};
	struct power *p = malloc(sizeof(*p));

	assert_non_null(p);
	power_start(p, r->top, block);
	rig_open(r);
	assert_int_equal(rig_commit(r, box.marks), POPPER_DONE);
	power_said(p);
	rig_close(r);
	power_stop(p);
	for (how.order = POWER_JOURNAL; how.order <= POWER_POSIX; how.order++)
		states += power_sweep(p, &how);
	power_free(p);
	free(p);
}

static void
try_lens(struct rig *r, const size_t *lens, const char *marks)
{
	size_t blocks[] = { 4096, 512 };

	r->conf.collapse = 1;
	for (size_t i = 0; i < (power_deep() ? 2 : 1); i++) {
		space_make(&box, r, lens, marks);
		sweep(r, blocks[i], power_deep() ? 4096 : 128);
		space_free(&box);
	}
}

static void
middle(void **state)
{
	try_lens(*state, (const size_t[]){ 5000, 9000, 9000, 8000, 0 }, "-D--");
	try_lens(
	    *state, (const size_t[]){ 5000, 20000, 9000, 9055, 0 }, "-D--");
}

static void
front(void **state)
{
	try_lens(*state, (const size_t[]){ 9216, 9000, 7000, 0 }, "D--");
}

/* The file ends with a block. */
static void
even(void **state)
{
	try_lens(
	    *state, (const size_t[]){ 5000, 9000, 9000, 13864, 0 }, "-D--");
}

static void
several(void **state)
{
	try_lens(*state,
	    (const size_t[]){ 4095, 3000, 500, 20000, 800, 6000, 9000, 0 },
	    "-D-D-D-");
}

/* It had a pad already. */
static void
padded(void **state)
{
	struct rig *r = *state;

	r->conf.collapse = 1;
	space_make(&box, r,
	    (const size_t[]){ 700, 6100, 6000, 300, 9000, 9000, 0 }, "--D---");
	rig_open(r);
	assert_int_equal(rig_commit(r, box.marks), POPPER_DONE);
	rig_close(r);
	space_again(&box, r, "-D---");
	sweep(r, 4096, power_deep() ? 4096 : 128);
	space_free(&box);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(middle),
		TEST(front),
		TEST(even),
		TEST(several),
		TEST(padded),
	};
	int failed = cmocka_run_group_tests_name(
	    "mbox_collapse_power", tests, NULL, NULL);

	fprintf(
	    stderr, "# %ld states, %ld of recoveries\n", states, recoveries);
	return failed;
}
