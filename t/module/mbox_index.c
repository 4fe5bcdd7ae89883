/*
 * mbox_index.c - what a session leaves for the next one is used only when it is
 * true, and tells what a scan would.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_index_rig.h"
#include "modules/drop/mbox_index.h"

static struct mbox *
self(struct rig *r)
{
	return mbox_from_self(r->self);
}

/* Sessions with and without an index of ${file} tell the same. */
static void
check_file(struct rig *r, struct popper_slice file)
{
	char *plain, *first, *again;

	rig_close(r);
	(void)unlinkat(r->state, INDEX, 0);
	rig_put_slice(r, file);
	rig_open(r);
	plain = index_answers(r, false);
	assert_true(index_is_used(r));
	again = index_answers(r, false);
	assert_string_equal(again, plain);
	free(again);
	first = index_answers(r, true);
	assert_true(index_is_used(r));
	again = index_answers(r, true);
	assert_string_equal(again, first);
	free(again);
	free(first);
	free(plain);
}

static void
answers_are_those_of_a_scan(void **state)
{
	static const char *const files[] = { FROM_A, FROM_A "\n", FROM_A "\n\n",
		FROM_A "A: b\n\ntext", FROM_A "a\r",
		FROM_A "A: b\r\n\r\ntext\r\n\r\n", FROM_A "a\rb\r\n\r\r\n",
		FROM_A "\n" FROM_B "\n" FROM_A, FROM_A "A: b\n" FROM_B "\n",
		FROM_A "x\n\r\n" FROM_B "y\n", ONE TWO, ONE TWIN TWO TWIN TWIN,
		INTERNAL, INTERNAL ONE TWO, FROM_A "\n\n\n\n" FROM_A,
		XUIDL("a") ONE, XUIDL("a") XUIDL("bc") XUIDL("a") TWO,
		MMDF ONE MMDF MMDF TWO MMDF, MMDF MMDF ONE MMDF };
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		check_file(r, popper_slice_text(files[i]));
}

static void
random_files_are_told_alike(void **state)
{
	static const struct popper_slice parts[] = { { "\n", 1 }, { "\r", 1 },
		{ "\n\r\n", 3 }, { "\n" FROM_A, sizeof(FROM_A) },
		{ "\n" FROM_B, sizeof(FROM_B) }, { "\nFrom ", 6 }, { "\0", 1 },
		{ "Status: RO\n", 11 } };
	struct rig *r = *state;
	char file[4096];
	uint32_t seed = 1;
	size_t len, part;
	int i;

	for (i = 0; i < 200; i++) {
		len = sizeof(FROM_A) - 1;
		memcpy(file, FROM_A, len);
		while (len < (size_t)i * 20) {
			seed = seed * 1664525u + 1013904223u;
			part = seed >> 16 & 7;
			memcpy(file + len, parts[part].ptr, parts[part].len);
			len += parts[part].len;
		}
		check_file(r, popper_slice(file, len));
	}
}

/* A descriptor that gives nothing in place of the mbox. */
static void
blind(struct rig *r)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(dup3(fd, self(r)->fd, O_CLOEXEC), self(r)->fd);
	(void)close(fd);
}

static void
unique_ids_need_no_reading(void **state)
{
	struct rig *r = *state;
	struct popper_message message;
	char uid[POPPER_UID_MAX + 1], later[POPPER_UID_MAX + 1];

	rig_put(r, ONE TWIN TWIN);
	rig_open(r);
	/* The first session did not ask for them. */
	assert_true(index_is_used(r));
	assert_null(self(r)->uids);
	blind(r);
	assert_int_equal(
	    r->drop->describe(r->self, 0, POPPER_WANT_UID, &message, &r->error),
	    -1);
	assert_true(index_is_used(r));
	rig_uid(r, 2, uid);
	assert_true(index_is_used(r));
	blind(r);
	rig_uid(r, 2, later);
	assert_string_equal(later, uid);
	assert_int_equal(r->drop->describe(r->self, 0, POPPER_WANT_FLAGS,
			     &message, &r->error),
	    0);
	assert_int_equal(message.flags, POPPER_MESSAGE_SEEN);
}

static void
it_is_private(void **state)
{
	struct rig *r = *state;
	struct stat st;

	rig_put(r, ONE);
	rig_open(r);
	rig_close(r);
	assert_int_equal(fstatat(r->state, INDEX, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(rig_exists(r, INDEX ".new"));
}

/* Write over a part of the mbox until the kernel's clock has moved on, then
 * put the mtime back. */
static void
edit(struct rig *r, const char *from, const char *to)
{
	struct popper_slice file = rig_get(r->path);
	const char *at = strstr(file.ptr, from);
	struct stat before, now;
	struct timespec t[2];
	int fd = open(r->path, O_WRONLY | O_CLOEXEC);

	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	assert_int_equal(fstat(fd, &before), 0);
	do {
		assert_int_equal(mbox_write_at(fd, to, strlen(to),
				     (uint64_t)(at - file.ptr)),
		    0);
		t[0] = before.st_atim;
		t[1] = before.st_mtim;
		assert_int_equal(futimens(fd, t), 0);
		assert_int_equal(fstat(fd, &now), 0);
	} while (now.st_ctim.tv_sec == before.st_ctim.tv_sec &&
	    now.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
	assert_int_equal(now.st_size, before.st_size);
	assert_int_equal(now.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	(void)close(fd);
	free((void *)(uintptr_t)file.ptr);
}

/* Something was done to the mbox: see that it is scanned, and has ${count}
 * messages. */
static void
expect_noticed(struct rig *r, size_t count)
{
	assert_false(index_is_used(r));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), count);
	rig_close(r);
	assert_true(index_is_used(r));
	assert_int_equal(r->drop->count(r->self), count);
	rig_close(r);
}

static void
every_change_is_noticed(void **state)
{
	struct rig *r = *state;
	struct popper_message message;
	struct popper_slice file;
	char other[160];

	rig_put(r, ONE TWO);
	expect_noticed(r, 2);
	rig_deliver(r, TWIN);
	expect_noticed(r, 3);
	edit(r, "Status: RO", "Status: O ");
	assert_false(index_is_used(r));
	rig_open(r);
	assert_int_equal(r->drop->describe(r->self, 0, POPPER_WANT_FLAGS,
			     &message, &r->error),
	    0);
	assert_int_equal(message.flags, 0);
	/* A separator becomes text: size and mtime are the same. */
	edit(r, "From bob", "Frxm bob");
	expect_noticed(r, 2);
	assert_int_equal(truncate(r->path, (off_t)(sizeof(ONE) - 1)), 0);
	expect_noticed(r, 1);
	/* The same content in another file. */
	file = rig_get(r->path);
	(void)snprintf(other, sizeof(other), "%s/old", r->spool);
	assert_int_equal(rename(r->path, other), 0);
	rig_put_slice(r, file);
	free((void *)(uintptr_t)file.ptr);
	expect_noticed(r, 1);
	assert_int_equal(unlink(r->path), 0);
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
	rig_close(r);
	rig_put(r, "");
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 0);
}

/* The session before wrote none while it read what is no longer there. */
static void
nothing_is_kept_of_a_file_that_changed_meanwhile(void **state)
{
	struct rig *r = *state;

	rig_put(r, ONE TWO);
	rig_open(r);
	edit(r, "From bob", "Frxm bob");
	rig_close(r);
	assert_false(rig_exists(r, INDEX));
	expect_noticed(r, 1);
}

static void
a_fresh_file_is_always_scanned(void **state)
{
	struct rig *r = *state;

	index_clock_ahead = 0;
	rig_put(r, ONE TWO);
	rig_open(r);
	rig_close(r);
	assert_false(rig_exists(r, INDEX));
	index_clock_ahead = 10;
	rig_open(r);
	rig_close(r);
	assert_true(index_is_used(r));
	/* The clock was put back: nothing is certain. */
	index_clock_ahead = 0;
	assert_false(index_is_used(r));
	index_clock_ahead = -1000;
	assert_false(index_is_used(r));
	index_clock_ahead = 10;
	assert_true(index_is_used(r));
}

static void
what_is_sent_is_verified(void **state)
{
	struct rig *r = *state;
	struct popper_sink sink = { .put = NULL };

	rig_put(r, ONE TWO);
	rig_open(r);
	assert_true(index_is_used(r));
	edit(r, "From bob", "Frxm bob");
	assert_int_equal(r->drop->read(r->self, 1, 0, &sink, &r->error), -1);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
	assert_int_equal(rig_commit(r, "D-"), POPPER_NOT_DONE);
}

static void
commits_go_with_it(void **state)
{
	struct rig *r = *state;

	rig_put(r, ONE TWO TWIN);
	rig_open(r);
	assert_true(index_is_used(r));
	rig_deliver(r, TWIN);
	assert_int_equal(rig_commit(r, "-D-"), POPPER_DONE);
	assert_false(rig_exists(r, INDEX));
	rig_close(r);
	assert_false(rig_exists(r, INDEX));
	rig_expect(r, ONE TWIN TWIN);
	expect_noticed(r, 3);
	/* Nothing marked: nothing changes. */
	assert_true(index_is_used(r));
	assert_int_equal(rig_commit(r, "---"), POPPER_DONE);
	assert_true(index_is_used(r));
	assert_int_equal(rig_commit(r, "DDD"), POPPER_DONE);
	rig_close(r);
	assert_false(rig_exists(r, INDEX));
	rig_expect(r, "");
}

/* Ordinals survive with the index, without it, and a commit from it. */
static void
twins_stay_themselves(void **state)
{
	struct rig *r = *state;
	char *first, *later;
	int i;

	rig_put(r, TWIN ONE TWIN TWIN TWIN);
	rig_open(r);
	free(index_answers(r, true));
	assert_true(index_is_used(r));
	assert_int_equal(rig_commit(r, "D---D"), POPPER_DONE);
	assert_true(rig_exists(r, "twins"));
	rig_close(r);
	rig_open(r);
	first = index_answers(r, true);
	assert_non_null(strstr(first, ".2 "));
	assert_non_null(strstr(first, ".3 "));
	for (i = 0; i < 3; i++) {
		assert_true(index_is_used(r));
		later = index_answers(r, true);
		assert_string_equal(later, first);
		free(later);
		rig_close(r);
		assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
		index_expect_scanned(r, first);
	}
	free(first);
	/* From the index alone: a fourth there was, so a fifth comes. */
	assert_true(index_is_used(r));
	assert_int_equal(rig_commit(r, "D--"), POPPER_DONE);
	rig_deliver(r, TWIN);
	rig_close(r);
	rig_open(r);
	first = index_answers(r, true);
	assert_non_null(strstr(first, ".2 "));
	assert_non_null(strstr(first, ".3 "));
	assert_non_null(strstr(first, ".5 "));
	free(first);
}

/* What an earlier session left half-written is no obstacle. */
static void
remains_are_no_obstacle(void **state)
{
	struct rig *r = *state;
	int fd = openat(r->state, INDEX ".new", O_WRONLY | O_CREAT, 0400);

	assert_int_not_equal(fd, -1);
	(void)close(fd);
	rig_put(r, ONE TWO);
	rig_open(r);
	assert_true(index_is_used(r));
	assert_false(rig_exists(r, INDEX ".new"));
	assert_int_equal(mkdirat(r->state, INDEX ".new", 0700), 0);
	rig_deliver(r, TWO);
	assert_false(index_is_used(r));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 3);
	rig_close(r);
	assert_false(index_is_used(r));
}

static int
without_rights(struct rig *r)
{
	struct popper_message message;
	int i;

	MUST(fchmod(r->state, 0500) == 0);
	for (i = 0; i < 2; i++) {
		MUST(rig_try_open(r) == 0);
		MUST(r->drop->count(r->self) == 2);
		MUST(r->drop->describe(r->self, 1, POPPER_WANT_UID, &message,
			 &r->error) == 0);
		rig_close(r);
		MUST(!rig_exists(r, INDEX) && !rig_exists(r, INDEX ".new"));
	}
	/* One that cannot be replaced or removed. */
	MUST(fchmod(r->state, 0700) == 0);
	MUST(rig_try_open(r) == 0);
	rig_close(r);
	MUST(rig_exists(r, INDEX));
	MUST(fchmod(r->state, 0500) == 0);
	rig_deliver(r, TWO);
	for (i = 0; i < 2; i++) {
		MUST(rig_try_open(r) == 0);
		MUST(r->drop->count(r->self) == 3);
		rig_close(r);
	}
	/* The end of the file goes without a backup. */
	MUST(rig_try_open(r) == 0);
	MUST(rig_commit(r, "--D") == POPPER_DONE);
	rig_close(r);
	MUST(rig_try_open(r) == 0);
	MUST(r->drop->count(r->self) == 2);
	MUST(fchmod(r->state, 0700) == 0);
	return 0;
}

static void
a_state_folder_without_rights_is_no_trouble(void **state)
{
	struct rig *r = *state;

	rig_put(r, ONE TWO);
	assert_int_equal(rig_child(without_rights, r), 0);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, index_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(answers_are_those_of_a_scan),
		RIGGED(random_files_are_told_alike),
		RIGGED(unique_ids_need_no_reading),
		RIGGED(it_is_private),
		RIGGED(every_change_is_noticed),
		RIGGED(nothing_is_kept_of_a_file_that_changed_meanwhile),
		RIGGED(a_fresh_file_is_always_scanned),
		RIGGED(what_is_sent_is_verified),
		RIGGED(commits_go_with_it),
		RIGGED(remains_are_no_obstacle),
		RIGGED(a_state_folder_without_rights_is_no_trouble),
		RIGGED(twins_stay_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
