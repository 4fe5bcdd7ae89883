/*
 * mbox_resume.c - a removal that died halfway, and what happened to the mbox
 * before the next login.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mbox_dying.h"

#include "mbox_journal.h"

#define COUNT 40
#define BODY 700
#define LAST_DEATH 200
#define NEW FROM_B "New: mail\n\nIt came after the crash\n\n"

static char before[COUNT * (BODY + 100)]; /* the mailbox as it was */
static char after[COUNT * (BODY + 100)]; /* and as the commit leaves it */
static char marks[COUNT + 1];

/* Room for windows of 512 octets only. */
static void
make_small_reserve(struct rig *r)
{
	int fd = openat(r->state, MBOX_RESERVE,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, 2560), 0);
	assert_int_equal(close(fd), 0);
}

int __real_fallocate(int, int, off_t, off_t);
int __wrap_fallocate(int, int, off_t, off_t);

int
__wrap_fallocate(int fd, int mode, off_t at, off_t len)
{
	if (at + len <= 2560)
		return __real_fallocate(fd, mode, at, len);
	errno = ENOSPC;
	return -1;
}

/* ${step}: every ${step}th message goes, from ${first} on. */
static void
make_mailboxes(size_t first, size_t step)
{
	char message[BODY + 100], *b = before, *a = after;
	size_t i, n;

	memset(marks, '-', COUNT);
	for (i = 0; i < COUNT; i++) {
		n = (size_t)sprintf(message, FROM_A "Number: %zu\n\n", i);
		memset(message + n, 'a' + (int)(i % 26), BODY);
		n += i % 3 == 0 ? BODY / 5 : BODY;
		(void)strcpy(message + n, "\n\n");
		b = stpcpy(b, message);
		if (i >= first && (i - first) % step == 0)
			marks[i] = 'D';
		else
			a = stpcpy(a, message);
	}
	*a = '\0';
}

static int
session(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	(void)rig_commit(r, marks);
	rig_close(r);
	return 0;
}

static int
login(struct rig *r)
{
	MUST(rig_try_open(r) == 0);
	rig_close(r);
	return 0;
}

/* A session dies at its ${at}th change.  False: it lived to the end. */
static bool
die(struct rig *r, int at)
{
	(void)unlinkat(r->state, MBOX_JOURNAL, 0);
	make_small_reserve(r);
	rig_put(r, before);
	return dying_run(r, session, at, true);
}

static void
expect_finished(struct rig *r, const char *text)
{
	rig_open(r);
	rig_close(r);
	rig_expect(r, text);
	assert_false(rig_exists(r, MBOX_JOURNAL));
	assert_true(rig_exists(r, MBOX_RESERVE));
}

static void
expect_doubt(struct rig *r)
{
	struct popper_slice now = rig_get(r->path);

	rig_refused(r, POPPER_PERMANENT);
	assert_non_null(strstr(r->error.text, MBOX_JOURNAL));
	rig_expect(r, now.ptr);
	assert_true(rig_exists(r, MBOX_JOURNAL));
	free((void *)(uintptr_t)now.ptr);
}

/* Each death, then mail; and the recovery dies, too, at each of its changes,
 * and more mail comes. */
static void
mail_that_comes_between_stays(void **state)
{
	struct rig *r = *state;
	static char text[sizeof(before) + 4 * sizeof(NEW)];
	bool promised;
	int at, second;

	make_mailboxes(28, 5);
	for (at = 0; die(r, at); at += 7) {
		promised = rig_exists(r, MBOX_JOURNAL);
		for (second = 0; second < LAST_DEATH; second += 3) {
			(void)die(r, at);
			rig_deliver(r, NEW);
			if (!dying_run(r, login, second, true))
				break;
			rig_deliver(r, NEW NEW);
			(void)stpcpy(stpcpy(text, promised ? after : before),
			    NEW NEW NEW);
			expect_finished(r, text);
		}
		assert_in_range(second, 1, LAST_DEATH - 1);
	}
	assert_true(at > 40);
}

/* A death that leaves a journal. */
static void
find_death(struct rig *r, int skip)
{
	int at;

	for (at = 0; die(r, at); at++)
		if (rig_exists(r, MBOX_JOURNAL) && skip-- == 0)
			return;
	fail_msg("no such death");
}

static void
change(struct rig *r, off_t at, const char *text)
{
	int fd = open(r->path, O_WRONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
in_doubt_nothing_is_touched(void **state)
{
	struct rig *r = *state;
	char other[160];
	off_t size;

	make_mailboxes(10, 7);
	size = (off_t)strlen(before);
	find_death(r, 12);
	change(r, strstr(before, "Number: 9\n") - before, "N"); /* the same */
	expect_finished(r, after);
	find_death(r, 12);
	change(r, strstr(before, "Number: 9\n") - before, "n");
	expect_doubt(r);
	find_death(r, 12);
	change(r, size - 5, "!");
	expect_doubt(r);
	find_death(r, 12);
	change(r, size, "junk\n");
	expect_doubt(r);
	find_death(r, 12); /* a message that is still to be moved */
	change(r,
	    strstr(before, "Number: 32\n") - before - (off_t)strlen(FROM_A),
	    "X");
	expect_doubt(r);
	find_death(r, 12);
	assert_int_equal(truncate(r->path, size - 100), 0);
	expect_doubt(r);
	find_death(r, 12); /* another file */
	(void)snprintf(other, sizeof(other), "%s/other", r->spool);
	assert_int_equal(rename(r->path, other), 0);
	rig_refused(r, POPPER_PERMANENT);
	rig_put(r, before);
	expect_doubt(r);
}

/* Every octet of head, notes and plan that counts. */
static void
a_damaged_journal_is_not_used(void **state)
{
	struct rig *r = *state;
	const off_t places[] = { 0, 9, 20, 50, 100, 1536, 1540 };
	char c, slots[1024];
	size_t i;
	int fd;

	make_mailboxes(10, 7);
	find_death(r, 12);
	fd = openat(r->state, MBOX_JOURNAL, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		assert_int_equal(pread(fd, &c, 1, places[i]), 1);
		c = (char)(c + 1);
		assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
		expect_doubt(r);
		c = (char)(c - 1);
		assert_int_equal(pwrite(fd, &c, 1, places[i]), 1);
	}
	assert_int_equal(pread(fd, slots, sizeof(slots), 512), sizeof(slots));
	for (i = 0; i < 72; i++) {
		slots[i]++;
		slots[512 + i]++;
		assert_int_equal(
		    pwrite(fd, slots, sizeof(slots), 512), sizeof(slots));
		expect_doubt(r);
		slots[i]--;
		slots[512 + i]--;
	}
	assert_int_equal(pwrite(fd, slots, sizeof(slots), 512), sizeof(slots));
	(void)close(fd);
	expect_finished(r, after);
}

/* Not cut yet, and cut: mail that is equal to what was to be cut off. */
static void
equal_mail_is_not_cut_off(void **state)
{
	struct rig *r = *state;
	static char text[2 * sizeof(before)], tail[sizeof(before)];
	size_t len;
	int at, cut = 0;

	make_mailboxes(10, 7);
	len = strlen(after);
	(void)strcpy(tail, strstr(before + len, "\n\nFrom ") + 2);
	for (at = 0; die(r, at); at++) {
		struct stat st;

		assert_int_equal(stat(r->path, &st), 0);
		if ((size_t)st.st_size != len || !rig_exists(r, MBOX_JOURNAL))
			continue;
		cut++;
		rig_deliver(r, tail);
		(void)stpcpy(stpcpy(text, after), tail);
		expect_finished(r, text);
	}
	assert_true(cut > 0);
}

struct keeper {
	struct popper_sink sink;
	char text[512];
};

static int
keep(struct popper_sink *sink, struct popper_slice line)
{
	struct keeper *k = (struct keeper *)sink;

	(void)strncat(k->text, line.ptr, line.len);
	return 0;
}

static void
expect_lines(struct rig *r, const char *lines)
{
	struct keeper k = { .sink = { keep } };

	assert_int_equal(rig_recover(r, &k.sink), 0);
	assert_string_equal(k.text, lines);
}

static void
recovery_says_what_it_found(void **state)
{
	struct rig *r = *state;
	char path[160], lines[240];
	int fd;

	make_mailboxes(10, 7);
	rig_put(r, before);
	expect_lines(r, "nothing to do\n");
	find_death(r, 12);
	expect_lines(
	    r, "finished a removal of messages that was interrupted\n");
	rig_expect(r, after);
	expect_lines(r, "nothing to do\n");
	/* In doubt it says what a login would. */
	find_death(r, 12);
	change(r, (off_t)strlen(before), "junk\n");
	assert_int_equal(rig_recover(r, NULL), -1);
	assert_int_equal(r->error.status, POPPER_PERMANENT);
	/* Mail that Qpopper left. */
	assert_int_equal(unlinkat(r->state, MBOX_JOURNAL, 0), 0);
	rig_put(r, before);
	(void)snprintf(path, sizeof(path), "%s/.user.pop", r->spool);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, NEW, strlen(NEW)), strlen(NEW));
	(void)close(fd);
	(void)snprintf(
	    lines, sizeof(lines), "took back the mail in %s\n", path);
	expect_lines(r, lines);
}

#define RIGGED(test) \
	cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIGGED(mail_that_comes_between_stays),
		RIGGED(in_doubt_nothing_is_touched),
		RIGGED(a_damaged_journal_is_not_used),
		RIGGED(equal_mail_is_not_cut_off),
		RIGGED(recovery_says_what_it_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
