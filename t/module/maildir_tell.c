/*
 * maildir_tell.c - the index shown, compared with the mail, and made anew.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MANY 120
#define INDEX "state/maildir.index"

static const char *
file_of(unsigned i)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "Maildir/%s/%u.m%s",
	    i % 2 ? "new" : "cur", 1000 + i, i % 2 ? "" : ":2,S");
	return path;
}

static void
make_mail(void)
{
	for (unsigned i = 0; i < MANY; i++)
		bed_text(&bed, file_of(i), "12\n4\n");
}

/* Open and close until the folders' times are trusted. */
static void
settle(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	bool indexed = false;
	uint64_t octets;
	void *self;

	for (int i = 0; i < 1000 && !indexed; i++) {
		self = opened();
		indexed = ((struct maildir *)self)->indexed;
		assert_int_equal(drop()->total(self, &octets, &error), 0);
		drop()->close(self);
		(void)nanosleep(&pause, NULL);
	}
	assert_true(indexed);
}

typedef int slot(const struct popper_host *, const void *,
    const struct popper_place *, struct popper_sink *, struct popper_error *);

/* What ${run} writes, as one text; good until the next call. */
static const char *
told(slot *run)
{
	static char text[MANY * 128];
	struct collect c;

	collect_start(&c);
	if (run(&bed_host, &conf, &bed.place, &c.sink, &error) == -1)
		fail_msg("%s", error.text);
	assert_true(c.len < sizeof(text));
	if (c.len > 0)
		memcpy(text, c.ptr, c.len);
	text[c.len] = '\0';
	collect_end(&c);
	return text;
}

static void
expect_told(slot *run, const char *part)
{
	const char *text = told(run);

	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in: %.400s", part, text);
}

static void
dump_shows_each_message(void **state)
{
	const char *text, *at;
	size_t lines = 0;

	(void)state;
	make_mail();
	expect_told(drop()->dump, "none that can be used");
	settle();
	text = told(drop()->dump);
	assert_non_null(strstr(text,
	    "maildir.index: messages=120 octets=840 unmeasured=0 "
	    "cur=unchanged new=unchanged\n"));
	assert_non_null(strstr(
	    text, "\n1 octets=7 stored=5 flags=S uid=1000.m cur/1000.m:2,S\n"));
	assert_non_null(strstr(
	    text, "\n120 octets=7 stored=5 flags= uid=1119.m new/1119.m\n"));
	for (at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 1 + MANY);
	bed_text(&bed, "Maildir/new/1", "new\n");
	expect_told(drop()->dump, "cur=unchanged new=read-again");
}

static void
sound_index_is_right(void **state)
{
	(void)state;
	make_mail();
	assert_string_equal(told(drop()->check), "");
	assert_false(bed_exists(&bed, INDEX));
	settle();
	assert_string_equal(told(drop()->check), "");
	/* What the next session would notice by itself is nothing wrong. */
	bed_text(&bed, "Maildir/new/1", "new\n");
	bed_remove(&bed, file_of(3));
	assert_string_equal(told(drop()->check), "");
}

static void
wrong_size_is_told(void **state)
{
	(void)state;
	make_mail();
	settle();
	bed_text(&bed, file_of(7), "other\n");
	assert_string_equal(told(drop()->check),
	    "new/1007.m: has 7 octets (6 stored), the index says 7 (5)\n");
	/* It changes nothing. */
	assert_string_equal(told(drop()->check),
	    "new/1007.m: has 7 octets (6 stored), the index says 7 (5)\n");
	assert_string_equal(
	    told(drop()->rebuild), "maildir.index: messages=120 octets=840\n");
	assert_string_equal(told(drop()->check), "");
}

static void
damage_is_told(void **state)
{
	(void)state;
	make_mail();
	settle();
	assert_int_equal(truncate(bed_path(&bed, INDEX), 50), 0);
	expect_told(drop()->check, "damaged, of another version");
	expect_told(drop()->dump, "none that can be used");
	(void)told(drop()->rebuild);
	assert_string_equal(told(drop()->check), "");
	expect_told(drop()->dump, "\n120 octets=7");
}

static void
unique_ids_stay_when_it_is_made_anew(void **state)
{
	static char before[MANY * 16];
	void *self;

	(void)state;
	make_mail();
	bed_text(&bed, "Maildir/cur/1004.m,S=5:2,", "twin\n");
	settle();
	self = opened();
	for (size_t i = 0; i <= MANY; i++)
		(void)snprintf(before + strlen(before),
		    sizeof(before) - strlen(before), "%s\n", uid(self, i));
	drop()->close(self);
	(void)told(drop()->rebuild);
	self = opened();
	for (size_t i = 0, at = 0; i <= MANY; i++) {
		size_t len = strlen(uid(self, i));

		assert_memory_equal(before + at, uid(self, i), len);
		at += len + 1;
	}
	drop()->close(self);
}

static void
nothing_there_is_absent(void **state)
{
	struct collect c;

	(void)state;
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/cur")), 0);
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/new")), 0);
	collect_start(&c);
	assert_int_equal(
	    drop()->check(&bed_host, &conf, &bed.place, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_ABSENT);
	collect_end(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(dump_shows_each_message),
		MAILDIR_TEST(sound_index_is_right),
		MAILDIR_TEST(wrong_size_is_told),
		MAILDIR_TEST(damage_is_told),
		MAILDIR_TEST(unique_ids_stay_when_it_is_made_anew),
		MAILDIR_TEST(nothing_there_is_absent),
	};

	return cmocka_run_group_tests_name("maildir_tell", tests, NULL, NULL);
}
