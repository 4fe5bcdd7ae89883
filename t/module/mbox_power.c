/*
 * mbox_power.c - the power goes in the middle of a commit, or of the recovery
 * after that.
 *
 * Runs in: tests.  Whatever the disk has of the changes (power.h), the next
 * session finds all messages or exactly those that were to stay, octet by
 * octet and with their unique-ids; and those that were to stay once the commit
 * had said so.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rig.h"
#include "mbox_journal.h"
#include "power.h"

#define COUNT 24
#define SMALL 2560 /* octets of a journal with a window of 512 */
#define ROOM (COUNT * 5000)

static char before[ROOM]; /* the mailbox as it was */
static char after[ROOM]; /* and as the commit leaves it */
static char uids[COUNT][POPPER_UID_MAX + 1];
static const char *marks;
static long states, recoveries, syncs; /* that were tried in all */
static size_t turn; /* of the states */

/* The messages have 60 to 4000 octets. */
static void
make_mailboxes(struct rig *r)
{
	char message[5000], *b = before, *a = after;

	for (size_t i = 0; i < COUNT; i++) {
		size_t n = (size_t)sprintf(
			   message, FROM_A "Number: %zu\n\n", i),
		       len = i % 5 == 0 ? 4000 : 10 * i + 1;

		memset(message + n, 'a' + (int)(i % 26), len);
		(void)strcpy(message + n + len, "\n\n");
		b = stpcpy(b, message);
		if (marks[i] == '-')
			a = stpcpy(a, message);
	}
	*a = '\0';
	rig_put(r, before);
	rig_open(r);
	for (size_t i = 0; i < COUNT; i++)
		rig_uid(r, i, uids[i]);
	rig_close(r);
}

static bool
holds(const struct rig *r, const char *text)
{
	struct popper_slice got = rig_get(r->path);
	bool same =
	    got.len == strlen(text) && memcmp(got.ptr, text, got.len) == 0;

	free((void *)(uintptr_t)got.ptr);
	return same;
}

static bool
has_uids(struct rig *r, bool all)
{
	char uid[POPPER_UID_MAX + 1];
	size_t at = 0;

	for (size_t i = 0; i < COUNT; i++) {
		if (!all && marks[i] == 'D')
			continue;
		rig_uid(r, at++, uid);
		if (strcmp(uid, uids[i]) != 0)
			return false;
	}
	return at == r->drop->count(r->self);
}

/* The next session; the machine that had the dot lock is no more. */
static const char *
recover(void *arg, bool said)
{
	struct rig *r = arg;
	const char *wrong = NULL;
	bool kept;

	(void)unlink(r->lock);
	if (rig_try_open(r) == -1)
		return r->error.text;
	kept = holds(r, after);
	if (!kept && !holds(r, before))
		wrong = "mail is lost";
	else if (!kept && said)
		wrong = "what was removed is there again";
	else if (!has_uids(r, !kept))
		wrong = "other unique-ids";
	rig_close(r);
	if (wrong == NULL && rig_exists(r, MBOX_JOURNAL))
		wrong = "the journal is left";
	return wrong;
}

/* The power goes again while that is put right. */
static const char *
recover_twice(void *arg, bool said)
{
	struct power_sweep how = {
		.order = POWER_POSIX, .limit = 64, .judge = recover, .arg = arg
	};
	struct rig *r = arg;
	struct power *p;
	const char *wrong;

	if (turn++ % (power_deep() ? 8 : 64) != 0)
		return recover(arg, said);
	(void)unlink(r->lock);
	p = malloc(sizeof(*p));
	assert_non_null(p);
	power_start(p, r->top, 512);
	if (said)
		power_said(p);
	wrong = recover(arg, said);
	power_stop(p);
	if (wrong == NULL)
		recoveries += power_sweep(p, &how);
	power_free(p);
	free(p);
	return wrong;
}

/* Windows, that is to say. */
static long
count_syncs(const struct power *p)
{
	long n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += p->ops[i].kind == POWER_SYNC;
	return n;
}

static void
sweep(struct rig *r, size_t block, size_t limit)
{
	struct power_sweep how = {
		.limit = limit, .judge = recover_twice, .arg = r
	};
	struct power *p = malloc(sizeof(*p));

	assert_non_null(p);
	make_mailboxes(r);
	power_start(p, r->top, block);
	rig_open(r);
	assert_int_equal(rig_commit(r, marks), POPPER_DONE);
	syncs += count_syncs(p);
	power_said(p);
	rig_close(r);
	power_stop(p);
	for (how.order = POWER_JOURNAL; how.order <= POWER_POSIX; how.order++)
		states += power_sweep(p, &how);
	power_free(p);
	free(p);
}

static void
try_all(struct rig *r, const char *which)
{
	marks = which;
	sweep(r, 4096, power_deep() ? 4096 : 128);
	if (power_deep())
		sweep(r, 512, 4096);
}

/* On a full disk: windows of 512 octets. */
static void
try_small(struct rig *r, const char *which)
{
	const size_t deep = power_deep() ? 1024 : 32;
	int fd;

	marks = which;
	make_mailboxes(r);
	fd = openat(
	    r->state, MBOX_RESERVE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, SMALL), 0);
	(void)close(fd);
	power_full = SMALL;
	sweep(r, 4096, deep);
	sweep(r, 512, deep);
	power_full = 0;
}

static void
small_gap(void **state)
{
	try_small(*state, "-------------------D----");
	if (power_deep())
		try_small(*state, "-D----------------------");
}

static void
large_gap(void **state)
{
	try_small(*state, "----------------DDD-----");
	if (power_deep())
		try_small(*state, "DDD---------------------");
}

static void
growing_gap(void **state)
{
	try_small(*state, "--------------D--DD-----");
	if (power_deep())
		try_small(*state, "-D-D-D-D-D-D-D-D-D-D-D-D");
}

static void
first_ones(void **state)
{
	try_all(*state, "DDD---------------------");
}

static void
middle_one(void **state)
{
	try_all(*state, "------------D-----------");
}

static void
last_one(void **state)
{
	try_all(*state, "-----------------------D");
}

static void
every_other(void **state)
{
	try_all(*state, "D-D-D-D-D-D-D-D-D-D-D-D-");
}

static void
all_of_them(void **state)
{
	try_all(*state, "DDDDDDDDDDDDDDDDDDDDDDDD");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(first_ones),
		TEST(middle_one),
		TEST(last_one),
		TEST(every_other),
		TEST(all_of_them),
		TEST(small_gap),
		TEST(large_gap),
		TEST(growing_gap),
	};
	int failed =
	    cmocka_run_group_tests_name("mbox_power", tests, NULL, NULL);

	fprintf(stderr, "# %ld states, %ld of recoveries, %ld fsyncs\n", states,
	    recoveries, syncs);
	return failed;
}
