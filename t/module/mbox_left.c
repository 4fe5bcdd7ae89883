/*
 * mbox_left.c - see mbox_left.h.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include "mbox_left.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char left_path[160];

void
put_left(struct rig *r, const char *text, size_t len)
{
	int fd;

	(void)snprintf(left_path, sizeof(left_path), "%s/.user.pop", r->spool);
	fd = open(left_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(close(fd), 0);
}

void
expect_merged(
    struct rig *r, const char *left, const char *mbox, const char *text)
{
	put_left(r, left, strlen(left));
	rig_put(r, mbox);
	rig_open(r);
	rig_expect(r, text);
	assert_int_equal(access(left_path, F_OK), -1);
	rig_close(r);
	assert_false(rig_exists(r, "rewrite.mbox"));
	assert_int_equal(access(r->lock, F_OK), -1);
}

void
expect_left_alone(struct rig *r, const char *mbox)
{
	struct stat before, after;

	assert_int_equal(lstat(left_path, &before), 0);
	rig_put(r, mbox);
	rig_open(r);
	rig_expect(r, mbox);
	assert_int_equal(lstat(left_path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_non_null(strstr(rig_log(), "left alone"));
	rig_close(r);
}
