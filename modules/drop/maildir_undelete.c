/*
 * maildir_undelete.c - what clients deleted: until when, and back again.
 *
 * Runs in: popper-session, as the user, with the Maildir locked; popperctl, as
 * the user, with the session lock.
 *
 * The folders in cur/.popper-trash are called after the time of the commit that
 * made them, Unix time, and ".N" if there were several in one second.  A
 * message is in one of them under the name it had, so it comes back with the
 * same unique-id.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maildir_trash.h"

#define EXPIRE_MOST 1000 /* files that one commit removes */

/* The time in the name of a folder; false: it is none of ours. */
static bool
commit_time(const char *name, uint64_t *when)
{
	size_t digits = strspn(name, "0123456789");
	const char *rest = name + digits;

	if (digits == 0 || digits > 15 ||
	    (*rest != '\0' &&
		(*rest != '.' || rest[1] == '\0' ||
		    rest[1 + strspn(rest + 1, "0123456789")] != '\0')))
		return false;
	*when = maildir_time(popper_slice(name, digits));
	return true;
}

static int
open_folder(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
maildir_trash_make(struct maildir *m)
{
	int *cur = &m->sub[MAILDIR_CUR];

	if (*cur == -1 && mkdirat(m->folder, "cur", 0700) == 0 &&
	    fsync(m->folder) == 0)
		*cur = open_folder(m->folder, "cur");
	if (*cur == -1 ||
	    (mkdirat(*cur, MAILDIR_KEEPS, 0700) == -1 && errno != EEXIST))
		return -1;
	return open_folder(*cur, MAILDIR_KEEPS);
}

static DIR *
read_folder(int at, const char *name)
{
	int fd = open_folder(at, name);
	DIR *dir;

	if (fd == -1)
		return NULL;
	if ((dir = fdopendir(fd)) == NULL)
		(void)close(fd);
	return dir;
}

/* Remove up to ${*left} files of the folder ${name}, and it, if it is empty
 * then. */
static int
thin_out(int at, const char *name, unsigned *left)
{
	const struct dirent *entry;
	DIR *dir = read_folder(at, name);
	int result = 0;

	if (dir == NULL)
		return errno == ENOENT ? 0 : -1;
	while (*left > 0 && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == -1)
			result = -1;
		--*left;
	}
	(void)closedir(dir);
	if (*left > 0 && result == 0)
		result = unlinkat(at, name, AT_REMOVEDIR);
	return result;
}

static int
remove_commit(int kept, const char *name, unsigned *left)
{
	int fd =
	    openat(kept, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int result;

	if (fd == -1)
		return -1;
	result = thin_out(fd, "cur", left);
	if (result == 0)
		result = thin_out(fd, "new", left);
	(void)close(fd);
	if (result == 0 && *left > 0)
		result = unlinkat(kept, name, AT_REMOVEDIR);
	return result;
}

void
maildir_trash_expire(const struct maildir *m)
{
	const uint64_t now = (uint64_t)time(NULL);
	const struct dirent *entry;
	unsigned left = EXPIRE_MOST;
	int kept = open_folder(m->sub[MAILDIR_CUR], MAILDIR_KEEPS);
	uint64_t when;
	DIR *dir;

	if (kept == -1)
		return;
	dir = read_folder(kept, ".");
	while (dir != NULL && left > 0 && (entry = readdir(dir)) != NULL)
		if (commit_time(entry->d_name, &when) && when < now &&
		    now - when > m->trash &&
		    remove_commit(kept, entry->d_name, &left) == -1)
			m->host->log(POPPER_LOG_WARNING,
			    "maildir %s: cur/" MAILDIR_KEEPS
			    "/%s is old and cannot be removed: %s",
			    m->path, entry->d_name, strerror(errno));
	if (dir != NULL)
		(void)closedir(dir);
	(void)close(kept);
}

/* --- For popperctl. --- */

/* Open and lock it, and put right what a crash left. */
static int
enter(struct maildir *m, const struct popper_host *host,
    const struct maildir_conf *conf, const struct popper_place *place,
    struct popper_sink *sink, struct popper_error *error)
{
	maildir_init(m, host);
	m->trash = conf->trash;
	if (maildir_path(host, conf, place, m->path, error) == -1 ||
	    maildir_attach(m, error) == -1 || maildir_lock(m, error) == -1)
		return -1;
	if (maildir_recover(m, sink) == 0)
		return 0;
	return host->fail(error, POPPER_PERMANENT,
	    "maildir %s: what a crash left in tmp cannot be dealt with",
	    m->path);
}

int
maildir_mend(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *error)
{
	struct maildir m;
	int result = enter(&m, host, conf, place, sink, error);

	maildir_detach(&m);
	return result;
}

/* Bring back the commits since ${since}.  -1 with errno if not all. */
static int
bring_back(const struct maildir *m, int kept, uint64_t since,
    struct maildir_returned *r)
{
	const struct dirent *entry;
	DIR *dir = read_folder(kept, ".");
	int cause = 0;
	uint64_t when;

	if (dir == NULL)
		return -1;
	while (errno = 0, (entry = readdir(dir)) != NULL)
		if (commit_time(entry->d_name, &when) && when >= since &&
		    maildir_trash_return(m, kept, entry->d_name, r) == -1)
			cause = errno;
	if (cause == 0)
		cause = errno;
	(void)closedir(dir);
	errno = cause;
	return cause == 0 ? 0 : -1;
}

static int
undelete(struct maildir *m, uint64_t since, uint64_t *count,
    struct popper_error *error)
{
	struct maildir_returned r = { .count = 0 };
	int kept = open_folder(m->sub[MAILDIR_CUR], MAILDIR_KEEPS);
	uint64_t before = 0;
	int result = -1;

	if (kept == -1 && (errno == ENOENT || errno == EBADF))
		return 0;
	/* A folder that is removed may hide another from readdir. */
	do {
		before = r.count;
		if (kept != -1)
			result = bring_back(m, kept, since, &r);
	} while (result == 0 && r.count > before);
	*count = r.count;
	if (result == -1)
		(void)m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: %llu messages brought back, others are still "
		    "in cur/" MAILDIR_KEEPS,
		    m->path, (unsigned long long)r.count);
	if (kept != -1)
		(void)close(kept);
	if (r.counted > 0)
		maildir_quota(m, r.octets, r.counted);
	if (result == 0 && m->trash > 0)
		maildir_trash_expire(m);
	return result;
}

int
maildir_undelete(const struct popper_host *host, const void *conf,
    const struct popper_place *place, uint64_t since, uint64_t *count,
    struct popper_error *error)
{
	struct maildir m;
	int result = enter(&m, host, conf, place, NULL, error);

	*count = 0;
	if (result == 0)
		result = undelete(&m, since, count, error);
	maildir_detach(&m);
	return result;
}
