/*
 * used.c - when app passwords were last used.
 *
 * Runs in: popauth, as root or as the owner of the file.
 *
 * The form is the app module's (modules/auth/app_used.c): records of one
 * length, 32 digits of the hash, a space, 20 digits of seconds, a newline.
 */
#include "tools/popauth/used.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/number.h"

#define KEY_LEN 32
#define TIME_LEN 20
#define RECORD (KEY_LEN + 1 + TIME_LEN + 1)
#define HASH_LEN 64 /* digits at the end of "$sha256$..." */

int
used_open(const char *path, bool change)
{
	struct stat st;
	int fd = open(path,
	    (change ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
		O_NONBLOCK);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    flock(fd, change ? LOCK_EX : LOCK_SH) == 0)
		return fd;
	fd_close(&fd);
	return -1;
}

/* Where the record is, and what it says; -1 if there is none. */
static off_t
locate(int fd, struct popper_slice hash, uint64_t *then)
{
	char record[RECORD];
	off_t at = 0;

	if (hash.len < HASH_LEN)
		return -1;
	for (; pread(fd, record, RECORD, at) == RECORD; at += RECORD)
		if (memcmp(record, hash.ptr + hash.len - HASH_LEN, KEY_LEN) ==
			0 &&
		    record[KEY_LEN] == ' ' && record[RECORD - 1] == '\n' &&
		    number_parse(popper_slice(record + KEY_LEN + 1, TIME_LEN),
			INT64_MAX, then))
			return at;
	return -1;
}

uint64_t
used_when(int fd, struct popper_slice hash)
{
	uint64_t then = 0;

	return fd != -1 && locate(fd, hash, &then) != -1 ? then : 0;
}

void
used_forget(int fd, struct popper_slice hash)
{
	static const char none[] = "00000000000000000000000000000000 "
				   "00000000000000000000\n";
	uint64_t then;
	off_t at;

	_Static_assert(sizeof(none) == RECORD + 1, "a whole record");
	if (fd == -1)
		return;
	at = locate(fd, hash, &then);
	if (at != -1 && pwrite(fd, none, RECORD, at) != RECORD)
		errno = EIO; /* a date too many, which nobody asks for */
}
