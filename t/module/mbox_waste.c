/*
 * mbox_waste.c - purge = lazy: what is deleted is noted, not removed.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mbox_waste.h"
#include "mod/host.h"
#include "waste_rig.h"

/* As a mail program writes them back. */
#define B2 FROM_B "Subject: B\nStatus: RO\n\nText of B\n\n"
#define C2 FROM_B "Subject: C\nStatus: RO\n\nText of C\n\n"
#define D2 FROM_A "Subject: D\nStatus: RO\n\nText of D\n\n"

static void
is_only_noted(void **state)
{
	struct rig *r = *state;
	char ids[4][71], got[71];

	rig_put(r, A B C D);
	rig_open(r);
	for (size_t i = 0; i < 4; i++)
		rig_uid(r, i, ids[i]);
	rig_close(r);
	session(r, "-D--");
	rig_expect(r, A B C D);
	expect_shown(r, "ACD");
	rig_open(r);
	rig_uid(r, 1, got);
	assert_string_equal(got, ids[2]);
	rig_close(r);
	session(r, "D--");
	rig_expect(r, A B C D);
	expect_shown(r, "CD");
	assert_int_equal(access(r->lock, F_OK), -1);
}

/* One more list that counts. */
struct numbers {
	struct popper_lister lister;
	size_t next;
	char uids[8][71];
};

static int
put(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct numbers *n = (struct numbers *)(void *)lister;

	(void)octets;
	assert_int_equal(i, n->next);
	memcpy(n->uids[n->next], uid.ptr, uid.len);
	n->uids[n->next++][uid.len] = '\0';
	return 0;
}

static void
lists(void **state)
{
	struct rig *r = *state;
	struct numbers n = { .lister = { put } };
	char uid[71];

	rig_put(r, A B C D);
	session(r, "-D--");
	rig_open(r);
	assert_int_equal(
	    r->drop->list(r->self, POPPER_WANT_UID, &n.lister, &r->error), 0);
	assert_int_equal(n.next, 3);
	for (size_t i = 0; i < 3; i++) {
		rig_uid(r, i, uid);
		assert_string_equal(uid, n.uids[i]);
	}
	rig_close(r);
}

static void
the_end_goes_at_once(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	session(r, "--DD");
	rig_expect(r, A B);
	session(r, "DD");
	rig_expect(r, "");
	assert_false(rig_exists(r, MBOX_WASTE));
}

/* Together with what was noted before it is the end. */
static void
the_rest_goes_at_once(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	session(r, "--D-");
	rig_expect(r, A B C D);
	session(r, "--D");
	rig_expect(r, A B);
	assert_false(rig_exists(r, MBOX_WASTE));
	expect_shown(r, "AB");
}

static void
new_mail(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C);
	session(r, "D--");
	rig_deliver(r, D);
	expect_shown(r, "BCD");
	session(r, "D--");
	rig_expect(r, A B C D);
	expect_shown(r, "CD");
	/* It comes while a session is open. */
	rig_open(r);
	rig_deliver(r, A);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	rig_close(r);
	rig_expect(r, A B C D A);
	expect_shown(r, "DA");
}

static void
another_program_rewrites_it(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	session(r, "-D--");
	/* It knows nothing of it and notes what was read. */
	rig_put(r, A B2 C2 D2);
	expect_shown(r, "ACD");
	/* And removes some. */
	rig_put(r, B2 C2 D2);
	expect_shown(r, "CD");
	rig_put(r, C2 D2);
	expect_shown(r, "CD");
	assert_false(rig_exists(r, MBOX_WASTE));
}

/* Of two equal messages one is gone.  If another program removes one, it may
 * have been that one. */
static void
never_the_wrong_one(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B A C);
	session(r, "D---");
	expect_shown(r, "BAC");
	rig_put(r, A B C);
	expect_shown(r, "ABC");
	assert_false(rig_exists(r, MBOX_WASTE));
}

static void
equal_ones_keep_their_ids(void **state)
{
	struct rig *r = *state;
	char second[71], got[71];

	rig_put(r, A B A C);
	rig_open(r);
	rig_uid(r, 2, second);
	rig_close(r);
	session(r, "D---");
	rig_open(r);
	rig_uid(r, 1, got);
	assert_string_equal(got, second);
	rig_close(r);
	/* Now it is removed. */
	r->conf.purge = "quit";
	session(r, "--D");
	rig_expect(r, B A);
	rig_open(r);
	rig_uid(r, 1, got);
	assert_string_equal(got, second);
	rig_close(r);
}

static void
back_to_quit(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C D);
	session(r, "D---");
	r->conf.purge = "quit";
	expect_shown(r, "BCD");
	session(r, "-D-");
	rig_expect(r, B D);
	assert_false(rig_exists(r, MBOX_WASTE));
	expect_shown(r, "BD");
}

/* A damaged note: better what was deleted than nothing. */
static void
damaged(void **state)
{
	struct rig *r = *state;
	static const size_t at[] = { 0, 8, 16, 24, 40, 100, 110, 130 };

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		char octet;
		int fd;

		rig_put(r, A B C);
		session(r, "D--");
		fd = openat(r->state, MBOX_WASTE, O_RDWR | O_CLOEXEC);
		assert_int_equal(pread(fd, &octet, 1, (off_t)at[i]), 1);
		octet ^= 1;
		assert_int_equal(pwrite(fd, &octet, 1, (off_t)at[i]), 1);
		(void)close(fd);
		expect_shown(r, "ABC");
		assert_non_null(strstr(rig_log(), "damaged"));
		(void)unlinkat(r->state, MBOX_WASTE, 0);
	}
}

/* It cannot be noted: then it is removed. */
static void
no_place_to_note_it(void **state)
{
	struct rig *r = *state;

	rig_put(r, A B C);
	assert_int_equal(mkdirat(r->state, MBOX_WASTE_NEW, 0700), 0);
	session(r, "D--");
	rig_expect(r, B C);
}

static void
trash_and_lazy(void **state)
{
	struct rig *r = *state;
	uint64_t count;
	char first[71], got[71];

	r->conf.trash = 86400;
	rig_put(r, A B C D);
	rig_open(r);
	rig_uid(r, 0, first);
	rig_close(r);
	session(r, "D---");
	rig_expect(r, A B C D);
	assert_int_equal(rig_undelete(r, 0, &count), 0);
	assert_int_equal(count, 1);
	rig_expect(r, B C D A);
	rig_open(r);
	rig_uid(r, 3, got);
	assert_string_equal(got, first);
	rig_close(r);
	/* What was kept when it was noted is not kept once more. */
	session(r, "D---");
	r->conf.purge = "quit";
	session(r, "D--");
	rig_expect(r, D A);
	assert_int_equal(rig_undelete(r, 0, &count), 0);
	assert_int_equal(count, 2);
	rig_expect(r, D A B C);
}

/* To remove what was noted is not yet a reason to empty the trash. */
static void
undeleted_without_the_option(void **state)
{
	struct rig *r = *state;
	uint64_t count;

	r->conf.trash = 86400;
	rig_put(r, A B C);
	session(r, "D--");
	r->conf.trash = 0;
	assert_int_equal(rig_undelete(r, 0, &count), 0);
	assert_int_equal(count, 1);
	rig_expect(r, B C A);
}

/* A session noted it, died, and an equal message came. */
static void
settled_beside_an_equal_one(void **state)
{
	struct rig *r = *state;
	const struct dirent *entry;
	char path[300];
	uint64_t count;
	DIR *dir;

	r->conf.trash = 86400;
	rig_put(r, A B C);
	session(r, "D--");
	(void)snprintf(path, sizeof(path), "%s/state/trash", r->top);
	assert_non_null(dir = opendir(path));
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".ids") != NULL) {
			(void)snprintf(
			    path, sizeof(path), "trash/%s", entry->d_name);
			assert_int_equal(
			    renameat(r->state, path, r->state, "trash.new"), 0);
		}
	(void)closedir(dir);
	rig_deliver(r, A);
	expect_shown(r, "BCA");
	assert_int_equal(rig_undelete(r, 0, &count), 0);
	assert_int_equal(count, 1);
	rig_expect(r, B C A A);
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
	static const struct CMUnitTest tests[] = { TEST(is_only_noted),
		TEST(lists), TEST(the_end_goes_at_once),
		TEST(the_rest_goes_at_once), TEST(new_mail),
		TEST(another_program_rewrites_it), TEST(never_the_wrong_one),
		TEST(equal_ones_keep_their_ids), TEST(back_to_quit),
		TEST(damaged), TEST(no_place_to_note_it), TEST(trash_and_lazy),
		TEST(undeleted_without_the_option),
		TEST(settled_beside_an_equal_one) };

	return cmocka_run_group_tests_name("mbox_waste", tests, NULL, NULL);
}
