/*
 * passwd_file.c - the file of users, opened with distrust, line by line.
 *
 * Runs in:  the gate, as root or the server's own user, once per login, and
 *           once in the warm parent.
 * Why no table in memory: a scan of 2 MB costs less than the smallest password
 * hash, a table would make every fork dearer, and what is read afresh is never
 * out of date.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "passwd.h"

/* The file holds hashes: whoever can read it can guess at leisure, whoever
 * can write it can become anybody. */
static int
check_file(const struct passwd_self *p, int fd, struct popper_error *e)
{
	const char *file = p->conf->file;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return p->host->fail_system(e, POPPER_TEMPORARY, "%s", file);
	if (!S_ISREG(st.st_mode))
		return p->host->fail(
		    e, POPPER_PERMANENT, "%s: not a regular file", file);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return p->host->fail(e, POPPER_PERMANENT,
		    "%s: owned by uid %lu; must be root's or our own", file,
		    (unsigned long)st.st_uid);
	if ((st.st_mode & 077) != 0)
		return p->host->fail(e, POPPER_PERMANENT,
		    "%s: mode %03o lets others in; chmod 600 it", file,
		    (unsigned)st.st_mode & 0777);
	if (st.st_size > (off_t)PASSWD_FILE_MAX)
		return p->host->fail(e, POPPER_PERMANENT,
		    "%s: larger than %u octets", file, PASSWD_FILE_MAX);
	return 0;
}

struct passwd_reader *
passwd_open(const struct passwd_self *p, struct popper_error *e)
{
	struct passwd_reader *r = malloc(sizeof(*r));

	if (r == NULL) {
		(void)p->host->fail_system(
		    e, POPPER_TEMPORARY, "%s", p->conf->file);
		return NULL;
	}
	r->line = 0;
	r->from = r->len = r->touched = 0;
	r->torn = false;
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	r->fd = open(p->conf->file,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r->fd == -1) {
		(void)p->host->fail_system(e, POPPER_TEMPORARY, "%s%s",
		    p->conf->file,
		    errno == ELOOP ? " (a symbolic link is refused)" : "");
		goto err0;
	}
	if (check_file(p, r->fd, e) == -1)
		goto err1;
	return r;
err1:
	(void)close(r->fd);
err0:
	free(r);
	return NULL;
}

/* Read more behind what is left.  Returns as read(2). */
static ssize_t
fill(struct passwd_reader *r)
{
	ssize_t n;

	memmove(r->buf, r->buf + r->from, r->len);
	r->from = 0;
	do {
		n = read(r->fd, r->buf + r->len, sizeof(r->buf) - r->len);
	} while (n == -1 && errno == EINTR);
	if (n > 0)
		r->len += (size_t)n;
	if (r->touched < r->len)
		r->touched = r->len;
	return n;
}

/* Cut ${len} octets off and make a line of them. */
static int
take(struct passwd_reader *r, size_t len, struct popper_slice *line)
{
	*line = popper_slice(r->buf + r->from, len);
	r->line++;
	r->from += len;
	r->len -= len;
	return 1;
}

int
passwd_next(const struct passwd_self *p, struct passwd_reader *r,
    struct popper_slice *line, struct popper_error *e)
{
	const char *start, *end;
	ssize_t n;

	for (;;) {
		start = r->buf + r->from;
		end = memchr(start, '\n', r->len);
		if (end != NULL) {
			(void)take(r, (size_t)(end - start), line);
			r->from++;
			r->len--;
			return 1;
		}
		if (r->len == sizeof(r->buf))
			r->len = PASSWD_LINE_MAX + 1;
		n = fill(r);
		if (n == -1)
			return p->host->fail_system(
			    e, POPPER_TEMPORARY, "%s", p->conf->file);
		if (n == 0 && r->len == 0)
			return 0;
		if (n == 0) {
			r->torn = true;
			return take(r, r->len, line);
		}
	}
}

void
passwd_close(const struct passwd_self *p, struct passwd_reader *r)
{
	if (r == NULL)
		return;
	(void)close(r->fd);
	p->host->wipe(r->buf, r->touched);
	free(r);
}
