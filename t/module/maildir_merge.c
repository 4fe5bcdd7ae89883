/*
 * maildir_merge.c - a session that knows the index tells what one tells that
 * knows nothing, whatever happened in between.
 *
 * Runs in: tests.  POPPER_TEST_POINTS: ten times as many rounds.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 150 /* messages */
#define MOST 400
#define TELLING ((size_t)MOST * 256)

static uint32_t seed;

static uint32_t
any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/* --- Files that are there, as the test knows them. --- */

static struct mail {
	char name[96]; /* without flags */
	char path[160]; /* "" if it is gone */
	bool numbered; /* there was one whose name is this with ".2" */
	/* There was another file of this name.  No more than one: a third might
	 * have the inode of the first, and Maildir forbids them all. */
	bool doubled;
} mails[MOST];
static unsigned count, serial;
static unsigned odd; /* one name of so many may be */

static void
place(struct mail *mail, bool is_new)
{
	static const char *const flags[] = { "", ":2,", ":2,S", ":2,FST",
		":1,x" };

	(void)snprintf(mail->path, sizeof(mail->path), "Maildir/%s/%s%s",
	    is_new ? "new" : "cur", mail->name, is_new ? "" : flags[any(5)]);
}

/* A name that there never was, or, of times, like that of another message. */
static void
make_name(struct mail *mail)
{
	static const char *const kinds[][3] = { { "", " odd ", "" },
		{ "h-", "", "" }, { "x", "", "" },
		{ "", ".M", ".mail.example.org" } };
	const char *const *kind = kinds[any(odd) > 6 ? 3 : any(4)];
	struct mail *other = count == 0 ? NULL : &mails[any(count)];

	serial++;
	(void)snprintf(mail->name, sizeof(mail->name), "%s%u%s%u%s", kind[0],
	    1000 + any(40), kind[1], serial, kind[2]);
	if (other == NULL || other->path[0] == '\0' || strlen(other->name) > 60)
		return;
	switch (any(odd)) {
	case 0:
	case 1: /* the same unique-id */
		(void)snprintf(mail->name, sizeof(mail->name), "%s,S=%u",
		    other->name, serial);
		break;
	case 2: /* what a twin's would be */
		if (!other->numbered)
			(void)snprintf(mail->name, sizeof(mail->name), "%s.2",
			    other->name);
		other->numbered = true;
		break;
	case 3: /* the same, in the other folder */
		if (!other->doubled) {
			(void)strcpy(mail->name, other->name);
			mail->doubled = other->doubled = true;
		}
		break;
	default:
		break;
	}
}

static void
deliver(bool is_new)
{
	struct mail *mail = &mails[count];
	char text[64];

	if (count == MOST)
		return;
	memset(mail, 0, sizeof(*mail));
	make_name(mail);
	place(mail, is_new);
	if (bed_exists(&bed, mail->path))
		return;
	(void)snprintf(text, sizeof(text), "%.*s\n", (int)any(40),
	    "a line of a message that is not long at all");
	bed_text(&bed, mail->path, text);
	count++;
}

static void
change_one(void)
{
	struct mail *mail = &mails[any(count)], was = *mail;

	if (mail->path[0] == '\0')
		return;
	switch (any(4)) {
	case 0:
		bed_remove(&bed, mail->path);
		mail->path[0] = '\0';
		break;
	case 1: /* another file of that name */
		if (!mail->doubled && any(odd) < 20) {
			bed_text(&bed, "other", "replaced\n");
			bed_move(&bed, "other", mail->path);
			mail->doubled = true;
		}
		break;
	default: /* from new to cur, or other flags; now and then back */
		place(mail, any(8) == 0);
		if (bed_exists(&bed, mail->path))
			*mail = was;
		else
			bed_move(&bed, was.path, mail->path);
		break;
	}
}

/* --- What the module tells. --- */

static const char *
tell(void *self, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < drop()->count(self); i++) {
		len += (size_t)snprintf(out + len, TELLING - len,
		    "%s %llu %u\n", uid(self, i),
		    (unsigned long long)octets(self, i), flags(self, i));
		assert_true(len < TELLING);
	}
	return out;
}

/* cmocka would print all of it. */
static void
expect_equal(const char *a, const char *b)
{
	size_t at = 0, len = 0;

	for (; a[len] != '\0' && a[len] == b[len]; len++)
		if (a[len] == '\n')
			at = len + 1;
	if (a[len] != b[len])
		fail_msg("with the index \"%.*s\", without \"%.*s\"",
		    (int)strcspn(a + at, "\n"), a + at,
		    (int)strcspn(b + at, "\n"), b + at);
}

static void
expect_the_same(void)
{
	static char with[TELLING], without[TELLING];
	const int state = bed.place.state;
	void *self = opened();

	tell(self, with);
	drop()->close(self);
	bed.place.state = -1;
	self = opened();
	tell(self, without);
	drop()->close(self);
	bed.place.state = state;
	expect_equal(with, without);
}

/* Remove some messages, as a client does. */
static void
remove_some(void)
{
	unsigned char marks[MOST] = { 0 };
	void *self = opened();
	size_t i;

	for (i = 0; i < drop()->count(self); i++)
		marks[i] = any(30) == 0 ? POPPER_MARK_DELETED : 0;
	assert_int_equal(commit(self, marks), POPPER_DONE);
	drop()->close(self);
	for (i = 0; i < count; i++)
		if (mails[i].path[0] != '\0' &&
		    !bed_exists(&bed, mails[i].path))
			mails[i].path[0] = '\0';
}

static void
tidy(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++)
		if (mails[i].path[0] != '\0')
			mails[kept++] = mails[i];
	count = kept;
}

static void
live(unsigned how_odd)
{
	const unsigned rounds = getenv("POPPER_TEST_POINTS") ? 3000 : 300;
	unsigned i, round;

	seed = odd = how_odd;
	count = serial = 0;
	while (count < FIRST)
		deliver(any(2) == 0);
	expect_the_same();
	for (round = 0; round < rounds; round++) {
		/* An index that is trusted, of one folder or both. */
		if (any(30) == 0)
			drop()->close(settled());
		for (i = any(6); i-- > 0;)
			deliver(any(3) > 0);
		for (i = any(4); i-- > 0;)
			change_one();
		if (any(10) == 0)
			remove_some();
		expect_the_same();
		tidy();
	}
	print_message("# %u rounds, %u messages at last\n", round, count);
}

static void
odd_maildir(void **state)
{
	(void)state;
	live(30);
}

static void
plain_maildir(void **state)
{
	(void)state;
	live(10000);
}

/* --- What is looked at. --- */

#define PLAIN 100

static const char *
plain(unsigned i)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "Maildir/cur/%u.m:2,S", 1000 + i);
	return path;
}

/* Who opened what was known would see another size. */
static void
only_new_names_are_looked_at(void **state)
{
	struct maildir *self;

	(void)state;
	for (unsigned i = 0; i < PLAIN; i++)
		bed_text(&bed, plain(i), "1234\n");
	drop()->close(settled());
	for (unsigned i = 0; i < PLAIN; i++)
		bed_text(&bed, plain(i), "longer than it was\n");
	bed_text(&bed, plain(PLAIN), "a new one\n");
	bed_text(&bed, "Maildir/new/1050.n", "and another\n");
	bed_remove(&bed, plain(7));
	bed_move(&bed, plain(8), "Maildir/cur/1008.m:2,");
	self = opened();
	assert_false(self->indexed);
	assert_true(self->listed);
	assert_true(self->uids_ready); /* none had to be compared */
	assert_int_equal(drop()->count(self), PLAIN + 1);
	assert_int_equal(octets(self, 0), 6);
	assert_int_equal(flags(self, 6), POPPER_MESSAGE_SEEN);
	assert_string_equal(uid(self, 7), "1008.m");
	assert_int_equal(flags(self, 7), 0);
	assert_string_equal(uid(self, 50), "1050.n");
	assert_int_equal(octets(self, 50), 13);
	assert_int_equal(octets(self, PLAIN), 11);
	drop()->close(self);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(only_new_names_are_looked_at),
		MAILDIR_TEST(odd_maildir),
		MAILDIR_TEST(plain_maildir),
	};

	return cmocka_run_group_tests_name("maildir_merge", tests, NULL, NULL);
}
