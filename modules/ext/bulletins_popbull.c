/*
 * bulletins_popbull.c - a file that holds one user's number.
 *
 * Runs in: the session, as the user; popperctl, which only reads.
 *
 * The file is the user's, in a folder that he or others can write to: opened
 * without following a link, and looked at once it is open.  It is written in
 * place, since a session has no right to make files in somebody's home.
 */
#include "bulletins_popbull.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulletins_folder.h"

#define LONGEST 64 /* octets that are read */
/* Made, and no number yet.  An empty file is one that lost its number. */
#define NO_NUMBER "\n"

static int
open_file(const char *path, int flags, uid_t owner)
{
	int fd =
	    open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == owner &&
	    st.st_nlink == 1)
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

enum popbull
bulletins_popbull_read(const char *path, uid_t owner, int64_t *number)
{
	char text[LONGEST + 1];
	int64_t n;
	ssize_t len;
	int fd = open_file(path, O_RDONLY, owner);

	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? POPBULL_NONE
							   : POPBULL_ERROR;
	len = read(fd, text, LONGEST);
	(void)close(fd);
	if (len <= 0)
		return len == 0 ? POPBULL_EMPTY : POPBULL_ERROR;
	text[len] = '\0';
	if (text[0] < '0' || text[0] > '9' ||
	    (n = bulletins_number(text)) == -1)
		return POPBULL_NONE;
	*number = n;
	return POPBULL_NUMBER;
}

int
bulletins_popbull_make(const char *path)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool good;
	int saved;

	if (fd == -1)
		return errno == EEXIST ? 0 : -1;
	good = write(fd, NO_NUMBER, sizeof(NO_NUMBER) - 1) ==
	    sizeof(NO_NUMBER) - 1;
	saved = errno;
	if (close(fd) == 0 && good)
		return 0;
	(void)unlink(path); /* it would look like one that lost its number */
	errno = saved;
	return -1;
}

int
bulletins_popbull_write(const char *path, int64_t number)
{
	int fd = open_file(path, O_WRONLY, geteuid()), result = -1, len;
	char text[LONGEST];

	if (fd == -1)
		return -1;
	len = snprintf(text, sizeof(text), "%" PRId64 "\n", number);
	/* The old number's line is longer at most until the cut. */
	if (pwrite(fd, text, (size_t)len, 0) == len && ftruncate(fd, len) == 0)
		result = 0;
	if (close(fd) == -1)
		result = -1;
	return result;
}
