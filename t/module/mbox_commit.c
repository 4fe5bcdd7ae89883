/*
 * mbox_commit.c - removing messages: exactly those, or none.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_rig.h"

#include "mbox_journal.h"

#define COUNT 5
#define NEW FROM_B "New: mail\n\nIt came meanwhile\n\n"

static const char *const mail[COUNT] = {
	FROM_A "A: 1\n\nOne\n\n",
	FROM_B "A: 2\r\n\r\nTwo\r\n\r\n",
	FROM_A "\n",
	FROM_B "A: 4\n\n>From four\n\n\n\n",
	FROM_A "A: 5\n\nFrom five\n\n",
};

/* The whole mailbox, or what a commit of ${removed} (bits) leaves of it. */
static void
put_together(char *text, unsigned removed, const char *last)
{
	unsigned i;

	*text = '\0';
	for (i = 0; i < COUNT; i++)
		if ((removed >> i & 1) == 0)
			(void)strcat(text, mail[i]);
	(void)strcat(text, last);
}

static void
every_choice_leaves_exactly_the_others(void **state)
{
	struct rig *r = *state;
	char text[2048], marks[COUNT + 1] = "";
	struct stat before, after;
	unsigned removed, i, arrives;

	put_together(text, 0, "");
	rig_put(r, text);
	assert_int_equal(chmod(r->path, 0640), 0);
	assert_int_equal(stat(r->path, &before), 0);
	for (removed = 0; removed < 1u << COUNT; removed++)
		for (arrives = 0; arrives < 2; arrives++) {
			put_together(text, 0, "");
			rig_put(r, text);
			rig_open(r);
			if (arrives)
				rig_deliver(r, NEW);
			for (i = 0; i < COUNT; i++)
				marks[i] = removed >> i & 1 ? 'D' : '-';
			assert_int_equal(rig_commit(r, marks), POPPER_DONE);
			put_together(text, removed, arrives ? NEW : "");
			rig_expect(r, text);
			rig_close(r);
			assert_false(rig_exists(r, MBOX_JOURNAL));
			assert_int_equal(access(r->lock, F_OK), -1);
		}
	assert_int_equal(stat(r->path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mode, before.st_mode);
}

/* Without its empty line, or even its line end, the last one stays whole. */
static void
an_open_end_stays_as_it_is(void **state)
{
	struct rig *r = *state;

	rig_put(r, FROM_A "A: 1\n\nOne\n\n" FROM_B "A: 2\n\nTwo");
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	rig_expect(r, FROM_B "A: 2\n\nTwo");
}

static void
new_mail_shows_as_new(void **state)
{
	struct rig *r = *state;
	struct timespec t[2] = { { .tv_sec = 2000 }, { .tv_sec = 1000 } };
	struct stat st;

	rig_put(r, FROM_A "A: 1\n\n" FROM_B "A: 2\n\n");
	assert_int_equal(utimensat(AT_FDCWD, r->path, t, 0), 0);
	rig_open(r);
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mtime, 1000);
	assert_true(st.st_atime > 2000);
	rig_close(r);
	rig_open(r);
	rig_deliver(r, NEW);
	t[0].tv_sec = 3000;
	t[1].tv_sec = 4000;
	assert_int_equal(utimensat(AT_FDCWD, r->path, t, 0), 0);
	assert_int_equal(rig_commit(r, "D"), POPPER_DONE);
	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mtime, 4000);
	assert_int_equal(st.st_atime, 3000);
	rig_expect(r, NEW);
}

/* What another program may have done meanwhile: nothing is removed then. */
static void
other_changes_stop_a_commit(void **state)
{
	static const char *const changed[] = {
		"", /* all read and removed */
		FROM_A "A: 1\n\nOne\n\n", /* the second removed */
		FROM_B "A: 2\n\nTwo\n\n", /* the first removed */
		FROM_A "A: 1\n\nOne\n\n" FROM_A "A: 2\n\nTwo\n\n",
		FROM_A "A: 1\n\nOne\n\n" FROM_B "A: 2\n\nTwo more\n\n",
		FROM_A "A: 1\nB: 1\n\nOne\n\n" FROM_B "A: 2\n\nTwo\n\n",
		FROM_A "A: 1\n\n\nOne\n" FROM_B "A: 2\n\nTwo\n\n",
		"junk\n",
	};
	struct rig *r = *state;
	size_t i;

	for (i = 0; i < sizeof(changed) / sizeof(*changed); i++) {
		rig_put(r, FROM_A "A: 1\n\nOne\n\n" FROM_B "A: 2\n\nTwo\n\n");
		rig_open(r);
		rig_put(r, changed[i]);
		assert_int_equal(rig_commit(r, "D-"), POPPER_NOT_DONE);
		assert_int_equal(r->error.status, POPPER_TEMPORARY);
		rig_expect(r, changed[i]);
		rig_close(r);
	}
}

/* Except for what mail programs write into a message without moving any. */
static void
a_note_in_place_is_kept(void **state)
{
	struct rig *r = *state;

	rig_put(r, FROM_A "A: 1\n\n\n" FROM_B "Status: O \n\nTwo\n\n");
	rig_open(r);
	rig_put(r, FROM_A "A: 1\n\n\n" FROM_B "Status: RO\n\nTwo\n\n");
	assert_int_equal(rig_commit(r, "D-"), POPPER_DONE);
	rig_expect(r, FROM_B "Status: RO\n\nTwo\n\n");
}

/* Equal separators and sizes do not make it the message that was marked. */
static void
others_of_the_same_size_stop_a_commit(void **state)
{
	struct rig *r = *state;
	const char *now = FROM_A "A: 2\n\nTwo\n\n" FROM_A "A: 3\n\nSix\n\n";

	rig_put(r, FROM_A "A: 1\n\nOne\n\n" FROM_A "A: 2\n\nTwo\n\n");
	rig_open(r);
	rig_put(r, now);
	assert_int_equal(rig_commit(r, "D-"), POPPER_NOT_DONE);
	rig_expect(r, now);
}

static void
a_replaced_file_stops_a_commit(void **state)
{
	struct rig *r = *state;
	char text[2048], other[160];

	put_together(text, 0, "");
	rig_put(r, text);
	rig_open(r);
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	assert_int_equal(rename(r->path, other), 0);
	assert_int_equal(rig_commit(r, "D----"), POPPER_NOT_DONE);
	assert_int_equal(r->error.status, POPPER_TEMPORARY);
	rig_put(r, text);
	assert_int_equal(rig_commit(r, "D----"), POPPER_NOT_DONE);
	rig_expect(r, text);
}

#define BIG 200 /* messages of some 3000 octets */

/* A large mailbox without every second message from the ${from}th on. */
static char *
big_mailbox(size_t from)
{
	char *text = malloc((size_t)BIG * 3100), *p = text;
	size_t i;

	assert_non_null(text);
	for (i = 0; i < BIG; i++) {
		if (i >= from && (i - from) % 2 == 0)
			continue;
		p += sprintf(p, FROM_A "Number: %zu\n\n", i);
		memset(p, 'a' + (int)(i % 26), 3000);
		p += 3000;
		p += sprintf(p, "\n\n");
	}
	return text;
}

/* A write that fails anywhere, in the journal or in the mailbox.  Nothing is
 * removed, or the next session removes what is left to remove. */
static void
failed_writes_lose_nothing(void **state)
{
	struct rig *r = *state;
	const size_t from = 130;
	char *before = big_mailbox(BIG), *after = big_mailbox(from);
	char marks[BIG + 1];
	struct rlimit old, limit;
	enum popper_outcome outcome;
	size_t i, count[3] = { 0, 0, 0 };

	memset(marks, '-', BIG);
	marks[BIG] = '\0';
	for (i = from; i < BIG; i += 2)
		marks[i] = 'D';
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (i = 1; i < 26; i++) {
		rig_put(r, before);
		rig_open(r);
		limit = old;
		limit.rlim_cur = i * 25001;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		outcome = rig_commit(r, marks);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		count[outcome]++;
		if (outcome != POPPER_DONE)
			assert_int_equal(r->error.status, POPPER_TEMPORARY);
		assert_int_equal(
		    rig_exists(r, MBOX_JOURNAL), outcome == POPPER_UNKNOWN);
		rig_close(r);
		if (outcome == POPPER_UNKNOWN) {
			rig_open(r);
			rig_close(r);
		}
		rig_expect(r, outcome == POPPER_NOT_DONE ? before : after);
		assert_false(rig_exists(r, MBOX_JOURNAL));
	}
	assert_true(count[POPPER_NOT_DONE] > 5 && count[POPPER_DONE] > 2 &&
	    count[POPPER_UNKNOWN] > 2);
	free(before);
	free(after);
}

/* Fill what is left of a disk. */
static void
fill(int folder)
{
	char block[4096] = { 0 };
	int fd = openat(
	    folder, "filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	(void)close(fd);
}

/* Remove the first message, and see what came of it. */
static void
expect_removal(struct rig *r, enum popper_outcome outcome)
{
	char *before = big_mailbox(BIG), *after = before, marks[BIG + 1];

	memset(marks, '-', BIG);
	marks[BIG] = '\0';
	marks[0] = 'D';
	rig_put(r, before);
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), outcome);
	if (outcome == POPPER_DONE)
		after = strstr(before, "\n\nFrom ") + 2;
	rig_expect(r, after);
	assert_false(rig_exists(r, MBOX_JOURNAL));
	rig_close(r);
	free(before);
}

/* The state folder is on a full disk. */
static void
a_full_disk_does_not_matter(void **state)
{
	struct rig *r = *state;
	char path[128];
	struct stat st;
	int full;

	(void)snprintf(path, sizeof(path), "%s/full", r->top);
	assert_int_equal(mkdir(path, 0700), 0);
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", path, "tmpfs", 0, "size=128k") == -1)
		return; /* only root can */
	full = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(full, -1);
	r->place.state = full;
	(void)close(r->state);
	r->state = full;
	/* Nothing is there, and there is room for nothing. */
	fill(full);
	expect_removal(r, POPPER_NOT_DONE);
	/* The reserve. */
	assert_int_equal(unlinkat(full, "filler", 0), 0);
	expect_removal(r, POPPER_DONE);
	fill(full);
	expect_removal(r, POPPER_DONE);
	expect_removal(r, POPPER_DONE);
	assert_int_equal(fstatat(full, MBOX_RESERVE, &st, 0), 0);
	/* What the index takes. */
	assert_int_equal(renameat(full, MBOX_RESERVE, full, "mbox.index"), 0);
	expect_removal(r, POPPER_DONE);
	assert_false(rig_exists(r, "mbox.index"));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(every_choice_leaves_exactly_the_others),
		RIGGED(an_open_end_stays_as_it_is),
		RIGGED(new_mail_shows_as_new),
		RIGGED(other_changes_stop_a_commit),
		RIGGED(a_note_in_place_is_kept),
		RIGGED(others_of_the_same_size_stop_a_commit),
		RIGGED(a_replaced_file_stops_a_commit),
		RIGGED(failed_writes_lose_nothing),
		RIGGED(a_full_disk_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
