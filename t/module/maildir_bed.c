/*
 * maildir_bed.c - a fresh Maildir for each test of the maildir module.
 *
 * Runs in: tests.
 */
#include "maildir_bed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct maildir_conf conf = { .path = "~/Maildir",
	.unique_id = "popper",
	.dovecot_format = "%08Xu%08Xv" };
struct bed bed;
struct popper_error error;

const struct popper_drop *
drop(void)
{
	return maildir_LTX_popper_module.drop;
}

int
maildir_set_up(void **state)
{
	(void)state;
	memset(&error, 0, sizeof(error));
	conf.mark_seen = false;
	bed_open(&bed);
	bed_folder(&bed, "Maildir");
	bed_folder(&bed, "Maildir/cur");
	bed_folder(&bed, "Maildir/new");
	bed_folder(&bed, "Maildir/tmp");
	return 0;
}

int
maildir_tear_down(void **state)
{
	(void)state;
	bed_close(&bed);
	return 0;
}

void *
opened(void)
{
	void *self = NULL;

	if (drop()->open(&bed_host, &conf, &bed.place, &self, &error) == -1)
		fail_msg("open: %s", error.text);
	return self;
}

enum popper_status
refused(void)
{
	void *self = NULL;

	assert_int_equal(
	    drop()->open(&bed_host, &conf, &bed.place, &self, &error), -1);
	assert_null(self);
	return error.status;
}

uint64_t
octets(void *self, size_t i)
{
	struct popper_message message;

	assert_int_equal(
	    drop()->describe(self, i, POPPER_WANT_OCTETS, &message, &error), 0);
	return message.octets;
}

const char *
uid(void *self, size_t i)
{
	static struct popper_message message[2];
	static unsigned turn;

	turn = !turn;
	assert_int_equal(
	    drop()->describe(self, i, POPPER_WANT_UID, &message[turn], &error),
	    0);
	return message[turn].uid;
}

unsigned
flags(void *self, size_t i)
{
	struct popper_message message;

	assert_int_equal(
	    drop()->describe(self, i, POPPER_WANT_FLAGS, &message, &error), 0);
	return message.flags;
}

void
expect_content(void *self, size_t i, const char *content, size_t len)
{
	struct collect c;

	collect_start(&c);
	if (drop()->read(self, i, 0, &c.sink, &error) == -1)
		fail_msg("read: %s", error.text);
	assert_int_equal(c.len, len);
	assert_memory_equal(c.ptr, content, len);
	collect_end(&c);
}

void
expect_text(void *self, size_t i, const char *text)
{
	expect_content(self, i, text, strlen(text));
}

void
fill(char *p, size_t len, uint32_t seed)
{
	static const char letters[] = "\r\n\r\n.ab\0\xff c";
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		p[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
	}
}

/* Messages 1.m to 5.m, the odd ones in cur. */
const char *
path_of(unsigned i)
{
	static char path[64];

	(void)snprintf(path, sizeof(path),
	    i % 2 ? "Maildir/cur/%u.m:2," : "Maildir/new/%u.m", i);
	return path;
}

void
make_five(void)
{
	char text[32];
	unsigned i;

	for (i = 1; i <= FIVE; i++) {
		(void)snprintf(text, sizeof(text), "message %u\n", i);
		bed_text(&bed, path_of(i), text);
	}
}

enum popper_outcome
commit(void *self, const unsigned char *marks)
{
	struct popper_changes changes = {
		.size = sizeof(changes),
		.count = drop()->count(self),
		.marks = marks,
	};

	return drop()->commit(self, &changes, &error);
}

/* Nothing of ours may stay in tmp. */
void
expect_clean_tmp(void)
{
	assert_int_equal(rmdir(bed_path(&bed, "Maildir/tmp")), 0);
	bed_folder(&bed, "Maildir/tmp");
}

#define INDEX "state/maildir.index"

void *
settled(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	uint64_t octets;
	void *self;

	for (int i = 0; i < 1000; i++) {
		self = opened();
		if (((struct maildir *)self)->indexed)
			return self;
		assert_int_equal(drop()->total(self, &octets, &error), 0);
		drop()->close(self);
		(void)nanosleep(&pause, NULL);
	}
	fail_msg("the index is never used");
	return NULL;
}

size_t
index_read(char *content, size_t size)
{
	int fd = open(bed_path(&bed, INDEX), O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, content, size);

	(void)close(fd);
	assert_true(len > 0 && (size_t)len < size);
	return (size_t)len;
}

void
index_write(const char *content, size_t len)
{
	int fd =
	    open(bed_path(&bed, INDEX), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, content, len), len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	(void)close(fd);
}
