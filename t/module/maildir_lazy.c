/*
 * maildir_lazy.c - sizes that wait until somebody asks for them, and an index
 * that is read as far as it is needed.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_listed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../modules/drop/maildir_index.h"
#include "points.h"

static uint64_t
total(void *self)
{
	uint64_t octets = 0;

	if (drop()->total(self, &octets, &error) == -1)
		fail_msg("total: %s", error.text);
	return octets;
}

static size_t
unsized(const void *self)
{
	return ((const struct maildir *)self)->totals.unsized;
}

static void
login_reads_no_message(void **state)
{
	void *self;

	(void)state;
	make_mail(MANY);
	self = opened();
	assert_int_equal(drop()->count(self), MANY);
	assert_false(drop()->is_measured(self));
	assert_int_equal(list(self, POPPER_WANT_UID)->count, MANY);
	assert_int_equal(unsized(self), MANY);
	/* What is told is what is there when somebody asks. */
	bed_text(&bed, file_of(7), "12\n4\n6789\n");
	assert_int_equal(octets(self, 7), 13);
	assert_int_equal(unsized(self), MANY - 1);
	assert_int_equal(total(self), 7 * MANY + 6);
	assert_true(drop()->is_measured(self));
	assert_int_equal(list(self, POPPER_WANT_OCTETS)->octets, 7 * MANY + 6);
	drop()->close(self);
	/* And is kept. */
	self = opened();
	assert_true(drop()->is_measured(self));
	assert_int_equal(total(self), 7 * MANY + 6);
	drop()->close(self);
}

static void
few_messages_are_measured_at_once(void **state)
{
	void *self;

	(void)state;
	make_mail(MAILDIR_AT_ONCE);
	self = opened();
	assert_true(drop()->is_measured(self));
	drop()->close(self);
}

static void
unsized_message_is_read(void **state)
{
	void *self;

	(void)state;
	make_mail(MANY);
	self = opened();
	expect_text(self, 5, "12\n4\n");
	assert_int_equal(unsized(self), MANY - 1);
	drop()->close(self);
}

/* The client may know the number already: it stays. */
static void
vanished_message_has_no_size(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	make_mail(MANY);
	self = opened();
	bed_remove(&bed, file_of(3));
	bed_remove(&bed, file_of(4));
	bed_folder(&bed, file_of(4));
	assert_int_equal(total(self), 7 * (MANY - 2));
	assert_int_equal(drop()->count(self), MANY);
	assert_int_equal(octets(self, 3), 0);
	assert_int_equal(octets(self, 4), 0);
	assert_int_equal(octets(self, 5), 7);
	for (size_t i = 3; i <= 4; i++) {
		collect_start(&c);
		assert_int_equal(drop()->read(self, i, 0, &c.sink, &error), -1);
		assert_int_equal(c.len, 0);
		collect_end(&c);
	}
	drop()->close(self);
	self = opened();
	assert_int_equal(drop()->count(self), MANY - 2);
	assert_true(drop()->is_measured(self));
	drop()->close(self);
}

static int
measure_all(void *arg)
{
	uint64_t octets;
	void *self = NULL;

	(void)arg;
	if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		return POINTS_SAID + 1;
	points_begin();
	(void)drop()->total(self, &octets, &error);
	return POINTS_SAID + 2;
}

/* Killed after more than half of the work: that half is not done again. */
static void
interrupted_work_goes_on(void **state)
{
	struct points p = { .deed = POINTS_KILL, .at = VERY_MANY * 3 };
	void *self;

	(void)state;
	if (!points_usable())
		return;
	make_mail(VERY_MANY);
	points_run(&p, measure_all, NULL);
	assert_true(p.done && WIFSIGNALED(p.status));
	self = opened();
	assert_false(drop()->is_measured(self));
	assert_true(unsized(self) < VERY_MANY / 2);
	assert_int_equal(total(self), 7 * VERY_MANY);
	drop()->close(self);
	self = opened();
	assert_true(drop()->is_measured(self));
	drop()->close(self);
}

/* --- The index, once the folders have come to rest. --- */

#define ROOM 65536
#define HEAD sizeof(struct maildir_head)
#define OF_COUNT offsetof(struct maildir_head, totals)
#define OF_LENGTH offsetof(struct maildir_head, length)
#define OF_LISTS offsetof(struct maildir_head, lists)
#define OF_SUM offsetof(struct maildir_head, checksum)

static void
totals_need_the_head_only(void **state)
{
	static char content[ROOM];
	void *self;
	size_t len;

	(void)state;
	make_mail(MANY);
	self = settled();
	len = index_read(content, sizeof(content));
	index_write(content, HEAD);
	assert_int_equal(drop()->count(self), MANY);
	assert_true(drop()->is_measured(self));
	assert_int_equal(total(self), 7 * MANY);
	assert_false(((struct maildir *)self)->listed);
	index_write(content, len);
	assert_int_equal(list(self, POPPER_WANT_OCTETS)->octets, 7 * MANY);
	assert_true(((struct maildir *)self)->listed);
	drop()->close(self);
}

static char right[MANY * 64];

static void
expect_right(void *self)
{
	assert_int_equal(drop()->count(self), MANY);
	assert_int_equal(total(self), 7 * MANY);
	assert_string_equal(list(self, POPPER_WANT_UID)->text, right);
	assert_int_equal(list(self, POPPER_WANT_OCTETS)->octets, 7 * MANY);
	drop()->close(self);
}

/* Each octet that is wrong, each length: the same answers. */
static void
damage_is_not_noticed_outside(void **state)
{
	const size_t step = getenv("POPPER_TEST_POINTS") == NULL ? 97 : 1;
	static char content[ROOM];
	size_t len, i;
	void *self;

	(void)state;
	make_mail(MANY);
	self = settled();
	(void)strcpy(right, list(self, POPPER_WANT_UID)->text);
	drop()->close(self);
	len = index_read(content, sizeof(content));
	for (i = 0; i < len; i += i < 2 * HEAD ? 1 : step) {
		content[i] = (char)(content[i] ^ 1);
		index_write(content, len);
		expect_right(opened());
		content[i] = (char)(content[i] ^ 1);
		index_write(content, i);
		expect_right(opened());
	}
}

/* Whatever counts a user writes there, with a good checksum. */
static void
hostile_counts_are_refused(void **state)
{
	static const uint64_t bad[] = { 0, 1, MANY - 1, MANY + 1, UINT32_MAX,
		UINT64_MAX / 32, UINT64_MAX / 32 + 1, UINT64_MAX - 103,
		UINT64_MAX };
	static const size_t places[] = { OF_COUNT, OF_LENGTH, OF_LISTS };
	static char content[ROOM], head[HEAD];
	uint64_t sum;
	size_t len, i;
	void *self;

	(void)state;
	make_mail(MANY);
	self = settled();
	(void)strcpy(right, list(self, POPPER_WANT_UID)->text);
	drop()->close(self);
	len = index_read(content, sizeof(content));
	memcpy(head, content, HEAD);
	for (i = 0; i < 3 * sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(content, head, HEAD);
		memcpy(content + places[i % 3], &bad[i / 3], sizeof(uint64_t));
		memset(content + OF_SUM, 0, sizeof(sum));
		memcpy(&sum, content, sizeof(sum)); /* begins with the magic */
		sum = maildir_checksum(sum, content, HEAD);
		memcpy(content + OF_SUM, &sum, sizeof(sum));
		index_write(content, len);
		expect_right(opened());
	}
}

/* Totals were told, then the rest is not there and the folders have changed. */
static void
damage_and_change_are_told(void **state)
{
	static char content[ROOM];
	void *self;

	(void)state;
	make_mail(MANY);
	self = settled();
	(void)index_read(content, sizeof(content));
	index_write(content, HEAD);
	bed_text(&bed, "Maildir/new/20000.m", "one more\n");
	assert_int_equal(
	    drop()->describe(self, 0, POPPER_WANT_UID, NULL, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	drop()->close(self);
	self = opened();
	assert_int_equal(drop()->count(self), MANY + 1);
	assert_int_equal(total(self), 7 * MANY + 10);
	drop()->close(self);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(login_reads_no_message),
		MAILDIR_TEST(few_messages_are_measured_at_once),
		MAILDIR_TEST(unsized_message_is_read),
		MAILDIR_TEST(vanished_message_has_no_size),
		MAILDIR_TEST(interrupted_work_goes_on),
		MAILDIR_TEST(totals_need_the_head_only),
		MAILDIR_TEST(damage_is_not_noticed_outside),
		MAILDIR_TEST(hostile_counts_are_refused),
		MAILDIR_TEST(damage_and_change_are_told),
	};

	return cmocka_run_group_tests_name("maildir_lazy", tests, NULL, NULL);
}
