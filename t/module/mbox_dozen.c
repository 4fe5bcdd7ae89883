/*
 * mbox_dozen.c - see mbox_dozen.h.
 *
 * Runs in: tests.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mbox_dozen.h"
#include "points.h"

char dozen_messages[DOZEN][DOZEN_ROOM];
const char *dozen_marks;

void
dozen_make(void)
{
	for (size_t i = 0; i < DOZEN; i++) {
		size_t number = i == DOZEN_EQUAL + 1 ? DOZEN_EQUAL : i;
		size_t n = (size_t)sprintf(
			   dozen_messages[i], FROM_A "Number: %zu\n\n", number),
		       len = number % 5 == 0 ? 4000 : 10 * number + 1;

		memset(dozen_messages[i] + n, 'a' + (int)number, len);
		(void)strcpy(dozen_messages[i] + n + len, "\n\n");
	}
}

void
dozen_put(struct rig *r)
{
	rig_put(r, "");
	for (size_t i = 0; i < DOZEN; i++)
		rig_deliver(r, dozen_messages[i]);
}

void
dozen_clear(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir;

	if (fd == -1)
		return;
	assert_non_null(dir = fdopendir(fd));
	while ((entry = readdir(dir)) != NULL)
		if (*entry->d_name != '.' &&
		    unlinkat(fd, entry->d_name, 0) == -1) {
			dozen_clear(fd, entry->d_name);
			assert_int_equal(
			    unlinkat(fd, entry->d_name, AT_REMOVEDIR), 0);
		}
	(void)closedir(dir);
}

int
dozen_commit(void *arg)
{
	struct rig *r = arg;
	enum popper_outcome outcome;

	points_begin();
	if (rig_try_open(r) == -1)
		return POINTS_SAID + POPPER_NOT_DONE;
	outcome = rig_commit(r, dozen_marks);
	rig_close(r);
	return POINTS_SAID + (int)outcome;
}

int
dozen_tidy(void *arg)
{
	struct rig *r = arg;
	int failed;

	points_begin();
	if (rig_try_open(r) == -1)
		return POINTS_SAID + POPPER_DONE;
	failed = r->drop->tidy(r->self, &r->error);
	rig_close(r);
	return failed == 0 || failed == -1 ? POINTS_SAID + POPPER_DONE : 1;
}
