/*
 * maildir_deliver.c - put a message into a Maildir.
 *
 * Runs in: programs that deliver, as the user; needs no lock.
 *
 * The message is written in tmp, put on stable storage, and only then linked
 * into new, so that no reader ever sees a part of it.  The name is unique by
 * time, microseconds, process, a counter, and host.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maildir.h"

/* The host's name with the two characters that a name must not have. */
static void
host_name(char *out, size_t size)
{
	char name[64] = "localhost";
	size_t len = 0;
	const char *p;

	(void)gethostname(name, sizeof(name) - 1);
	for (p = name; *p != '\0' && len + 5 < size; p++) {
		if (*p == '/' || *p == ':')
			len += (size_t)snprintf(out + len, size - len, "%s",
			    *p == '/' ? "\\057" : "\\072");
		else
			out[len++] = *p;
	}
	out[len] = '\0';
}

static void
unique_name(char *out, size_t size)
{
	static unsigned long count;
	struct timespec now;
	char host[128];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	host_name(host, sizeof(host));
	(void)snprintf(out, size, "%lld.M%ldP%ldQ%lu.%s", (long long)now.tv_sec,
	    now.tv_nsec / 1000, (long)getpid(), ++count, host);
}

static int
write_all(int fd, const char *buffer, size_t len)
{
	ssize_t put;

	for (; len > 0; buffer += put, len -= (size_t)put)
		if ((put = write(fd, buffer, len)) == -1) {
			if (errno != EINTR)
				return -1;
			put = 0;
		}
	return 0;
}

/* Returns the octets copied, or -1 with errno. */
static int64_t
copy(int from, int to)
{
	int64_t octets = 0;
	ssize_t got = -1;
	char *buffer;

	if ((buffer = malloc(MAILDIR_BUFFER)) == NULL)
		return -1;
	while ((got = read(from, buffer, MAILDIR_BUFFER)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 || write_all(to, buffer, (size_t)got) == -1)
			break;
		octets += got;
	}
	free(buffer);
	return got == 0 ? octets : -1;
}

/* Make the folders that are missing. */
static int
open_folders(struct maildir *m)
{
	if (m->tmp == -1 &&
	    (mkdirat(m->folder, "tmp", 0700) == 0 || errno == EEXIST))
		m->tmp = openat(m->folder, "tmp",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->sub[MAILDIR_NEW] == -1 &&
	    (mkdirat(m->folder, "new", 0700) == 0 || errno == EEXIST))
		m->sub[MAILDIR_NEW] = openat(m->folder, "new",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return m->tmp == -1 || m->sub[MAILDIR_NEW] == -1 ? -1 : 0;
}

/* Write tmp/${name}.  Returns its octets, or -1 with errno and no file. */
static int64_t
write_tmp(const struct maildir *m, const char *name, int from)
{
	int64_t octets;
	int fd, cause;

	fd = openat(m->tmp, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	octets = copy(from, fd);
	if (octets != -1 && fsync(fd) == -1)
		octets = -1;
	cause = errno;
	if (close(fd) == -1 && octets != -1) {
		cause = errno;
		octets = -1;
	}
	if (octets == -1)
		(void)unlinkat(m->tmp, name, 0);
	errno = cause;
	return octets;
}

/* Show the file to readers.  0, or -1 with errno and nothing shown. */
static int
publish(const struct maildir *m, const char *name)
{
	const int new = m->sub[MAILDIR_NEW];
	int cause;

	if (linkat(m->tmp, name, new, name, 0) == -1)
		return -1;
	if (fsync(new) == 0)
		return 0;
	cause = errno;
	(void)unlinkat(new, name, 0); /* who sent it will try again */
	errno = cause;
	return -1;
}

static int
deliver(struct maildir *m, int from, struct popper_error *error)
{
	char name[256];
	int64_t octets;
	int result;

	unique_name(name, sizeof(name));
	if (open_folders(m) == -1 || (octets = write_tmp(m, name, from)) == -1)
		return m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: write to tmp", m->path);
	if ((result = publish(m, name)) == -1)
		(void)m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: link to new", m->path);
	else
		maildir_quota(m, octets, 1);
	(void)unlinkat(m->tmp, name, 0);
	return result;
}

int
maildir_deliver(const struct popper_host *host, const void *conf,
    const struct popper_place *place, int fd, struct popper_error *error)
{
	struct maildir m;
	int result = -1;

	maildir_init(&m, host);
	if (maildir_path(host, conf, place, m.path, error) == 0 &&
	    maildir_attach(&m, error) == 0)
		result = deliver(&m, fd, error);
	maildir_detach(&m);
	return result;
}
