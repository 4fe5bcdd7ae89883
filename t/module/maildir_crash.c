/*
 * maildir_crash.c - UPDATE is killed, or fails, at each of its steps.
 *
 * Runs in: tests.  Linked so that every call of the module that changes a
 * folder passes here first.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIL 6
#define KILLED 42

static unsigned calls, at; /* step ${at} is the one, 0: none */
static bool kills; /* it ends the process, else it fails */
static bool forever; /* all steps after it fail too */

/* Count a step; returns true if it is to fail. */
static bool
step(void)
{
	calls++;
	if (at == 0 || calls < at || (calls > at && !forever))
		return false;
	if (kills)
		_exit(KILLED);
	errno = EIO;
	return true;
}

int __real_fsync(int);
int __wrap_fsync(int);
int __real_linkat(int, const char *, int, const char *, int);
int __wrap_linkat(int, const char *, int, const char *, int);
int __real_mkdirat(int, const char *, mode_t);
int __wrap_mkdirat(int, const char *, mode_t);
int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __real_renameat2(int, const char *, int, const char *, unsigned);
int __wrap_renameat2(int, const char *, int, const char *, unsigned);
int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);

int
__wrap_fsync(int fd)
{
	return step() ? -1 : __real_fsync(fd);
}

int
__wrap_linkat(int a, const char *from, int b, const char *to, int how)
{
	return step() ? -1 : __real_linkat(a, from, b, to, how);
}

int
__wrap_mkdirat(int a, const char *name, mode_t mode)
{
	return step() ? -1 : __real_mkdirat(a, name, mode);
}

int
__wrap_renameat(int a, const char *from, int b, const char *to)
{
	return step() ? -1 : __real_renameat(a, from, b, to);
}

int
__wrap_renameat2(int a, const char *from, int b, const char *to, unsigned how)
{
	return step() ? -1 : __real_renameat2(a, from, b, to, how);
}

int
__wrap_unlinkat(int a, const char *name, int how)
{
	return step() ? -1 : __real_unlinkat(a, name, how);
}

static void
make_mail(void)
{
	char name[64], text[64];
	int i;

	for (i = 1; i <= MAIL; i++) {
		(void)snprintf(name, sizeof(name),
		    i % 2 ? "Maildir/cur/%d.m:2,S" : "Maildir/new/%d.m", i);
		(void)snprintf(text, sizeof(text), "message %d\n", i);
		bed_text(&bed, name, text);
	}
}

static const unsigned char marks[MAIL] = { 1, 1, 0, 1, 0, 0 };
static const unsigned char one[MAIL] = { 0, 0, 0, 1, 0, 0 };
static const unsigned char none[MAIL];

/* Does the maildrop hold exactly the messages not marked in ${gone}? */
static bool
holds(void *self, const unsigned char *gone)
{
	char text[64];
	struct collect c;
	size_t i, n = 0;
	bool same = true;

	for (i = 0; i < MAIL && same; i++) {
		if (gone[i])
			continue;
		(void)snprintf(text, sizeof(text), "message %zu\n", i + 1);
		collect_start(&c);
		same = n < drop()->count(self) &&
		    drop()->read(self, n, 0, &c.sink, &error) == 0 &&
		    c.len == strlen(text) && memcmp(c.ptr, text, c.len) == 0;
		collect_end(&c);
		n++;
	}
	return same && n == drop()->count(self);
}

static void
empty_maildir(void)
{
	void *self = opened();
	unsigned char all[MAIL];
	struct popper_changes changes = { .size = sizeof(changes),
		.count = drop()->count(self),
		.marks = all };

	memset(all, POPPER_MARK_DELETED, sizeof(all));
	assert_int_equal(drop()->commit(self, &changes, &error), POPPER_DONE);
	drop()->close(self);
	/* Nothing of ours stays behind. */
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/tmp")), 0);
	bed_folder(&bed, "Maildir/tmp");
}

/* A session that is killed at step ${n}.  Returns false if it came through. */
static bool
killed_at(unsigned n, const unsigned char *which)
{
	int status;
	pid_t child;
	void *self;

	(void)fflush(NULL);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) ==
		    -1)
			_exit(1);
		kills = true;
		calls = 0;
		at = n;
		_exit(commit(self, which) == POPPER_DONE ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 0)
		return false;
	assert_int_equal(WEXITSTATUS(status), KILLED);
	return true;
}

static void
killed_everywhere(const unsigned char *which)
{
	unsigned n, before = 0, after = 0;
	bool killed = true;
	void *self;

	for (n = 1; killed; n++) {
		make_mail();
		killed = killed_at(n, which);
		self = opened();
		if (holds(self, none))
			before++;
		else if (holds(self, which))
			after++;
		else
			fail_msg("step %u: some of the messages are gone", n);
		/* Once removed they never come back. */
		assert_true(after == 0 || !holds(self, none));
		drop()->close(self);
		empty_maildir();
	}
	assert_true(before > 0 && after > 0);
}

static void
killed_at_each_step(void **state)
{
	(void)state;
	killed_everywhere(marks);
	killed_everywhere(one);
}

/* Recovery is killed too, at each of its steps. */
static void
killed_while_recovering(void **state)
{
	unsigned n, m;
	int status;
	void *self;
	pid_t child;

	(void)state;
	for (n = 2; n < 16; n++)
		for (m = 1; m < 10; m++) {
			make_mail();
			(void)killed_at(n, marks);
			(void)fflush(NULL);
			if ((child = fork()) == 0) {
				kills = true;
				calls = 0;
				at = m;
				(void)drop()->open(&bed_host, &conf, &bed.place,
				    &self, &error);
				_exit(0);
			}
			assert_int_equal(waitpid(child, &status, 0), child);
			self = opened();
			assert_true(holds(self, none) || holds(self, marks));
			drop()->close(self);
			empty_maildir();
		}
}

/* Step ${n} fails.  Returns false if there is no such step. */
static bool
failing_at(unsigned n, const unsigned char *which)
{
	enum popper_outcome outcome;
	void *self;
	bool reached;

	make_mail();
	self = opened();
	calls = 0;
	at = n;
	outcome = commit(self, which);
	at = 0;
	reached = calls >= n;
	drop()->close(self);
	self = opened();
	if (outcome == POPPER_DONE)
		assert_true(holds(self, which));
	if (outcome == POPPER_NOT_DONE)
		assert_true(holds(self, none));
	if (outcome == POPPER_UNKNOWN)
		assert_true(holds(self, none) || holds(self, which));
	if (outcome != POPPER_DONE)
		assert_int_equal(error.status, POPPER_TEMPORARY);
	drop()->close(self);
	empty_maildir();
	return reached;
}

static void
failing_everywhere(const unsigned char *which)
{
	unsigned n;

	for (n = 1; failing_at(n, which); n++)
		;
	assert_true(n > 2);
}

static void
each_step_fails_once(void **state)
{
	(void)state;
	forever = false;
	failing_everywhere(marks);
	failing_everywhere(one);
}

static void
all_steps_fail_from_one_on(void **state)
{
	(void)state;
	forever = true;
	failing_everywhere(marks);
	failing_everywhere(one);
	forever = false;
}

/* A delivery that fails leaves nothing; one that is killed shows nothing. */
static void
delivery_is_whole_or_not_there(void **state)
{
	bool reached = true;
	FILE *mail;
	unsigned n;
	void *self;
	int result;

	bed_text(&bed, "mail", "the mail\n");
	for (n = 1; reached; n++) {
		mail = fopen(bed_path(&bed, "mail"), "re");
		assert_non_null(mail);
		calls = 0;
		at = n;
		result = drop()->deliver(
		    &bed_host, &conf, &bed.place, fileno(mail), &error);
		at = 0;
		reached = calls >= n;
		(void)fclose(mail);
		self = opened();
		assert_int_equal(drop()->count(self), result == 0);
		drop()->close(self);
		(void)maildir_tear_down(state);
		(void)maildir_set_up(state);
		bed_text(&bed, "mail", "the mail\n");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(killed_at_each_step),
		MAILDIR_TEST(killed_while_recovering),
		MAILDIR_TEST(each_step_fails_once),
		MAILDIR_TEST(all_steps_fail_from_one_on),
		MAILDIR_TEST(delivery_is_whole_or_not_there),
	};

	return cmocka_run_group_tests_name("maildir_crash", tests, NULL, NULL);
}
