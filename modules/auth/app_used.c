/*
 * app_used.c - when each device was last used.
 *
 * Runs in:  the gate, as root or the server's own user.
 *
 * One file of records of one length, changed in place: 32 hexadecimal digits of
 * the password's hash, a space, 20 digits of seconds since 1970, a newline.
 * Losing one loses a date and nothing else.  So nobody waits for the lock, a
 * record that cannot be read is free to use, and no failure is told to anybody.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"

#define KEY_LEN 32
#define TIME_LEN 20
#define RECORD (KEY_LEN + 1 + TIME_LEN + 1)
#define RECORDS_AT_ONCE 512
#define INTERVAL 60 /* seconds between two changes of a record */

/* Where a record is, or would be. */
struct place {
	off_t at;
	uint64_t time; /* 0: it is not there */
};

/* A file that a stranger made, or could change, is not ours. */
static int
open_file(const struct app_self *a)
{
	struct stat st;
	int fd = open(a->conf->last_use,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0600);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & 077) == 0 && st.st_size <= (off_t)APP_FILE_MAX)
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

/* The time in a record; 0 if it is free or damaged. */
static uint64_t
time_of(const char *record)
{
	const char *digit = record + KEY_LEN + 1;
	uint64_t n = 0;

	if (record[KEY_LEN] != ' ' || record[RECORD - 1] != '\n')
		return 0;
	for (size_t i = 0; i < TIME_LEN; i++) {
		if (digit[i] < '0' || digit[i] > '9' || n > INT64_MAX / 10)
			return 0;
		n = n * 10 + (uint64_t)(digit[i] - '0');
	}
	return n;
}

/* Find the record of ${key}, else the first free one, else the end. */
static int
locate(int fd, const char *key, struct place *p)
{
	static char block[RECORDS_AT_ONCE * RECORD];
	off_t at = 0, unused = -1;
	uint64_t then;
	ssize_t n;

	for (;;) {
		n = pread(fd, block, sizeof(block), at);
		if (n == -1)
			return -1;
		for (ssize_t i = 0; i + RECORD <= n; i += RECORD) {
			then = time_of(block + i);
			if (then != 0 && memcmp(block + i, key, KEY_LEN) == 0) {
				*p = (struct place){ at + i, then };
				return 0;
			}
			if (then == 0 && unused == -1)
				unused = at + i;
		}
		at += n - n % RECORD;
		if (n < (ssize_t)sizeof(block))
			break;
	}
	*p = (struct place){ unused == -1 ? at : unused, 0 };
	return 0;
}

static void
note(int fd, const char *key, uint64_t now)
{
	char record[RECORD + 1];
	struct place p;

	if (locate(fd, key, &p) == -1 || p.at >= (off_t)APP_FILE_MAX - RECORD)
		return;
	/* A clock that was wrong once may go back. */
	if (p.time <= now && now - p.time < INTERVAL)
		return;
	(void)snprintf(
	    record, sizeof(record), "%.*s %020" PRIu64 "\n", KEY_LEN, key, now);
	if (pwrite(fd, record, RECORD, p.at) != RECORD)
		return; /* the next login tries again */
}

void
app_used(const struct app_self *a, struct popper_slice hash)
{
	int fd = a->conf->last_use[0] == '\0' ? -1 : open_file(a);

	if (fd == -1)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		note(fd, hash.ptr + hash.len - 2 * KEY_LEN,
		    (uint64_t)a->now(NULL));
	(void)close(fd);
}

void
app_used_check(const struct app_self *a)
{
	int fd;

	if (a->conf->last_use[0] == '\0')
		return;
	fd = open_file(a);
	if (fd == -1)
		a->host->log(POPPER_LOG_WARNING,
		    "app: last use is not kept: %s: %s", a->conf->last_use,
		    errno == EPERM ? "not a file that is ours alone (mode 600)"
				   : strerror(errno));
	else
		(void)close(fd);
}
