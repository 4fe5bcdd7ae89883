/*
 * mbox_waste_again.c - purge = lazy: what is gone stays gone, whatever becomes
 * of unique-ids, and what comes once more is shown.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_index_rig.h"

#define A FROM_A "Subject: A\n\nText of A\n\n"
#define B FROM_B "Subject: B\n\nText of B\n\n"
#define C FROM_B "Subject: C\n\nText of C\n\n"
#define D FROM_A "Subject: D\n\nText of D\n\n"
#define E FROM_B "Subject: E\n\nText of E\n\n"
/* As a mail program writes them back. */
#define B2 FROM_B "Subject: B\nStatus: RO\n\nText of B\n\n"
#define C2 FROM_B "Subject: C\nStatus: RO\n\nText of C\n\n"

static void
expect_shown(struct rig *r, const char *subjects)
{
	struct popper_slice text;
	char got[16] = "";
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

static void delete (struct rig *r, const char *marks)
{
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	rig_close(r);
}

/* Ids are others, and mail came: both together. */
static void
other_unique_ids(void **state)
{
	static const char *const words[] = { "popper", "qpopper", "popa3d",
		"solid", "tpop3d", "dovecot" };
	const size_t count = sizeof(words) / sizeof(*words);
	struct rig *r = *state;

	for (size_t i = 0; i < count; i++) {
		r->conf.unique_id = words[i];
		rig_put(r, A B C);
		delete (r, "D--");
		r->conf.unique_id = words[(i + 1) % count];
		rig_deliver(r, D);
		expect_shown(r, "BCD");
		/* Some ids only, by an import. */
		rig_deliver(r, E);
		expect_shown(r, "BCDE");
		(void)unlinkat(r->state, "waste", 0);
	}
}

static void
damage_uids(struct rig *r)
{
	int fd = openat(
	    r->state, "uids", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "popper uids 1\nodd", 17), 17);
	assert_int_equal(close(fd), 0);
}

/* What nobody asks for need not be there. */
static void
damaged_uids(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C);
	damage_uids(r);
	delete (r, "D--");
	rig_expect(r, A B C);
	expect_shown(r, "BC");
	rig_deliver(r, D);
	expect_shown(r, "BCD");
	delete (r, "D--");
	rig_expect(r, A B C D);
	r->conf.purge = "quit";
	delete (r, "-D");
	rig_expect(r, C);
	assert_non_null(strstr(rig_log(), "put it right, or remove it"));
	assert_non_null(strstr(rig_log(), "removing messages without them"));
	assert_true(rig_exists(r, "uids"));
}

/* Another program has removed what was gone, and it comes once more. */
static void
comes_again(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C);
	delete (r, "D--");
	rig_put(r, B C A);
	expect_shown(r, "BCA");
	/* Also at once, and with more mail. */
	rig_put(r, A B C);
	delete (r, "D--");
	rig_put(r, B2 C2 D A E);
	expect_shown(r, "BCDAE");
	assert_false(rig_exists(r, "waste"));
	/* It is still there and comes once more. */
	rig_put(r, A B C);
	delete (r, "D--");
	rig_deliver(r, A);
	expect_shown(r, "BCA");
	rig_put(r, A B2 C2 A);
	expect_shown(r, "BCA");
}

/* Those that stayed are gone, too, as far as the note knows them. */
static void
comes_again_alone(void **state)
{
	struct rig *r = *state;

	rig_put(r, B A C);
	delete (r, "-D-");
	rig_put(r, B A);
	expect_shown(r, "BA");
	rig_put(r, B A C);
	delete (r, "-D-");
	rig_put(r, A);
	expect_shown(r, "A");
}

/* It is put back together with one that stayed. */
static void
comes_again_in_company(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	delete (r, "D---");
	rig_put(r, B C A D);
	expect_shown(r, "BCAD");
	rig_put(r, A B C D);
	delete (r, "-D--");
	rig_put(r, A D B C);
	expect_shown(r, "ADBC");
	rig_put(r, A B C D);
	delete (r, "-D--");
	rig_put(r, C D A B E);
	expect_shown(r, "CDABE");
}

/* The end of the mbox, behind all that stayed. */
static void
the_end(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	delete (r, "D-DD");
	rig_expect(r, A B C D);
	rig_deliver(r, E);
	expect_shown(r, "BE");
	rig_deliver(r, D);
	expect_shown(r, "BED");
	/* All of it is there, and only that. */
	rig_put(r, A B2 C2 D E D);
	expect_shown(r, "BED");
	rig_put(r, B2 C2 D E);
	expect_shown(r, "BE");
	rig_put(r, A B C D);
	delete (r, "D-DD");
	/* It does not follow what it followed. */
	rig_put(r, A B D E);
	expect_shown(r, "BDE");
	/* What is shown once is not hidden later. */
	rig_put(r, A B C D E);
	expect_shown(r, "BCDE");
}

/* A part of it may have been removed, and have come once more. */
static void
not_all_of_the_end(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	delete (r, "D-DD");
	rig_put(r, A B2 C);
	expect_shown(r, "BC");
}

/* An equal one stayed. */
static void
equal_ones(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B A C);
	delete (r, "D---");
	rig_deliver(r, A);
	expect_shown(r, "BACA");
	rig_put(r, A B2 A C2 A);
	expect_shown(r, "BACA");
	/* Either of them may be the one that was removed. */
	rig_put(r, B2 A C2 A);
	expect_shown(r, "BACA");
	/* The last one stayed, and it is the only one that did. */
	rig_put(r, A A);
	delete (r, "D-");
	rig_deliver(r, A);
	expect_shown(r, "AA");
}

/* Another program removes all that came last: older ones tell. */
static void
most_are_removed(void **state)
{
	char text[96], marks[203] = "D";
	struct rig *r = *state;

	memset(marks + 1, '-', sizeof(marks) - 2);
	rig_put(r, A B);
	for (int i = 0; i < 200; i++) {
		(void)snprintf(
		    text, sizeof(text), FROM_A "Subject: %d\n\nx\n\n", i);
		rig_deliver(r, text);
	}
	delete (r, marks);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 201);
	rig_close(r);
	rig_put(r, A B2);
	for (int i = 0; i < 150; i++) {
		(void)snprintf(
		    text, sizeof(text), FROM_A "Subject: %d\n\nx\n\n", i);
		rig_deliver(r, text);
	}
	rig_deliver(r, A);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 152);
	rig_close(r);
}

static int
lazy(void **state)
{
	int failed = index_setup(state);
	struct rig *r = *state;

	r->conf.purge = "lazy";
	return failed;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, lazy, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(other_unique_ids),
		TEST(damaged_uids),
		TEST(comes_again),
		TEST(comes_again_alone),
		TEST(comes_again_in_company),
		TEST(the_end),
		TEST(not_all_of_the_end),
		TEST(equal_ones),
		TEST(most_are_removed),
	};

	return cmocka_run_group_tests_name(
	    "mbox_waste_again", tests, NULL, NULL);
}
