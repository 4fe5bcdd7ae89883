/*
 * app_file.c - the file of app passwords, opened with distrust, read as a
 * whole.
 *
 * Runs in:  the gate, as root or the server's own user, once per login, and
 *           once in the warm parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"

/* Whoever can write the file can become anybody. */
static int
check_file(
    const struct app_self *a, int fd, struct stat *st, struct popper_error *e)
{
	const char *file = a->conf->file;

	if (fstat(fd, st) == -1)
		return a->host->fail_system(e, POPPER_TEMPORARY, "%s", file);
	if (!S_ISREG(st->st_mode))
		return a->host->fail(
		    e, POPPER_PERMANENT, "%s: not a regular file", file);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return a->host->fail(e, POPPER_PERMANENT,
		    "%s: owned by uid %lu; must be root's or our own", file,
		    (unsigned long)st->st_uid);
	if ((st->st_mode & 077) != 0)
		return a->host->fail(e, POPPER_PERMANENT,
		    "%s: mode %03o lets others in; chmod 600 it", file,
		    (unsigned)st->st_mode & 0777);
	if (st->st_size > (off_t)APP_FILE_MAX)
		return a->host->fail(e, POPPER_PERMANENT,
		    "%s: larger than %u octets", file, APP_FILE_MAX);
	return 0;
}

/* Up to ${size} octets; what is appended meanwhile comes next time. */
static int
read_all(int fd, size_t size, struct app_text *text)
{
	ssize_t n = 1;

	while (n != 0 && text->len < size) {
		n = read(fd, text->octets + text->len, size - text->len);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			text->len += (size_t)n;
	}
	return 0;
}

int
app_read(
    const struct app_self *a, struct app_text *text, struct popper_error *e)
{
	const char *file = a->conf->file;
	struct stat st;
	int result = -1;
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	int fd = open(
	    file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	*text = (struct app_text){ .octets = NULL };
	if (fd == -1)
		return a->host->fail_system(e, POPPER_TEMPORARY, "%s%s", file,
		    errno == ELOOP ? " (a symbolic link is refused)" : "");
	if (check_file(a, fd, &st, e) == -1)
		goto done;
	text->octets = malloc((size_t)st.st_size + 1);
	if (text->octets == NULL ||
	    read_all(fd, (size_t)st.st_size, text) == -1) {
		(void)a->host->fail_system(e, POPPER_TEMPORARY, "%s", file);
		app_forget(a, text);
		goto done;
	}
	result = 0;
done:
	(void)close(fd);
	return result;
}

void
app_forget(const struct app_self *a, struct app_text *text)
{
	if (text->octets != NULL)
		a->host->wipe(text->octets, text->len);
	free(text->octets);
	*text = (struct app_text){ .octets = NULL };
}
