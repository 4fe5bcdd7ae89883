/*
 * mbox_redo.c - a rewriting that died halfway, as the disk may show it after a
 * power cut, and the login after it.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_dying.h"
#include "mbox_rewrite.h"

#define COUNT 60 /* messages of some 3000 octets */
#define ROOM (COUNT * 3200)
#define NEW FROM_B "New: mail\n\nIt came after the crash\n\n"

static char before[ROOM], after[ROOM]; /* it becomes longer */
static size_t old_len, new_len;

static int
fetch_all(struct rig *r)
{
	unsigned char bits[COUNT];
	struct popper_changes changes = {
		.size = sizeof(changes), .count = COUNT, .marks = bits
	};

	memset(bits, POPPER_MARK_SEEN, sizeof(bits));
	MUST(rig_try_open(r) == 0);
	MUST(r->drop->commit(r->self, &changes, &r->error) == POPPER_DONE);
	rig_close(r);
	return 0;
}

static void
make_mailboxes(struct rig *r)
{
	struct popper_slice got;
	char *p = before;
	size_t i;

	for (i = 0; i < COUNT; i++) {
		p += sprintf(p, FROM_A "Number: %zu\n\n", i);
		memset(p, 'a' + (int)(i % 26), 3000);
		p = stpcpy(p + 3000, "\n\n");
	}
	r->conf.update_status_headers = true;
	rig_put(r, before);
	assert_int_equal(fetch_all(r), 0);
	got = rig_get(r->path);
	(void)strcpy(after, got.ptr);
	free((void *)(uintptr_t)got.ptr);
	old_len = strlen(before);
	new_len = strlen(after);
	assert_true(new_len > old_len + COUNT);
}

/* Leave a whole "rewrite.mbox" and an mbox that was not touched yet.  ${at}
 * tells the death that does it, once it was found. */
static void
die_before(struct rig *r, int *at)
{
	struct mbox_rewrite head = { .magic = { 0 } };
	int fd;

	for (;; (*at)++) {
		rig_put(r, before);
		assert_true(dying_run(r, fetch_all, *at, false));
		fd = openat(r->state, MBOX_REWRITE, O_RDONLY | O_CLOEXEC);
		if (fd != -1) {
			(void)mbox_read_at(fd, &head, sizeof(head), 0);
			(void)close(fd);
		}
		if (*head.magic != '\0')
			return;
		(void)unlinkat(r->state, MBOX_REWRITE, 0);
	}
}

static void
expect_settled(struct rig *r, struct popper_slice mbox, const char *text)
{
	rig_put_slice(r, mbox);
	r->conf.update_status_headers = true;
	rig_open(r);
	rig_expect(r, text);
	rig_close(r);
	assert_false(rig_exists(r, MBOX_REWRITE));
}

/* The room is there: it is finished, and later mail stays. */
static void
any_mixture_of_blocks_is_finished(void **state)
{
	struct rig *r = *state;
	char *text = malloc(2 * ROOM), *want = malloc(2 * ROOM);
	uint32_t seed = 1;
	int round, at = 0;
	size_t i, len;

	assert_true(text != NULL && want != NULL);
	make_mailboxes(r);
	for (round = 0; round < 24; round++) {
		die_before(r, &at);
		memcpy(text, before, old_len);
		memset(text + old_len, '\n', new_len - old_len);
		for (i = 0; i < new_len; i++) {
			if (i % 512 == 0)
				seed = seed * 1664525u + 1013904223u;
			if (round > 0 && seed >> 31 == 0)
				text[i] = after[i];
		}
		len = new_len;
		(void)strcpy(want, after);
		if (round % 2 == 1) {
			(void)strcpy(text + len, NEW);
			len += strlen(NEW);
			(void)strcat(want, NEW);
		}
		expect_settled(r, popper_slice(text, len), want);
	}
	free(text);
	free(want);
}

/* The room is not all there: it is undone. */
static void
half_a_room_is_given_back(void **state)
{
	static const size_t rooms[] = { 0, 1, 2, 511, 600, 1000 };
	struct rig *r = *state;
	char *text = malloc(2 * ROOM), *want = malloc(2 * ROOM);
	size_t i, len;
	int round, at = 0;

	assert_true(text != NULL && want != NULL);
	make_mailboxes(r);
	for (i = 0; i < sizeof(rooms) / sizeof(*rooms); i++)
		for (round = 0; round < 4; round++) {
			die_before(r, &at);
			memcpy(text, before, old_len);
			/* A block may not have come to the disk. */
			memset(
			    text + old_len, round < 2 ? '\n' : '\0', rooms[i]);
			len = old_len + rooms[i];
			memcpy(want, before, old_len + 1);
			if (round % 2 == 1) {
				(void)strcpy(text + len, NEW);
				memcpy(want, text, len);
				memset(want + old_len, '\n', rooms[i]);
				(void)strcpy(want + len, NEW);
				len += strlen(NEW);
			}
			expect_settled(r, popper_slice(text, len), want);
		}
	free(text);
	free(want);
}

/* Is ${got} the same as ${want}, but for empty lines at the old end? */
static bool
same_but_room(const char *got, const char *want)
{
	const char *rest = got + old_len;

	if (strncmp(got, want, old_len) != 0)
		return false;
	return strcmp(rest + strspn(rest, "\n"), want + old_len) == 0;
}

/* It dies in a write, at its half, or beside one: all is there, with the notes
 * or without them. */
static void
a_death_in_any_write_is_made_good(void **state)
{
	struct rig *r = *state;
	char *old = malloc(2 * ROOM), *new = malloc(2 * ROOM);
	struct popper_slice got;
	bool died = true;
	int at, round;

	assert_true(old != NULL && new != NULL);
	make_mailboxes(r);
	for (at = 0; died; at++)
		for (round = 0; round < 4; round++) {
			rig_put(r, before);
			(void)strcpy(old, before);
			(void)strcpy(new, after);
			died = dying_run(r, fetch_all, at, round % 2 == 1);
			if (round >= 2) {
				rig_deliver(r, NEW);
				(void)strcat(old, NEW);
				(void)strcat(new, NEW);
			}
			rig_open(r);
			assert_int_equal(
			    r->drop->count(r->self), COUNT + (round >= 2));
			rig_close(r);
			got = rig_get(r->path);
			assert_true(same_but_room(got.ptr, old) ||
			    strcmp(got.ptr, new) == 0);
			free((void *)(uintptr_t)got.ptr);
			assert_false(rig_exists(r, MBOX_REWRITE));
		}
	assert_in_range(at, 8, 40);
	free(old);
	free(new);
}

static void
expect_doubt(struct rig *r, const char *text)
{
	rig_put(r, text);
	rig_refused(r, POPPER_PERMANENT);
	assert_non_null(strstr(r->error.text, MBOX_REWRITE));
	rig_expect(r, text);
	assert_true(rig_exists(r, MBOX_REWRITE));
}

static void
in_doubt_nothing_is_touched(void **state)
{
	struct rig *r = *state;
	char *text = malloc(2 * ROOM), other[160];
	int at = 0;

	assert_non_null(text);
	make_mailboxes(r);
	die_before(r, &at);
	(void)strcpy(text, before);
	text[1000] = '!'; /* neither old nor new */
	expect_doubt(r, text);
	(void)strcpy(text, after);
	text[1000] = '!';
	expect_doubt(r, text);
	text[strlen(before) / 2] = '\0'; /* cut elsewhere */
	expect_doubt(r, text);
	/* Another file. */
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	assert_int_equal(rename(r->path, other), 0);
	rig_refused(r, POPPER_PERMANENT);
	expect_doubt(r, before);
	free(text);
}

static void
a_damaged_record_is_not_used(void **state)
{
	static const off_t places[] = { 0, 9, 20, 40, 71, 100, 5000 };
	struct rig *r = *state;
	int fd, at = 0;
	size_t i;
	char c;

	make_mailboxes(r);
	die_before(r, &at);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		fd = openat(r->state, MBOX_REWRITE, O_RDWR | O_CLOEXEC);
		assert_int_not_equal(fd, -1);
		assert_int_equal(pread(fd, &c, 1, places[i]), 1);
		c = (char)(c + 1);
		assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
		expect_doubt(r, before);
		c = (char)(c - 1);
		assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
		assert_int_equal(close(fd), 0);
	}
	expect_settled(r, popper_slice(before, old_len), before);
}

/* Mail was to come back into an empty mbox, and the file is another now. */
static void
another_file_is_not_cut(void **state)
{
	struct mbox_rewrite head = { .magic = MBOX_REWRITE_MAGIC,
		.final = strlen(NEW) };
	struct rig *r = *state;
	struct stat st;
	int fd;

	rig_put(r, "");
	assert_int_equal(stat(r->path, &st), 0);
	head.inode = (uint64_t)st.st_ino + 1;
	fd = openat(r->state, MBOX_REWRITE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    pwrite(fd, NEW, strlen(NEW), sizeof(head)), strlen(NEW));
	assert_int_equal(mbox_rewrite_sum(fd, &head, head.sum), 0);
	assert_int_equal(pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(close(fd), 0);
	expect_doubt(r, FROM_A "Number: 1\n\nDelivered since\n");
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(any_mixture_of_blocks_is_finished),
		RIGGED(half_a_room_is_given_back),
		RIGGED(a_death_in_any_write_is_made_good),
		RIGGED(in_doubt_nothing_is_touched),
		RIGGED(a_damaged_record_is_not_used),
		RIGGED(another_file_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
