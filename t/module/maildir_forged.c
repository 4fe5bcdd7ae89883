/*
 * maildir_forged.c - an index of the user's own making, with good sums, or
 * none: what it says may be nonsense, but the session goes on and nothing
 * unmarked goes.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "modules/drop/maildir_index.h"
#include "modules/drop/uid_parts.h"

#define MAIL 6
#define INDEX "state/maildir.index"
#define MANY 100
#define ROOM 16384

static struct {
	struct maildir_head head;
	char rest[ROOM];
} good, bad;

static size_t
records_len(const struct maildir_head *head)
{
	return head->totals.count * sizeof(struct maildir_record);
}

static size_t
rest_len(const struct maildir_head *head)
{
	return records_len(head) + head->length + head->lists;
}

/* Make all sums right. */
static void
seal(struct maildir_head *head, char *rest)
{
	size_t len = records_len(head);
	uint64_t sum = maildir_checksum(head->magic, rest, len);
	char *part = rest + len + head->length;
	struct uid_part ids;

	head->body = maildir_checksum(sum, rest + len, head->length);
	head->checksum = maildir_head_sum(*head);
	memcpy(&ids, part, sizeof(ids));
	if (head->lists < sizeof(ids) || ids.count > head->lists ||
	    ids.len > head->lists ||
	    sizeof(ids) + ids.count + ids.len > head->lists)
		return;
	ids.sum = uid_part_sum_of(part, maildir_checksum, head->body);
	memcpy(part, &ids, sizeof(ids));
}

static void
read_index(void)
{
	int fd = open(bed_path(&bed, INDEX), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, &good, sizeof(good));

	(void)close(fd);
	assert_int_equal(n, sizeof(good.head) + rest_len(&good.head));
	bad = good;
	seal(&bad.head, bad.rest);
	assert_memory_equal(&good, &bad, sizeof(good)); /* that is how */
}

static void
write_index(void)
{
	size_t len = sizeof(bad.head) + rest_len(&bad.head);
	int fd =
	    open(bed_path(&bed, INDEX), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, &bad, len), len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	(void)close(fd);
}

/* Once the folders have come to rest. */
static void
trust_index(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t octets;
	bool used = false;
	void *self;

	for (int i = 0; i < 1000 && !used; i++) {
		self = opened();
		used = ((struct maildir *)self)->indexed;
		((struct maildir *)self)->stale_cache = false;
		assert_int_equal(drop()->total(self, &octets, &error), 0);
		if (!used)
			(void)maildir_index_write(self);
		drop()->close(self);
		(void)nanosleep(&pause, NULL);
	}
	assert_true(used);
	read_index();
}

static void
make_index(void)
{
	static const char *const names[MAIL] = { "1.a:2,", "2.b:2,S", "3.c",
		"4.d,S=5:2,", "5.e\r\n.\r\n+OK:2,", "6.f" };
	char path[64];

	for (size_t i = 0; i < MAIL; i++) {
		(void)snprintf(path, sizeof(path), "Maildir/%s/%s",
		    strchr(names[i], ':') == NULL ? "new" : "cur", names[i]);
		bed_text(&bed, path, "12\n4\n");
	}
	trust_index();
}

struct listed {
	struct popper_lister lister;
	size_t count;
};

static int
put(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct listed *l = (struct listed *)lister;
	volatile char sum = 0;

	(void)octets;
	assert_int_equal(i, l->count++);
	for (size_t k = 0; k < uid.len; k++) /* it can be read */
		sum = (char)(sum + uid.ptr[k]);
	return 0;
}

static void
list(void *self, unsigned want)
{
	struct listed l = { .lister = { .put = put } };
	int result = drop()->list(self, want, &l.lister, &error);

	if (result == 0)
		assert_int_equal(l.count, drop()->count(self));
	else
		assert_true(l.count <= drop()->count(self));
}

/* All that a client can ask for, and a QUIT that deletes nothing. */
static void
ask_all(void)
{
	unsigned char *marks;
	struct popper_changes c = { .size = sizeof(c) };
	struct popper_message m;
	struct collect out;
	uint64_t octets;
	void *self;

	if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		return;
	c.count = drop()->count(self);
	(void)drop()->total(self, &octets, &error);
	list(self, POPPER_WANT_UID);
	list(self, POPPER_WANT_OCTETS);
	for (size_t i = 0; i < c.count && i < 2 * MAIL; i++) {
		if (drop()->describe(self, i,
			POPPER_WANT_UID | POPPER_WANT_FLAGS |
			    POPPER_WANT_RECEIVED,
			&m, &error) == 0)
			assert_in_range(strlen(m.uid), 1, POPPER_UID_MAX);
		collect_start(&out);
		(void)drop()->read(self, i, 0, &out.sink, &error);
		collect_end(&out);
	}
	assert_non_null(c.marks = marks = calloc(c.count + 1, 1));
	(void)drop()->commit(self, &c, &error);
	free(marks);
	drop()->close(self);
}

static void
expect_all_mail(void)
{
	void *self;

	bed_remove(&bed, INDEX);
	self = opened();
	assert_int_equal(drop()->count(self), MAIL);
	drop()->close(self);
}

/* Every word, with the totals that fit, or not. */
static void
any_word_may_be_another(void **state)
{
	static const uint64_t words[] = { 0, 1, 2, 255, 0x80ff, 1u << 20,
		UINT32_MAX, (uint64_t)1 << 33, INT64_MAX, UINT64_MAX,
		0x0a0d2e0a0d206120 };
	struct maildir_list l;
	size_t len;

	(void)state;
	make_index();
	len = rest_len(&good.head);
	for (size_t at = 0; at + 8 <= len; at += 3)
		for (size_t k = 0; k < 4 * sizeof(words) / sizeof(*words);
		     k++) {
			bad = good;
			memcpy(bad.rest + at, &words[k / 4],
			    k % 2 ? 8 : at % 4 + 1);
			l.records = (void *)bad.rest;
			l.count = bad.head.totals.count;
			if (k / 2 % 2)
				maildir_add_up(&l, &bad.head.totals);
			seal(&bad.head, bad.rest);
			write_index();
			ask_all();
		}
	expect_all_mail();
}

/* DELE takes the file whose name the unique-id was made of, and no other. */
static void
what_goes_is_what_was_shown(void **state)
{
	unsigned char marks[MAIL] = { [1] = POPPER_MARK_DELETED };
	struct popper_changes c = { sizeof(c), MAIL, marks };
	struct maildir_record *r = (void *)bad.rest, first;
	char path[400];
	void *self;

	(void)state;
	make_index();
	/* Another order. */
	first = r[0];
	memmove(r, r + 1, (MAIL - 1) * sizeof(*r));
	r[MAIL - 1] = first;
	seal(&bad.head, bad.rest);
	write_index();
	self = opened();
	assert_true(((struct maildir *)self)->indexed);
	assert_string_equal(uid(self, 1), "3.c");
	assert_int_equal(drop()->commit(self, &c, &error), POPPER_DONE);
	drop()->close(self);
	(void)snprintf(path, sizeof(path), "Maildir/new/3.c");
	assert_false(bed_exists(&bed, path));
	bed_remove(&bed, INDEX);
	self = opened();
	assert_int_equal(drop()->count(self), MAIL - 1);
	drop()->close(self);
}

/* All names are one that is written again and again, and longer than all that
 * there were. */
static void
names_may_be_one(void **state)
{
	struct maildir_record *r = (void *)bad.rest;
	struct maildir_list l = { .records = r, .count = MANY };
	char path[64];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "Maildir/cur/%u.m:2,%s",
		    i + 1, i == 0 ? "aLongNameThatAllTheOthersTake" : "");
		bed_text(&bed, path, "12\n4\n");
	}
	trust_index();
	for (unsigned i = 1; i < MANY; i++)
		r[i] = r[0];
	for (unsigned i = 0; i < MANY; i++) {
		r[i].octets = r[i].stored = 0;
		r[i].flags |= MAILDIR_UNSIZED; /* so it is written anew */
	}
	maildir_add_up(&l, &bad.head.totals);
	seal(&bad.head, bad.rest);
	write_index();
	ask_all();
	bed_remove(&bed, INDEX);
	ask_all();
}

/* The part of a name that never changes ends where the name does, or before. */
static void
name_may_end_early(void **state)
{
	struct maildir_record *r = (void *)bad.rest;
	char *names;

	(void)state;
	make_index();
	names = bad.rest + records_len(&bad.head);
	names[r[MAIL - 1].name + 1] = '\0'; /* "6.f" */
	r[MAIL - 1].octets = r[MAIL - 1].stored = 0;
	seal(&bad.head, bad.rest);
	write_index();
	ask_all();
	expect_all_mail();
}

/* One folder is as the index knows it, but that part cannot be read: neither it
 * nor the next index may say that nothing is there. */
static void
expect_nothing_hidden(const char *new_mail)
{
	void *self;

	make_index();
	bad.rest[0] ^= 1;
	write_index();
	bed_text(&bed, new_mail, "seven\n");
	for (int i = 0; i < 2; i++) {
		self = opened();
		assert_int_equal(drop()->count(self), MAIL + 1);
		expect_text(self, MAIL, "seven\n");
		(void)maildir_index_write(self);
		drop()->close(self);
	}
}

static void
damage_hides_nothing_in_cur(void **state)
{
	(void)state;
	expect_nothing_hidden("Maildir/new/7.g");
}

static void
damage_hides_nothing_in_new(void **state)
{
	(void)state;
	expect_nothing_hidden("Maildir/cur/7.g");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(any_word_may_be_another),
		MAILDIR_TEST(what_goes_is_what_was_shown),
		MAILDIR_TEST(names_may_be_one),
		MAILDIR_TEST(name_may_end_early),
		MAILDIR_TEST(damage_hides_nothing_in_cur),
		MAILDIR_TEST(damage_hides_nothing_in_new),
	};

	return cmocka_run_group_tests_name("maildir_forged", tests, NULL, NULL);
}
