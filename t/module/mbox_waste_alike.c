/*
 * mbox_waste_alike.c - purge = lazy, and messages that only say they are equal.
 *
 * Runs in: tests.
 *
 * Any sender can write an X-UIDL field, and messages with one id have one hash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_rig.h"

#define A FROM_A "X-UIDL: same\nSubject: A\n\nText of A\n\n"
#define B FROM_B "Subject: B\n\nText of B\n\n"
#define C FROM_B "X-UIDL: same\nSubject: C\n\nText of C\n\n"
#define D FROM_A "X-UIDL: same\nSubject: D\n\nText of D\n\n"

static void
expect_shown(struct rig *r, const char *subjects)
{
	struct popper_slice text;
	char got[8] = "";
	size_t i;

	rig_open(r);
	for (i = 0; i < r->drop->count(r->self) && i + 1 < sizeof(got); i++) {
		text = rig_read(r, i, 0);
		got[i] = strstr(text.ptr, "Subject: ")[9];
		free((void *)(uintptr_t)text.ptr);
	}
	assert_string_equal(got, subjects);
	rig_close(r);
}

static void
delete_lazily(struct rig *r, const char *marks)
{
	r->conf.purge = "lazy";
	r->conf.purge_time = "";
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	rig_close(r);
	assert_true(rig_exists(r, "waste"));
}

/* What is gone was removed, and a message of another content, with its id, came
 * in its place. */
static void
another_is_shown(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B);
	delete_lazily(r, "D-");
	rig_put(r, B C);
	expect_shown(r, "BC");
}

/* The numbers of equal ones are no help then. */
static void
of_several_all_others_are(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C);
	delete_lazily(r, "D--");
	expect_shown(r, "BC");
	rig_put(r, B C D);
	expect_shown(r, "BCD");
}

/* What a mail program notes in the header makes no other message of it. */
static void
it_stays_gone(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C);
	delete_lazily(r, "D--");
	rig_put(r,
	    FROM_A
	    "X-UIDL: same\nSubject: A\nStatus: O\n\nText of A\n\n" B C D);
	expect_shown(r, "BCD");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(another_is_shown),
		TEST(of_several_all_others_are),
		TEST(it_stays_gone),
	};

	return cmocka_run_group_tests_name(
	    "mbox_waste_alike", tests, NULL, NULL);
}
