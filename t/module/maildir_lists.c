/*
 * maildir_lists.c - unique-ids as text, which the index has ready.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_listed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../modules/drop/maildir_index.h"
#include "../../modules/drop/uid_parts.h"

#define ROOM 65536
#define HEAD sizeof(struct maildir_head)

/* Nor do unique-ids need the records. */
static void
uids_need_their_lists_only(void **state)
{
	static char content[ROOM], uids[MANY * 64];
	struct maildir *self;
	size_t len;

	(void)state;
	make_mail(MANY);
	self = settled();
	assert_int_equal(drop()->describe(self, 0, POPPER_WANT_OCTETS,
			     &(struct popper_message){ .octets = 0 }, &error),
	    0);
	assert_true(self->listed);
	(void)strcpy(uids, list(self, POPPER_WANT_UID)->text);
	drop()->close(self);
	len = index_read(content, sizeof(content));
	memset(content + HEAD, 0, MANY * sizeof(struct maildir_record));
	index_write(content, len);
	self = opened();
	assert_string_equal(list(self, POPPER_WANT_UID)->text, uids);
	assert_string_equal(list(self, POPPER_WANT_UID)->text, uids);
	assert_false(self->listed);
	drop()->close(self);
}

static char right[MANY * 64];

static void
expect_right(void *self)
{
	assert_string_equal(list(self, POPPER_WANT_UID)->text, right);
	assert_int_equal(list(self, POPPER_WANT_OCTETS)->octets, 7 * MANY);
	drop()->close(self);
}

/* Those of an index of MANY messages, read before. */
struct list_file {
	char content[ROOM];
	size_t len, at; /* of the file; where the parts begin */
	struct maildir_head head;
};

static void
read_lists(struct list_file *f)
{
	f->len = index_read(f->content, sizeof(f->content));
	memcpy(&f->head, f->content, HEAD);
	f->at = f->len - f->head.lists;
	assert_int_equal(f->at,
	    HEAD + MANY * sizeof(struct maildir_record) + f->head.length);
}

/* With ${len} octets of ${p} at ${at} of the first part, and a good sum. */
static void
write_list(const struct list_file *f, size_t at, const void *p, size_t len)
{
	static char content[ROOM];
	struct uid_part begin;
	char *part = content + f->at;

	memcpy(content, f->content, f->len);
	memcpy(part + at, p, len);
	memcpy(&begin, part, sizeof(begin));
	if (begin.count <= MANY && begin.len <= f->head.lists) {
		begin.sum =
		    uid_part_sum_of(part, maildir_checksum, f->head.body);
		memcpy(part, &begin, sizeof(begin));
	}
	index_write(content, f->len);
}

static void
hostile_lists_are_refused(void **state)
{
	static const uint32_t counts[] = { 0, 1, MANY - 1, MANY + 1, 4000,
		65536, UINT32_MAX };
	static const unsigned char octets[] = { 0, 1, 71, 255 };
	static struct list_file f;
	size_t i, where;
	void *self;

	(void)state;
	make_mail(MANY);
	self = settled();
	(void)strcpy(right, list(self, POPPER_WANT_UID)->text);
	drop()->close(self);
	read_lists(&f);
	for (i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]); i++) {
		where = offsetof(struct uid_part, count) + i % 2 * 4;
		write_list(&f, where, &counts[i / 2], sizeof(counts[0]));
		expect_right(opened());
	}
	for (i = 0; i < sizeof(octets); i++) {
		where = sizeof(struct uid_part) + MANY / 2;
		write_list(&f, where, &octets[i], 1);
		expect_right(opened());
	}
	where = sizeof(struct uid_part) + MANY + 70;
	for (i = 0; i < 256; i++) {
		write_list(&f, where, &(unsigned char){ (unsigned char)i }, 1);
		self = opened();
		if (i < 0x21 || i > 0x7e)
			expect_right(self);
		else
			drop()->close(self);
	}
}

struct hashed {
	struct popper_lister lister;
	size_t count, most;
	uint64_t sum;
};

static int
put_hash(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct hashed *h = (struct hashed *)lister;

	(void)octets;
	assert_int_equal(i, h->count);
	h->count++;
	h->sum = maildir_checksum(h->sum, uid.ptr, uid.len);
	return h->count == h->most;
}

/* A sum of the first ${most} unique-ids. */
static uint64_t
hash_uids(void *self, size_t most)
{
	struct hashed h = { .lister.put = put_hash, .most = most };

	assert_int_equal(
	    drop()->list(self, POPPER_WANT_UID, &h.lister, &error), 0);
	assert_int_equal(h.count, most);
	return h.sum;
}

static void
make_long_names(unsigned count)
{
	char path[128];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path),
		    "Maildir/cur/%u.M12345P67890Q%05u.mail.example.org%s:2,",
		    1000000000 + i / 2, i % 2, i % 5 == 0 ? " odd" : "");
		bed_text(&bed, path, "12\n4\n");
	}
}

/* One that is damaged does not hurt the others; the client may stop anywhere,
 * also behind the first. */
static void
many_lists_are_put_one_by_one(void **state)
{
	const size_t stops[] = { 1, 2, VERY_MANY / 2, VERY_MANY - 1,
		VERY_MANY };
	static char content[(size_t)64 * ROOM];
	uint64_t sums[sizeof(stops) / sizeof(stops[0])];
	struct maildir_head head;
	struct maildir *self;
	size_t i, len, part;

	(void)state;
	make_long_names(VERY_MANY);
	self = settled();
	assert_int_equal(octets(self, 0), 7);
	assert_true(self->listed);
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sums[i] = hash_uids(self, stops[i]);
	drop()->close(self);
	len = index_read(content, sizeof(content));
	memcpy(&head, content, HEAD);
	assert_true(head.lists > (uint64_t)2 * UID_PART_SIZE);
	for (part = 0; part * UID_PART_SIZE <= head.lists; part++) {
		self = opened();
		for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
			assert_int_equal(hash_uids(self, stops[i]), sums[i]);
		/* The first time nothing is damaged. */
		assert_int_equal(self->listed, part > 0);
		drop()->close(self);
		i = len - head.lists + part * UID_PART_SIZE;
		content[i] = (char)(content[i] ^ 1);
		index_write(content, len);
		content[i] = (char)(content[i] ^ 1);
	}
}

/* Unique-ids were told from the index, whose records are damaged, and another
 * program put one message in the place of another: no number may mean a
 * message of which something else was told. */
static void
told_uids_bind(void **state)
{
	static struct list_file f;
	struct maildir *self;

	(void)state;
	make_mail(MANY);
	self = settled();
	drop()->close(self);
	read_lists(&f);
	memset(f.content + HEAD, 0, sizeof(struct maildir_record));
	index_write(f.content, f.len);
	self = opened();
	(void)list(self, POPPER_WANT_UID);
	assert_false(self->listed);
	bed_move(&bed, file_of(2), "Maildir/cur/1.m:2,S");
	assert_int_equal(
	    drop()->describe(self, 0, POPPER_WANT_OCTETS, NULL, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	drop()->close(self);
	self = opened();
	assert_string_equal(uid(self, 0), "1.m");
	drop()->close(self);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(uids_need_their_lists_only),
		MAILDIR_TEST(hostile_lists_are_refused),
		MAILDIR_TEST(many_lists_are_put_one_by_one),
		MAILDIR_TEST(told_uids_bind),
	};

	return cmocka_run_group_tests_name("maildir_lists", tests, NULL, NULL);
}
