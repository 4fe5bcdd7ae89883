/*
 * maildir_read.c - open, measure and read one message.
 *
 * Runs in: popper-session, as the user.
 *
 * Messages are opened without following links and without waiting, so that
 * something else put in a message's place can neither lead elsewhere nor block.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir.h"

static int
check_regular(const struct maildir *m, int fd, struct popper_error *error)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return m->host->fail(
	    error, POPPER_TEMPORARY, "it is not a regular file now");
}

int
maildir_open_message(struct maildir *m, struct maildir_record *record,
    struct popper_error *error)
{
	int fd, found, tries;

	for (tries = 0; tries < MAILDIR_TRIES; tries++) {
		fd = openat(m->sub[maildir_where(record)],
		    maildir_name(&m->list, record),
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd != -1)
			return check_regular(m, fd, error);
		if (errno != ENOENT)
			return m->host->fail_system(
			    error, POPPER_TEMPORARY, "open");
		if ((found = maildir_refind(m, record, error)) == -1)
			return -1;
		if (found == 0)
			return m->host->fail(
			    error, POPPER_ABSENT, "another program removed it");
	}
	return m->host->fail(error, POPPER_TEMPORARY,
	    "another program renames it again and again");
}

/* Blocks of this length are counted in 8-bit lanes; below 256. */
#define LANE 128

/*
 * How many LF in the ${len} octets at ${p} + 1 have no CR before them.  ${p}[0]
 * is the octet before the first.  Written so that compilers make vector code
 * of the inner loop.
 */
static uint64_t
count_bare_lf(const char *p, size_t len)
{
	uint64_t count = 0;
	unsigned char lane;
	unsigned i;

	for (; len >= LANE; p += LANE, len -= LANE) {
		for (lane = 0, i = 0; i < LANE; i++)
			lane = (unsigned char)(lane +
			    ((p[i + 1] == '\n') & (p[i] != '\r')));
		count += lane;
	}
	for (i = 0; i < len; i++)
		count += (p[i + 1] == '\n') & (p[i] != '\r');
	return count;
}

int
maildir_measure(int fd, char *buffer, struct maildir_record *record)
{
	uint64_t stored = 0, bare = 0;
	ssize_t got;

	buffer[0] = '\n'; /* the octet before; an empty message needs no end */
	while ((got = read(fd, buffer + 1, MAILDIR_BUFFER)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		stored += (uint64_t)got;
		bare += count_bare_lf(buffer, (size_t)got);
		buffer[0] = buffer[got];
	}
	record->stored = stored;
	record->octets = stored + bare + (buffer[0] != '\n' ? 2 : 0);
	return 0;
}

/* Pour the ${left} octets from the place of ${fd} on. */
static int
pour(int fd, uint64_t left, struct popper_sink *sink, char *buffer)
{
	ssize_t got;
	int said;

	while (left > 0) {
		got = read(fd, buffer, MAILDIR_BUFFER);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0 || (uint64_t)got > left) {
			errno = ESTALE; /* it shrank or grew */
			return -1;
		}
		left -= (uint64_t)got;
		said = sink->put(sink, popper_slice(buffer, (size_t)got));
		if (said == -1)
			errno = EPIPE;
		if (said != 0)
			return said == 1 ? 0 : -1;
	}
	return 0;
}

/* Is the file as long as when it was measured? */
static int
check_length(struct maildir *m, const struct maildir_record *record, int fd,
    struct popper_error *error)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: stat %s", m->path,
		    maildir_name(&m->list, record));
	if ((uint64_t)st.st_size == record->stored)
		return 0;
	m->stale_cache = true;
	return m->host->fail(error, POPPER_TEMPORARY,
	    "maildir %s: another program changed %s: it had %llu octets and "
	    "has %llu; the next session will show it as it is",
	    m->path, maildir_name(&m->list, record),
	    (unsigned long long)record->stored, (unsigned long long)st.st_size);
}

static int
read_from(const struct maildir_record *record, int fd, uint64_t offset,
    struct popper_sink *sink)
{
	char *buffer;
	int result;

	if (offset >= record->stored)
		return 0;
	if (lseek(fd, (off_t)offset, SEEK_SET) == -1 ||
	    (buffer = malloc(MAILDIR_BUFFER)) == NULL)
		return -1;
	result = pour(fd, record->stored - offset, sink, buffer);
	free(buffer);
	return result;
}

int
maildir_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *error)
{
	struct maildir *m = self;
	struct maildir_record *record;
	struct popper_error why = { .status = POPPER_OK };
	int fd, result;

	assert(m != NULL && m->magic == MAILDIR_MAGIC);
	if (maildir_need(m, error) == -1)
		return -1;
	assert(i < m->list.count);
	record = &m->list.records[i];
	if (maildir_size(m, record, error) == -1)
		return -1;
	if ((fd = maildir_open_message(m, record, &why)) == -1)
		return m->host->fail(error, POPPER_TEMPORARY,
		    "maildir %s: %s: %s", m->path,
		    maildir_name(&m->list, record), why.text);
	result = check_length(m, record, fd, error);
	if (result == 0 &&
	    (result = read_from(record, fd, offset, sink)) == -1) {
		m->stale_cache = m->stale_cache || errno == ESTALE;
		(void)m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: read %s", m->path,
		    maildir_name(&m->list, record));
	}
	(void)close(fd);
	return result;
}
