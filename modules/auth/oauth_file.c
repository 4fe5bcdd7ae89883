/*
 * oauth_file.c - the files of keys and of the client's secret.
 *
 * Runs in:  the warm parent and the gate, as root or the server's own user.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oauth.h"

/* Whoever can write a file of keys can become anybody. */
static int
check_file(const struct oauth_self *o, const char *path, unsigned denied,
    const struct stat *st, struct popper_error *e)
{
	if (!S_ISREG(st->st_mode))
		return o->host->fail(
		    e, POPPER_PERMANENT, "oauth: %s: not a regular file", path);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: %s: owned by uid %lu; must be root's or our own",
		    path, (unsigned long)st->st_uid);
	if ((st->st_mode & denied) != 0)
		return o->host->fail(e, POPPER_PERMANENT,
		    "oauth: %s: mode %03o lets others in; chmod %03o it", path,
		    (unsigned)st->st_mode & 0777,
		    (unsigned)st->st_mode & 0777 & ~denied);
	return 0;
}

/* The descriptor, or -1. */
static int
open_file(const struct oauth_self *o, const char *path, unsigned denied,
    struct stat *st, struct popper_error *e)
{
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	int fd = open(
	    path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1)
		return o->host->fail_system(e, POPPER_TEMPORARY, "oauth: %s%s",
		    path,
		    errno == ELOOP ? " (a symbolic link is refused)" : "");
	if (fstat(fd, st) == -1)
		(void)o->host->fail_system(
		    e, POPPER_TEMPORARY, "oauth: %s", path);
	else if (check_file(o, path, denied, st, e) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Octets read, or -1; one more than ${max} if there are more. */
static ssize_t
read_all(int fd, char *out, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while (len <= max) {
		n = read(fd, out + len, max + 1 - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static char *
read_open(const struct oauth_self *o, int fd, const char *path, size_t max,
    size_t *len, struct popper_error *e)
{
	char *text = malloc(max + 1);
	ssize_t n = -1;

	if (text != NULL)
		n = read_all(fd, text, max);
	if (n == -1) {
		(void)o->host->fail_system(
		    e, POPPER_TEMPORARY, "oauth: %s", path);
	} else if ((size_t)n > max) {
		o->host->wipe(text, max + 1);
		(void)o->host->fail(e, POPPER_PERMANENT,
		    "oauth: %s: larger than %zu octets", path, max);
	} else {
		text[n] = '\0';
		*len = (size_t)n;
		return text;
	}
	free(text);
	return NULL;
}

char *
oauth_file_read(const struct oauth_self *o, const char *path, unsigned denied,
    size_t max, size_t *len, struct popper_error *e)
{
	struct stat st;
	int fd = open_file(o, path, denied, &st, e);
	char *text;

	if (fd == -1)
		return NULL;
	text = read_open(o, fd, path, max, len, e);
	(void)close(fd);
	return text;
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool
is_unchanged(const struct oauth_stamp *s, const struct stat *st)
{
	return s->device == st->st_dev && s->inode == st->st_ino &&
	    s->size == st->st_size && is_same_time(s->modified, st->st_mtim) &&
	    is_same_time(s->changed, st->st_ctim);
}

static struct oauth_stamp
stamp_of(const struct stat *st)
{
	return (struct oauth_stamp){ st->st_dev, st->st_ino, st->st_size,
		st->st_mtim, st->st_ctim };
}

static int
take_keys(struct oauth_self *o, int fd, const struct stat *before,
    struct popper_error *e)
{
	const char *path = o->conf->jwks, *problem;
	struct stat after;
	size_t len;
	char *text = read_open(o, fd, path, OAUTH_KEYS_FILE_MAX, &len, e);

	if (text == NULL)
		return -1;
	o->stamp = stamp_of(before);
	o->keys = oauth_keys_parse(popper_slice(text, len), &problem);
	free(text);
	if (o->keys == NULL)
		return o->host->fail(
		    e, POPPER_PERMANENT, "oauth: %s: %s", path, problem);
	if (fstat(fd, &after) == 0 && is_unchanged(&o->stamp, &after))
		return 0;
	oauth_keys_free(o->keys);
	o->keys = NULL;
	return o->host->fail(e, POPPER_TEMPORARY,
	    "oauth: %s is being written; write another and rename it", path);
}

int
oauth_file_keys(struct oauth_self *o, struct popper_error *e)
{
	struct stat st;
	int fd = open_file(o, o->conf->jwks, 022, &st, e);
	int result = 0;

	if (fd == -1 || o->keys == NULL || !is_unchanged(&o->stamp, &st)) {
		oauth_keys_free(o->keys);
		o->keys = NULL;
		result = fd == -1 ? -1 : take_keys(o, fd, &st, e);
	}
	if (fd != -1)
		(void)close(fd);
	return result;
}
