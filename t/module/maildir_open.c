/*
 * maildir_open.c - what is a Maildir, and what in it is a message.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "maildir_bed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- The module. --- */

static void
descriptor_is_sound(void **state)
{
	const struct popper_module *m = &maildir_LTX_popper_module;

	(void)state;
	assert_int_equal(m->magic, POPPER_MODULE_MAGIC);
	assert_int_equal(m->size, sizeof(*m));
	assert_string_equal(m->name, "maildir");
	assert_int_equal(m->conf_size, sizeof(struct maildir_conf));
	assert_string_equal(m->options[0].name, "path");
	assert_non_null(m->drop);
}

/* --- What is a Maildir? --- */

static void
nothing_there_is_absent(void **state)
{
	(void)state;
	bed_move(&bed, "Maildir", "elsewhere");
	assert_int_equal(refused(), POPPER_ABSENT);
	bed_text(&bed, "Maildir", "a file");
	assert_int_equal(refused(), POPPER_ABSENT);
}

static void
folder_without_cur_and_new_is_absent(void **state)
{
	(void)state;
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/cur")), 0);
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/new")), 0);
	assert_int_equal(refused(), POPPER_ABSENT);
}

static void
one_of_cur_and_new_is_enough(void **state)
{
	void *self;

	(void)state;
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/cur")), 0);
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/tmp")), 0);
	bed_text(&bed, "Maildir/new/1.a", "x\n");
	self = opened();
	assert_int_equal(drop()->count(self), 1);
	drop()->close(self);
	bed_move(&bed, "Maildir/new", "Maildir/cur");
	self = opened();
	assert_int_equal(drop()->count(self), 1);
	drop()->close(self);
}

static void
link_to_a_maildir_is_refused(void **state)
{
	(void)state;
	bed_move(&bed, "Maildir", "real");
	assert_int_equal(symlink("real", bed_path(&bed, "Maildir")), 0);
	assert_int_equal(refused(), POPPER_PERMANENT);
	assert_non_null(strstr(error.text, "symbolic link"));
	assert_int_equal(unlink(bed_path(&bed, "Maildir")), 0);
	assert_int_equal(symlink("nowhere", bed_path(&bed, "Maildir")), 0);
	assert_int_equal(refused(), POPPER_ABSENT);
}

static int
open_foreign(void *arg)
{
	void *self = NULL;

	(void)arg;
	CHECK(drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1);
	CHECK(error.status == POPPER_PERMANENT);
	CHECK(strstr(error.text, "belongs to uid 0") != NULL);
	return 0;
}

static void
foreign_maildir_is_refused(void **state)
{
	(void)state;
	(void)snprintf(
	    bed.identity.maildrop, sizeof(bed.identity.maildrop), "/");
	assert_int_equal(bed_as_nobody(&bed, open_foreign, NULL), 0);
}

static void
maildrop_of_the_identity_wins(void **state)
{
	void *self;

	(void)state;
	bed_move(&bed, "Maildir", "100%u");
	bed_text(&bed, "100%u/new/1.a", "x\n");
	(void)snprintf(bed.identity.maildrop, sizeof(bed.identity.maildrop),
	    "%s/100%%u", bed.path);
	self = opened();
	assert_int_equal(drop()->count(self), 1);
	drop()->close(self);
	(void)snprintf(
	    bed.identity.maildrop, sizeof(bed.identity.maildrop), "relative");
	assert_int_equal(refused(), POPPER_PERMANENT);
}

struct asked {
	struct popper_allow allow;
	char path[1024];
	unsigned rights, calls;
};

static int
ask(struct popper_allow *allow, const char *path, unsigned rights)
{
	struct asked *a = (struct asked *)allow;

	(void)snprintf(a->path, sizeof(a->path), "%s", path);
	a->rights = rights;
	a->calls++;
	return 0;
}

static void
paths_name_the_maildir(void **state)
{
	struct asked a = { .allow.allow = ask };

	(void)state;
	assert_int_equal(
	    drop()->paths(&bed_host, &conf, &bed.place, &a.allow, &error), 0);
	assert_int_equal(a.calls, 1);
	assert_string_equal(a.path, bed_path(&bed, "Maildir"));
	assert_int_equal(a.rights, 7);
}

static void
second_session_is_in_use(void **state)
{
	void *self = opened();

	(void)state;
	assert_int_equal(refused(), POPPER_IN_USE);
	drop()->close(self);
	drop()->close(opened());
}

/* --- Odd entries. --- */

static void
odd_entries_hurt_nobody(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void *self;

	(void)state;
	bed_text(&bed, "Maildir/new/2.good", "good\n");
	bed_text(&bed, "Maildir/new/.hidden", "no\n");
	bed_text(&bed, "outside", "secret\n");
	bed_folder(&bed, "Maildir/new/1.folder");
	bed_folder(&bed, "Maildir/cur/.Sub");
	assert_int_equal(
	    symlink("nowhere", bed_path(&bed, "Maildir/new/1.dangling")), 0);
	assert_int_equal(
	    symlink("../../outside", bed_path(&bed, "Maildir/cur/1.link:2,")),
	    0);
	assert_int_equal(mkfifo(bed_path(&bed, "Maildir/cur/3.fifo"), 0600), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    bed_path(&bed, "Maildir/cur/4.socket"));
	assert_int_equal(bind(fd, (const void *)&address, sizeof(address)), 0);
	self = opened();
	assert_int_equal(drop()->count(self), 1);
	expect_text(self, 0, "good\n");
	drop()->close(self);
	assert_int_equal(bed_logged("is left out"), 5);
	assert_int_equal(bed_logged("1.dangling"), 1);
	(void)close(fd);
}

static void
the_log_about_odd_entries_is_bounded(void **state)
{
	char name[64];
	void *self;
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "Maildir/new/%d", i);
		bed_folder(&bed, name);
	}
	bed_text(&bed, "Maildir/new/99.good", "good\n");
	self = opened();
	assert_int_equal(drop()->count(self), 1);
	drop()->close(self);
	assert_int_equal(bed_logged("is left out"), MAILDIR_WARNINGS);
	assert_int_equal(bed_logged("50 entries are left out in all"), 1);
}

static int
open_unreadable(void *arg)
{
	struct popper_message message;
	void *self = NULL;

	(void)arg;
	CHECK(drop()->open(&bed_host, &conf, &bed.place, &self, &error) == 0);
	CHECK(drop()->count(self) == 2);
	CHECK(drop()->describe(self, 1, POPPER_WANT_OCTETS | POPPER_WANT_UID,
		  &message, &error) == 0);
	CHECK(message.octets == 7 && strcmp(message.uid, "3.c") == 0);
	CHECK(bed_logged("2.b") == 1);
	drop()->close(self);
	return 0;
}

static void
unreadable_message_is_left_out(void **state)
{
	(void)state;
	bed_text(&bed, "Maildir/new/1.a", "a\n");
	bed_text(&bed, "Maildir/new/2.b", "b\n");
	bed_text(&bed, "Maildir/new/3.c", "third\n");
	assert_int_equal(chmod(bed_path(&bed, "Maildir/new/2.b"), 0), 0);
	assert_int_equal(bed_as_nobody(&bed, open_unreadable, NULL), 0);
}

/* What was a message becomes something else: no waiting, no following. */
static void
exchanged_message_is_refused(void **state)
{
	struct collect c;
	void *self;

	(void)state;
	bed_text(&bed, "outside", "0123\n");
	bed_text(&bed, "Maildir/new/1.a", "0123\n");
	bed_text(&bed, "Maildir/new/2.b", "0123\n");
	self = opened();
	bed_remove(&bed, "Maildir/new/1.a");
	bed_remove(&bed, "Maildir/new/2.b");
	assert_int_equal(mkfifo(bed_path(&bed, "Maildir/new/1.a"), 0600), 0);
	assert_int_equal(
	    symlink("../../outside", bed_path(&bed, "Maildir/new/2.b")), 0);
	collect_start(&c);
	assert_int_equal(drop()->read(self, 0, 0, &c.sink, &error), -1);
	assert_int_equal(drop()->read(self, 1, 0, &c.sink, &error), -1);
	assert_int_equal(error.status, POPPER_TEMPORARY);
	assert_int_equal(c.len, 0);
	collect_end(&c);
	drop()->close(self);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		MAILDIR_TEST(descriptor_is_sound),
		MAILDIR_TEST(nothing_there_is_absent),
		MAILDIR_TEST(folder_without_cur_and_new_is_absent),
		MAILDIR_TEST(one_of_cur_and_new_is_enough),
		MAILDIR_TEST(link_to_a_maildir_is_refused),
		MAILDIR_TEST(foreign_maildir_is_refused),
		MAILDIR_TEST(maildrop_of_the_identity_wins),
		MAILDIR_TEST(paths_name_the_maildir),
		MAILDIR_TEST(second_session_is_in_use),
		MAILDIR_TEST(odd_entries_hurt_nobody),
		MAILDIR_TEST(the_log_about_odd_entries_is_bounded),
		MAILDIR_TEST(unreadable_message_is_left_out),
		MAILDIR_TEST(exchanged_message_is_refused),
	};

	return cmocka_run_group_tests_name("maildir_open", tests, NULL, NULL);
}
