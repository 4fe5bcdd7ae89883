/*
 * sasl_key.c - the key that secrets of unknown users are made with.
 *
 * Runs in:  the warm parent, as root or the server's own user.
 *
 * It stays the same for good: a salt that changed with each start would tell
 * who does not exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sasl.h"

static const char *
check(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "not root's or our own";
	if ((st->st_mode & 077) != 0)
		return "open to others; chmod 600 it";
	if (st->st_size != AUTH_SASL_KEY_MAX)
		return "not 32 octets long; remove it, a new one is made";
	return NULL;
}

static int
take(struct auth_sasl *s, int fd, struct popper_error *e)
{
	const char *path = s->conf->key_file, *problem;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return s->host->fail_system(
		    e, POPPER_PERMANENT, "sasl: key-file %s", path);
	problem = check(&st);
	if (problem == NULL &&
	    read(fd, s->key, sizeof(s->key)) != (ssize_t)sizeof(s->key))
		problem = "cannot be read";
	if (problem != NULL)
		return s->host->fail(e, POPPER_PERMANENT,
		    "sasl: key-file %s: %s", path, problem);
	return 0;
}

static int
open_key(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static bool
fill(int fd)
{
	unsigned char key[AUTH_SASL_KEY_MAX];
	bool good = getrandom(key, sizeof(key), 0) == (ssize_t)sizeof(key) &&
	    write(fd, key, sizeof(key)) == (ssize_t)sizeof(key) &&
	    fsync(fd) == 0;

	explicit_bzero(key, sizeof(key));
	return good;
}

/* Whole or not at all, and never over one that somebody else has made. */
static int
make(const char *path)
{
	char name[POPPER_PATH_MAX + 32];
	int fd, result = -1;

	(void)snprintf(name, sizeof(name), "%s.%ld", path, (long)getpid());
	(void)unlink(name); /* of a process that died */
	fd = open(
	    name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fill(fd) && (link(name, path) == 0 || errno == EEXIST))
		result = 0;
	if (close(fd) == -1)
		result = -1;
	if (unlink(name) == -1)
		result = -1;
	return result;
}

int
auth_sasl_key_read(struct auth_sasl *s, struct popper_error *e)
{
	const char *path = s->conf->key_file;
	int fd, result;

	if (path[0] != '/' || strlen(path) > POPPER_PATH_MAX)
		return s->host->fail(e, POPPER_PERMANENT,
		    "sasl: key-file \"%s\" is no absolute path", path);
	fd = open_key(path);
	if (fd == -1 && errno == ENOENT && make(path) == 0)
		fd = open_key(path);
	if (fd == -1)
		return s->host->fail_system(e, POPPER_PERMANENT,
		    "sasl: key-file %s can neither be read nor made", path);
	result = take(s, fd, e);
	(void)close(fd);
	return result;
}
