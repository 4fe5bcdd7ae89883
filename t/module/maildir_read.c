/*
 * maildir_read.c - sizes and content, also while other programs work.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Sizes and content. --- */

struct odd {
	const char *content;
	size_t len;
};

#define ODD(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct odd odd[] = { ODD(""), ODD("\n"), ODD("\r\n"), ODD("\r"),
	ODD("x"), ODD("a\nb"), ODD("a\r\nb\r\n"), ODD("a\rb\n"), ODD("a\r"),
	ODD("a\r\r\n"), ODD("\n\n\n"), ODD("\r\n\n\r\n"), ODD(".\n..\n.\n"),
	ODD("a\0b\n\0"), ODD("\xff\xfe\x80\n"), ODD("From x\n>From y\n"),
	ODD("\n\r"), ODD("\n\r\n\r") };

#define ODDS (sizeof(odd) / sizeof(odd[0]))

static void
odd_messages_have_exact_sizes(void **state)
{
	char name[64];
	void *self;
	size_t i;

	(void)state;
	for (i = 0; i < ODDS; i++) {
		(void)snprintf(
		    name, sizeof(name), "Maildir/new/%zu.x", 100 + i);
		bed_file(&bed, name, odd[i].content, odd[i].len);
	}
	self = opened();
	assert_int_equal(drop()->count(self), ODDS);
	for (i = 0; i < ODDS; i++) {
		assert_int_equal(
		    octets(self, i), slow_octets(odd[i].content, odd[i].len));
		expect_content(self, i, odd[i].content, odd[i].len);
	}
	drop()->close(self);
}

/* Lengths around the edges of the read buffer and of the counting blocks. */
static void
long_messages_have_exact_sizes(void **state)
{
	static const size_t edge[] = { 1, 127, 128, 129, 255, 256, 257,
		MAILDIR_BUFFER - 1, MAILDIR_BUFFER, MAILDIR_BUFFER + 1,
		2 * MAILDIR_BUFFER, 3 * MAILDIR_BUFFER + 77 };
	const size_t edges = sizeof(edge) / sizeof(edge[0]);
	char *content = malloc(4 * MAILDIR_BUFFER), name[64];
	void *self;
	size_t i;

	(void)state;
	assert_non_null(content);
	for (i = 0; i < edges; i++) {
		fill(content, edge[i], (uint32_t)i);
		(void)snprintf(
		    name, sizeof(name), "Maildir/cur/%zu.x:2,", 100 + i);
		bed_file(&bed, name, content, edge[i]);
	}
	self = opened();
	for (i = 0; i < edges; i++) {
		fill(content, edge[i], (uint32_t)i);
		assert_int_equal(
		    octets(self, i), slow_octets(content, edge[i]));
		expect_content(self, i, content, edge[i]);
	}
	drop()->close(self);
	free(content);
}

/* CR as last octet of one buffer and LF as first of the next. */
static void
line_end_across_two_buffers(void **state)
{
	const size_t len = MAILDIR_BUFFER + 1;
	char *content = malloc(len);
	void *self;

	(void)state;
	assert_non_null(content);
	memset(content, 'a', len);
	memcpy(content + len - 2, "\r\n", 2);
	bed_file(&bed, "Maildir/new/1.x", content, len);
	self = opened();
	assert_int_equal(octets(self, 0), len);
	drop()->close(self);
	free(content);
}

static void
line_of_a_mebioctet(void **state)
{
	const size_t len = 1048576;
	char *content = malloc(len);
	void *self;

	(void)state;
	assert_non_null(content);
	memset(content, '.', len);
	bed_file(&bed, "Maildir/new/1.x", content, len);
	self = opened();
	assert_int_equal(octets(self, 0), len + 2);
	expect_content(self, 0, content, len);
	drop()->close(self);
	free(content);
}

static void
sizes_in_names_are_not_believed(void **state)
{
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/cur/1.x,S=999,W=1001:2,S", "a\nb\n");
	self = opened();
	assert_int_equal(octets(self, 0), 6);
	drop()->close(self);
}

static void
reading_from_an_offset(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/1.x", "0123456789\n");
	self = opened();
	collect_start(&c);
	assert_int_equal(drop()->read(self, 0, 7, &c.sink, &error), 0);
	assert_int_equal(c.len, 4);
	assert_memory_equal(c.ptr, "789\n", 4);
	assert_int_equal(drop()->read(self, 0, 11, &c.sink, &error), 0);
	assert_int_equal(drop()->read(self, 0, UINT64_MAX, &c.sink, &error), 0);
	assert_int_equal(c.len, 4);
	collect_end(&c);
	drop()->close(self);
}

static void
a_sink_may_have_enough_or_fail(void **state)
{
	const size_t len = 3 * MAILDIR_BUFFER;
	char *content = malloc(len);
	struct collect c;
	void *self;

	(void)state;
	assert_non_null(content);
	fill(content, len, 1);
	bed_file(&bed, "Maildir/new/1.x", content, len);
	free(content);
	self = opened();
	collect_start(&c);
	c.enough = 1;
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), 0);
	assert_true(c.len < len);
	c.fail = true;
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), -1);
	collect_end(&c);
	drop()->close(self);
}

static void
a_message_that_changed_is_not_sent(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/1.x", "long enough\n");
	self = opened();
	collect_start(&c);
	bed_text(&bed, "Maildir/new/1.x", "short\n");
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_int_equal(c.len, 0);
	drop()->close(self);
	/* It is shown as it is from now on. */
	self = opened();
	assert_int_equal(octets(self, 0), 7);
	drop()->close(self);
	collect_end(&c);
}

/* --- Other programs at work. --- */

/* Cuts the file once the first octets came. */
static int
cut_put(struct popper_sink *sink, struct popper_slice s)
{
	(void)sink;
	(void)s;
	return truncate(bed_path(&bed, "Maildir/new/1.x"), 1) == 0 ? 0 : -1;
}

/* The end of the file is not the end of the message: no silent cut. */
static void
a_message_that_is_cut_while_it_is_sent(void **state)
{
	struct popper_sink sink = { cut_put };
	const size_t len = 3 * MAILDIR_BUFFER;
	char *content = malloc(len);
	void *self;

	(void)state;
	assert_non_null(content);
	fill(content, len, 1);
	bed_file(&bed, "Maildir/new/1.x", content, len);
	free(content);
	self = opened();
	assert_int_equal(drop()->read(self, 0, 0, &sink, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	drop()->close(self);
}

static void
renamed_messages_are_found(void **state)
{
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/1.a", "a\n");
	bed_text(&bed, "Maildir/cur/2.b:2,", "b\n");
	bed_text(&bed, "Maildir/new/3.c", "c\n");
	self = opened();
	bed_move(&bed, "Maildir/new/1.a", "Maildir/cur/1.a:2,");
	bed_move(&bed, "Maildir/cur/2.b:2,", "Maildir/cur/2.b:2,S");
	expect_text(self, 0, "a\n");
	expect_text(self, 1, "b\n");
	/* Once more, so that the last listing is old. */
	bed_move(&bed, "Maildir/cur/2.b:2,S", "Maildir/cur/2.b:2,FS");
	bed_move(&bed, "Maildir/new/3.c", "Maildir/cur/3.c:2,");
	expect_text(self, 2, "c\n");
	expect_text(self, 1, "b\n");
	drop()->close(self);
}

static void
removed_message_is_a_clean_error(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/1.a", "a\n");
	bed_text(&bed, "Maildir/new/2.b", "b\n");
	self = opened();
	bed_remove(&bed, "Maildir/new/1.a");
	collect_start(&c);
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_int_equal(c.len, 0);
	collect_end(&c);
	expect_text(self, 1, "b\n");
	drop()->close(self);
}

static void
new_mail_does_not_show_in_the_session(void **state)
{
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/5.a", "a\n");
	self = opened();
	bed_text(&bed, "Maildir/new/1.b", "b\n");
	assert_int_equal(drop()->count(self), 1);
	expect_text(self, 0, "a\n");
	drop()->close(self);
}

/* A twin must never be taken for the message that vanished. */
static void
vanished_twin_is_not_the_other(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/cur/1.x:2,S", "cur\n");
	bed_text(&bed, "Maildir/new/1.x", "new\n");
	self = opened();
	bed_remove(&bed, "Maildir/cur/1.x:2,S");
	collect_start(&c);
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), -1);
	collect_end(&c);
	bed_move(&bed, "Maildir/new/1.x", "Maildir/cur/1.x:2,");
	expect_text(self, 1, "new\n");
	drop()->close(self);
}

static void
deliver_adds_a_whole_message(void **state)
{
	void *self;
	int fd;

	(void)state;
	bed_text(&bed, "mail", "Subject: x\n\nbody\n");
	bed_text(&bed, "Maildir/maildirsize", "1000S\n");
	fd = open(bed_path(&bed, "mail"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(
	    drop()->deliver(&bed_host, &conf, &bed.place, fd, &error), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(
	    drop()->deliver(&bed_host, &conf, &bed.place, fd, &error), 0);
	(void)close(fd);
	self = opened();
	assert_int_equal(drop()->count(self), 2);
	expect_text(self, 0, "Subject: x\n\nbody\n");
	expect_text(self, 1, "Subject: x\n\nbody\n");
	drop()->close(self);
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/tmp")), 0);
	fd = open(bed_path(&bed, "Maildir/maildirsize"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 0, SEEK_END), 6 + 2 * 5);
	(void)close(fd);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(odd_messages_have_exact_sizes),
		MAILDIR_TEST(long_messages_have_exact_sizes),
		MAILDIR_TEST(line_end_across_two_buffers),
		MAILDIR_TEST(line_of_a_mebioctet),
		MAILDIR_TEST(sizes_in_names_are_not_believed),
		MAILDIR_TEST(reading_from_an_offset),
		MAILDIR_TEST(a_sink_may_have_enough_or_fail),
		MAILDIR_TEST(a_message_that_changed_is_not_sent),
		MAILDIR_TEST(a_message_that_is_cut_while_it_is_sent),
		MAILDIR_TEST(renamed_messages_are_found),
		MAILDIR_TEST(removed_message_is_a_clean_error),
		MAILDIR_TEST(new_mail_does_not_show_in_the_session),
		MAILDIR_TEST(vanished_twin_is_not_the_other),
		MAILDIR_TEST(deliver_adds_a_whole_message),
	};

	return cmocka_run_group_tests_name("maildir_read", tests, NULL, NULL);
}
