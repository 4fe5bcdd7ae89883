/*
 * mbox_crash.c - a commit of an earlier version died halfway; the login after
 * that.
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

#include "mbox_rig.h"

#include "mbox_backup.h"
#include "mbox_record.h"

#define COUNT 200 /* messages of some 3000 octets */
#define FIRST 130 /* the first one that is removed */
#define NEW FROM_B "New: mail\n\nIt came after the crash\n\n"

static char before[COUNT * 3100]; /* the mailbox as it was */
static char after[COUNT * 3100]; /* and as the commit would leave it */
static char marks[COUNT + 1];
static size_t tail; /* where the first removed message begins */

static void
make_mailboxes(void)
{
	char message[3100], *b = before, *a = after;
	size_t i, n;

	for (i = 0; i < COUNT; i++) {
		n = (size_t)sprintf(message, FROM_A "Number: %zu\n\n", i);
		memset(message + n, 'a' + (int)(i % 26), 3000);
		(void)strcpy(message + n + 3000, "\n\n");
		if (i == FIRST)
			tail = (size_t)(b - before);
		b = stpcpy(b, message);
		marks[i] = i >= FIRST && i % 3 != 0 ? 'D' : '-';
		if (marks[i] == '-')
			a = stpcpy(a, message);
	}
}

/* Which parts were to be kept. */
static size_t
make_runs(struct mbox_run *runs)
{
	const char *b = before + tail, *next;
	size_t i, n = 0;

	for (i = FIRST; i < COUNT; i++, b = next) {
		next = strstr(b + 1, FROM_A);
		if (next == NULL)
			next = b + strlen(b);
		if (marks[i] == 'D')
			continue;
		runs[n].from = (uint64_t)(b - before);
		runs[n++].len = (uint64_t)(next - b);
	}
	return n;
}

/* The file that such a commit wrote first; ${ready}: its head, too. */
static void
write_backup(struct rig *r, bool ready)
{
	struct mbox_backup head = { .magic = { 0 } };
	struct mbox_run runs[COUNT];
	size_t count = make_runs(runs);
	struct stat st;
	int fd = openat(r->state, MBOX_BACKUP,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, &head, sizeof(head)), sizeof(head));
	assert_int_equal(
	    write(fd, runs, count * sizeof(*runs)), count * sizeof(*runs));
	assert_int_equal(write(fd, before + tail, strlen(before) - tail),
	    strlen(before) - tail);
	assert_int_equal(stat(r->path, &st), 0);
	memcpy(head.magic, MBOX_BACKUP_MAGIC, sizeof(head.magic));
	head.inode = st.st_ino;
	head.size = strlen(before);
	head.tail = tail;
	head.final = strlen(after);
	head.runs = count;
	assert_int_equal(
	    mbox_record_sum(fd, &head, offsetof(struct mbox_backup, sum),
		sizeof(head), head.sum),
	    0);
	if (ready)
		assert_int_equal(
		    pwrite(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(close(fd), 0);
}

/* What is there after that commit died with the mailbox written up to octet
 * ${limit}. */
static void
commit_and_die(struct rig *r, size_t limit)
{
	static char text[sizeof(before)];

	(void)strcpy(text, before);
	memcpy(text + tail, after + tail, limit - tail);
	rig_put(r, text);
	write_backup(r, true);
}

/* The next login finds ${text} and nothing to do for the one after it. */
static void
expect_recovered(struct rig *r, const char *text)
{
	rig_open(r);
	rig_expect(r, text);
	rig_close(r);
	assert_false(rig_exists(r, MBOX_BACKUP));
	assert_int_equal(access(r->lock, F_OK), -1);
}

/* The next login asks for a person and leaves everything alone. */
static void
expect_doubt(struct rig *r, const char *text)
{
	rig_refused(r, POPPER_PERMANENT);
	assert_non_null(strstr(r->error.text, MBOX_BACKUP));
	rig_expect(r, text);
	assert_true(rig_exists(r, MBOX_BACKUP));
}

static void
killed_commits_are_undone(void **state)
{
	struct rig *r = *state;
	char *text = malloc(sizeof(before) + sizeof(NEW));
	size_t limit;

	assert_non_null(text);
	for (limit = tail; limit < strlen(after); limit += 7001) {
		commit_and_die(r, limit);
		assert_true(rig_exists(r, MBOX_BACKUP));
		expect_recovered(r, before);
		/* Mail that came after the crash stays. */
		commit_and_die(r, limit);
		rig_deliver(r, NEW);
		(void)stpcpy(stpcpy(text, before), NEW);
		expect_recovered(r, text);
	}
	free(text);
}

static void
a_backup_that_was_not_ready_is_dropped(void **state)
{
	struct rig *r = *state;

	rig_put(r, before);
	write_backup(r, false);
	expect_recovered(r, before);
	write_backup(r, false);
	assert_int_equal(unlinkat(r->state, MBOX_BACKUP, 0), 0);
	close(openat(r->state, MBOX_BACKUP, O_CREAT | O_CLOEXEC, 0600));
	expect_recovered(r, before);
}

/* After a power cut some blocks are there and some are not. */
static void
any_mixture_of_blocks_is_undone(void **state)
{
	struct rig *r = *state;
	char *text = malloc(sizeof(before));
	size_t i, final = strlen(after);
	uint32_t seed = 1;
	int round;

	assert_non_null(text);
	for (round = 0; round < 20; round++) {
		commit_and_die(r, tail + 1);
		(void)strcpy(text, before);
		for (i = tail; i < final; i++) {
			if (i % 512 == 0)
				seed = seed * 1664525u + 1013904223u;
			if (seed >> 31 == 0)
				text[i] = after[i];
		}
		rig_put(r, text);
		expect_recovered(r, before);
	}
	free(text);
}

static void
finished_commits_stay_finished(void **state)
{
	struct rig *r = *state;
	char *text = malloc(sizeof(before) + sizeof(NEW));
	int i;

	assert_non_null(text);
	commit_and_die(r, tail + 1);
	rig_put(r, after);
	expect_recovered(r, after);
	/* Cut, and mail delivered since. */
	commit_and_die(r, tail + 1);
	(void)stpcpy(stpcpy(text, after), NEW);
	rig_put(r, text);
	expect_recovered(r, text);
	/* So much of it that the file is larger than ever. */
	commit_and_die(r, tail + 1);
	rig_put(r, text);
	for (i = 0; i < 5000; i++)
		rig_deliver(r, NEW);
	rig_open(r);
	assert_in_range(r->drop->count(r->self), 5000, 5200);
	rig_close(r);
	/* All moved but not cut yet: undone. */
	commit_and_die(r, tail + 1);
	(void)strcpy(text, before);
	memcpy(text, after, strlen(after));
	rig_put(r, text);
	expect_recovered(r, before);
	free(text);
}

static void
in_doubt_nothing_is_touched(void **state)
{
	struct rig *r = *state;
	char *text = malloc(sizeof(before)), other[160];

	assert_non_null(text);
	commit_and_die(r, tail + 30001);
	(void)strcpy(text, before);
	text[tail + 1000] = '!'; /* neither old nor new */
	rig_put(r, text);
	expect_doubt(r, text);
	(void)strcpy(text, before);
	text[strlen(before) - 10] = '!'; /* behind the new end */
	rig_put(r, text);
	expect_doubt(r, text);
	text[tail + 20] = '\0'; /* cut elsewhere */
	rig_put(r, text);
	expect_doubt(r, text);
	(void)stpcpy(stpcpy(text, after), "junk\n");
	rig_put(r, text);
	expect_doubt(r, text);
	/* Another file. */
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	assert_int_equal(rename(r->path, other), 0);
	rig_refused(r, POPPER_PERMANENT);
	rig_put(r, before);
	expect_doubt(r, before);
	free(text);
}

static void
a_damaged_backup_is_not_used(void **state)
{
	struct rig *r = *state;
	const off_t places[] = { 0, 9, 50, 100, 5000 };
	struct popper_slice now;
	char c;
	size_t i;
	int fd;

	commit_and_die(r, tail + 30001);
	now = rig_get(r->path);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		fd = openat(r->state, MBOX_BACKUP, O_RDWR | O_CLOEXEC);
		assert_int_not_equal(fd, -1);
		assert_int_equal(pread(fd, &c, 1, places[i]), 1);
		c = (char)(c + 1);
		assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
		expect_doubt(r, now.ptr);
		c = (char)(c - 1);
		assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
		assert_int_equal(close(fd), 0);
	}
	expect_recovered(r, before);
	free((void *)(uintptr_t)now.ptr);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(killed_commits_are_undone),
		RIGGED(a_backup_that_was_not_ready_is_dropped),
		RIGGED(any_mixture_of_blocks_is_undone),
		RIGGED(finished_commits_stay_finished),
		RIGGED(in_doubt_nothing_is_touched),
		RIGGED(a_damaged_backup_is_not_used),
	};

	make_mailboxes();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
