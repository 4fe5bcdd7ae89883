/*
 * mbox_index.c - what a session leaves for the next one: it is used only when
 * it is true, and nothing depends on it.
 *
 * Runs in: tests, linked with a clock of their own (-Wl,--wrap=clock_gettime),
 * since nothing is kept of a file that has just changed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mbox_rig.h"

#define INDEX "mbox.index"
#define ONE FROM_A "Subject: one\nStatus: RO\n\nText\nand more\n\n"
#define TWO FROM_B "Subject: two\n\nText\n\n"
#define TWIN FROM_B "Subject: twin\n\nTwin\n\n"
#define INTERNAL                                                   \
	FROM_A "From: Mail System Internal Data <m@example.org>\n" \
	       "Subject: DON'T DELETE THIS MESSAGE\n"              \
	       "X-IMAP: 0123456789 0000000001\n\nIt is not mail.\n\n"

static time_t ahead; /* seconds that our clock is before the kernel's */

int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (clock == CLOCK_REALTIME)
		t->tv_sec += ahead;
	return r;
}

static int
setup(void **state)
{
	ahead = 10;
	return rig_setup(state);
}

/* Open the mbox while another program has it locked: that works only if it
 * need not be read.  If true it is open. */
static bool
is_cached(struct rig *r)
{
	int fd, opened;

	rig_close(r);
	fd = open(r->lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	(void)close(fd);
	opened = rig_try_open(r);
	assert_int_equal(unlink(r->lock), 0);
	if (opened == -1)
		assert_int_equal(r->error.status, POPPER_TEMPORARY);
	return opened == 0;
}

static struct mbox *
self(struct rig *r)
{
	return mbox_from_self(r->self);
}

/* All that a session tells, as text; to be freed.  Without ${full} no
 * unique-ids are asked for. */
static char *
answers(struct rig *r, bool full)
{
	unsigned want = full ? POPPER_WANT_UID | POPPER_WANT_FLAGS : 0;
	size_t i, count = r->drop->count(r->self), len;
	struct popper_message message;
	struct popper_slice content;
	char *text = NULL;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	(void)fprintf(f, "%zu\n", count);
	for (i = 0; i < count; i++) {
		message = (struct popper_message){ .octets = 0 };
		assert_int_equal(
		    r->drop->describe(r->self, i, POPPER_WANT_OCTETS | want,
			&message, &r->error),
		    0);
		content = rig_read(r, i, 0);
		(void)fprintf(f, "%llu %u %s %zu %08x\n",
		    (unsigned long long)message.octets, message.flags,
		    message.uid, content.len,
		    mbox_sum(content.ptr, content.len));
		free((void *)(uintptr_t)content.ptr);
	}
	assert_int_equal(fclose(f), 0);
	return text;
}

/* A session that scans must tell ${expected}; leaves its index. */
static void
expect_scanned(struct rig *r, const char *expected)
{
	char *text;

	rig_close(r);
	rig_open(r);
	text = answers(r, true);
	assert_string_equal(text, expected);
	free(text);
	rig_close(r);
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
	plain = answers(r, false);
	assert_true(is_cached(r));
	again = answers(r, false);
	assert_string_equal(again, plain);
	free(again);
	first = answers(r, true);
	assert_true(is_cached(r));
	again = answers(r, true);
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
		INTERNAL, INTERNAL ONE TWO, FROM_A "\n\n\n\n" FROM_A };
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
	assert_true(is_cached(r));
	assert_null(self(r)->uids);
	blind(r);
	assert_int_equal(
	    r->drop->describe(r->self, 0, POPPER_WANT_UID, &message, &r->error),
	    -1);
	assert_true(is_cached(r));
	rig_uid(r, 2, uid);
	assert_true(is_cached(r));
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

static void
write_index(struct rig *r, struct popper_slice text)
{
	int fd = openat(r->state, INDEX, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text.ptr, text.len), text.len);
	assert_int_equal(close(fd), 0);
}

/* The index is not used, what it is about is told right, and a good one is
 * there again. */
static void
expect_ignored(struct rig *r, const char *expected)
{
	assert_false(is_cached(r));
	expect_scanned(r, expected);
	assert_true(is_cached(r));
	assert_non_null(self(r)->uids);
	rig_close(r);
}

/* Leave an index with unique-ids; returns it, room for one octet behind it and
 * what a session tells. */
static char *
good_index(struct rig *r, char **expected, size_t *len)
{
	struct popper_slice text;
	char path[128], *copy;

	rig_put(r, INTERNAL ONE TWIN TWIN);
	rig_open(r);
	*expected = answers(r, true);
	rig_close(r);
	(void)snprintf(path, sizeof(path), "%s/state/" INDEX, r->top);
	text = rig_get(path);
	*len = text.len;
	copy = malloc(text.len + 1);
	assert_non_null(copy);
	memcpy(copy, text.ptr, text.len);
	free((void *)(uintptr_t)text.ptr);
	return copy;
}

static void
damaged_ones_are_ignored(void **state)
{
	struct rig *r = *state;
	char *expected, *index;
	size_t i, len;

	index = good_index(r, &expected, &len);
	for (i = 0; i < len; i++) {
		index[i] ^= (char)(1 << i % 8);
		write_index(r, popper_slice(index, len));
		assert_false(is_cached(r));
		index[i] ^= (char)(1 << i % 8);
		write_index(r, popper_slice(index, i));
		assert_false(is_cached(r));
	}
	index[len] = 0;
	write_index(r, popper_slice(index, len + 1));
	expect_ignored(r, expected);
	write_index(r, popper_slice(index, len));
	assert_true(is_cached(r));
	memset(index, 0, len);
	write_index(r, popper_slice(index, len));
	expect_ignored(r, expected);
	write_index(r, popper_slice("", 0));
	expect_ignored(r, expected);
	free(index);
	free(expected);
}

static void
what_is_no_file_of_ours_is_ignored(void **state)
{
	struct rig *r = *state;
	char *expected, *index;
	size_t len;

	index = good_index(r, &expected, &len);
	assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
	assert_int_equal(mkfifoat(r->state, INDEX, 0600), 0);
	expect_ignored(r, expected);
	assert_int_equal(renameat(r->state, INDEX, r->state, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", r->state, INDEX), 0);
	expect_ignored(r, expected);
	if (getuid() == 0) {
		assert_int_equal(fchownat(r->state, INDEX, 65534, 65534, 0), 0);
		expect_ignored(r, expected);
	}
	assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
	assert_int_equal(mkdirat(r->state, INDEX, 0700), 0);
	assert_false(is_cached(r));
	expect_scanned(r, expected);
	assert_false(is_cached(r));
	assert_int_equal(unlinkat(r->state, INDEX, AT_REMOVEDIR), 0);
	expect_ignored(r, expected);
	free(index);
	free(expected);
}

/* Put ${len} octets at ${at} of the index and the right checksum into it. */
static void
forge(struct rig *r, struct popper_slice index, size_t at,
    struct popper_slice with)
{
	const size_t place = 88;
	uint64_t sum, word;
	char *copy = malloc(index.len);
	size_t i;

	assert_non_null(copy);
	memcpy(copy, index.ptr, index.len);
	memcpy(copy + at, with.ptr, with.len);
	memcpy(&sum, index.ptr, sizeof(sum)); /* begins with the magic */
	for (i = 0; i + 8 <= index.len; i += 8) {
		if (i == place)
			continue;
		memcpy(&word, copy + i, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 32;
	}
	memcpy(copy + place, &sum, sizeof(sum));
	write_index(r, popper_slice(copy, index.len));
	free(copy);
}

/* Its owner may write what he likes, and harms nobody, himself included. */
static void
forged_ones_are_ignored(void **state)
{
	static const uint64_t numbers[] = { 1, 5000, 1u << 20, UINT32_MAX,
		(uint64_t)1 << 33, INT64_MAX, UINT64_MAX };
	const size_t head = 96, record = sizeof(struct mbox_record);
	const size_t uids = head + 4 * record;
	struct rig *r = *state;
	struct popper_slice index, word;
	char *expected, *text;
	size_t i, k, len;

	text = good_index(r, &expected, &len);
	index = popper_slice(text, len);
	assert_int_equal(len, uids + 3 * sizeof(struct mbox_uid));
	forge(r, index, 0, popper_slice(text, 1));
	assert_true(is_cached(r)); /* so that is how to forge */
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		word = popper_slice((const char *)&numbers[i], 8);
		/* Count of records, offset, end and octets of the first. */
		for (k = 72; k < head + 24; k += k == 72 ? 24 : 8) {
			forge(r, index, k, word);
			assert_false(is_cached(r));
		}
		if (numbers[i] == 1)
			continue;
		word.len = 4;
		/* internal, with_uids, length of the first separator. */
		forge(r, index, 80, word);
		assert_false(is_cached(r));
		forge(r, index, 84, word);
		assert_false(is_cached(r));
		forge(r, index, head + 24, word);
		assert_false(is_cached(r));
		/* The second begins in the first, or behind the end. */
		word.len = 8;
		forge(r, index, head + record, word);
		assert_false(is_cached(r));
	}
	/* A flag that is neither true nor false. */
	forge(r, index, uids + offsetof(struct mbox_uid, seen),
	    popper_slice("\2", 1));
	expect_ignored(r, expected);
	free(text);
	free(expected);
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
	assert_false(is_cached(r));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), count);
	rig_close(r);
	assert_true(is_cached(r));
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
	assert_false(is_cached(r));
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

	ahead = 0;
	rig_put(r, ONE TWO);
	rig_open(r);
	rig_close(r);
	assert_false(rig_exists(r, INDEX));
	ahead = 10;
	rig_open(r);
	rig_close(r);
	assert_true(is_cached(r));
	/* The clock was put back: nothing is certain. */
	ahead = 0;
	assert_false(is_cached(r));
	ahead = -1000;
	assert_false(is_cached(r));
	ahead = 10;
	assert_true(is_cached(r));
}

static void
what_is_sent_is_verified(void **state)
{
	struct rig *r = *state;
	struct popper_sink sink = { .put = NULL };

	rig_put(r, ONE TWO);
	rig_open(r);
	assert_true(is_cached(r));
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
	assert_true(is_cached(r));
	rig_deliver(r, TWIN);
	assert_int_equal(rig_commit(r, "-D-"), POPPER_DONE);
	assert_false(rig_exists(r, INDEX));
	rig_close(r);
	assert_false(rig_exists(r, INDEX));
	rig_expect(r, ONE TWIN TWIN);
	expect_noticed(r, 3);
	/* Nothing marked: nothing changes. */
	assert_true(is_cached(r));
	assert_int_equal(rig_commit(r, "---"), POPPER_DONE);
	assert_true(is_cached(r));
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
	free(answers(r, true));
	assert_true(is_cached(r));
	assert_int_equal(rig_commit(r, "D---D"), POPPER_DONE);
	assert_true(rig_exists(r, "twins"));
	rig_close(r);
	rig_open(r);
	first = answers(r, true);
	assert_non_null(strstr(first, ".2 "));
	assert_non_null(strstr(first, ".3 "));
	for (i = 0; i < 3; i++) {
		assert_true(is_cached(r));
		later = answers(r, true);
		assert_string_equal(later, first);
		free(later);
		rig_close(r);
		assert_int_equal(unlinkat(r->state, INDEX, 0), 0);
		expect_scanned(r, first);
	}
	free(first);
	/* From the index alone: a fourth there was, so a fifth comes. */
	assert_true(is_cached(r));
	assert_int_equal(rig_commit(r, "D--"), POPPER_DONE);
	rig_deliver(r, TWIN);
	rig_close(r);
	rig_open(r);
	first = answers(r, true);
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
	expect_noticed(r, 2);
	assert_false(rig_exists(r, INDEX ".new"));
	assert_int_equal(mkdirat(r->state, INDEX ".new", 0700), 0);
	rig_deliver(r, TWO);
	assert_false(is_cached(r));
	rig_open(r);
	assert_int_equal(r->drop->count(r->self), 3);
	rig_close(r);
	assert_false(is_cached(r));
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

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(answers_are_those_of_a_scan),
		RIGGED(random_files_are_told_alike),
		RIGGED(unique_ids_need_no_reading),
		RIGGED(it_is_private),
		RIGGED(damaged_ones_are_ignored),
		RIGGED(what_is_no_file_of_ours_is_ignored),
		RIGGED(forged_ones_are_ignored),
		RIGGED(every_change_is_noticed),
		RIGGED(nothing_is_kept_of_a_file_that_changed_meanwhile),
		RIGGED(a_fresh_file_is_always_scanned),
		RIGGED(what_is_sent_is_verified),
		RIGGED(commits_go_with_it),
		RIGGED(twins_stay_themselves),
		RIGGED(remains_are_no_obstacle),
		RIGGED(a_state_folder_without_rights_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
