/*
 * maildir_trash.c - remove several messages as if at one moment.
 *
 * Runs in: popper-session, as the user, with the Maildir locked.
 *
 * Messages that go are first moved, each under its own name, to the private
 * folder tmp/.popper-undo/cur or .../new, where no mail program looks.  When
 * all are there and on stable storage, renaming that folder to tmp/.popper-done
 * is the commit point: one atomic step.  Then the files are unlinked.
 *
 * With the option trash the commit point is to rename it to
 * cur/.popper-trash/TIME instead, where it stays for so long.  Names that begin
 * with a dot are no messages to anybody (Maildir, and all that read it), and in
 * cur, unlike in tmp, nobody cleans up.  doc/why/maildir-trash.md
 *
 * What a crash leaves tells what to do at the next login:
 *   .popper-undo   before the commit point: everything is moved back;
 *   .popper-done   after it, and the client may know: the rest is unlinked.
 *
 * fsync order: that the private folders are there, before the first message
 * goes into one; what is in them, then cur and new, then the renaming, then
 * tmp.  So no message is ever without a name on the disk before the commit
 * point, and none can come back once we said so.  On the way back: cur and new,
 * before a private folder is removed.  doc/why/power-loss.md
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "maildir_trash.h"

#define UNDO ".popper-undo"
#define DONE ".popper-done"

static const char *const folder_name[] = {
	[MAILDIR_CUR] = "cur",
	[MAILDIR_NEW] = "new",
};
_Static_assert(sizeof(folder_name) / sizeof(folder_name[0]) == MAILDIR_FOLDERS,
    "name every folder");

static int
open_folder(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

/* Is ${name} one file in both folders? */
static bool
is_linked(int from, const char *name, int to)
{
	struct stat a, b;

	return fstatat(from, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(to, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Move ${name} without ever replacing anything.  0, or -1 with errno. */
static int
move_back(int from, const char *name, int to)
{
	if (renameat2(from, name, to, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without it.  We may have been cut off in between. */
	if (linkat(from, name, to, name, 0) == -1) {
		if (errno != EEXIST)
			return -1;
		if (!is_linked(from, name, to)) {
			errno = EEXIST;
			return -1;
		}
	}
	return unlinkat(from, name, 0);
}

/* What is done with each file of a private folder: 0, or -1 with errno. */
typedef int step(const struct maildir *, int from, const char *name,
    enum maildir_folder, struct maildir_returned *);

static int
move_home(const struct maildir *m, int from, const char *name,
    enum maildir_folder folder)
{
	const int home = m->sub[folder];
	const int other =
	    m->sub[folder == MAILDIR_CUR ? MAILDIR_NEW : MAILDIR_CUR];

	if (home != -1 && move_back(from, name, home) == 0)
		return 0;
	/* The folder, or another file of that name, came between: anywhere is
	 * better than here. */
	if (other != -1 && (home == -1 || errno == EEXIST))
		return move_back(from, name, other);
	return -1;
}

static int
step_back(const struct maildir *m, int from, const char *name,
    enum maildir_folder folder, struct maildir_returned *r)
{
	const char *flags = strstr(name, ":2,");
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    move_home(m, from, name, folder) == -1)
		return -1;
	r->count++;
	if (flags != NULL && strchr(flags, 'T') != NULL)
		return 0; /* counts for no quota */
	r->counted++;
	r->octets += st.st_size;
	return 0;
}

static int
step_unlink(const struct maildir *m, int from, const char *name,
    enum maildir_folder folder, struct maildir_returned *r)
{
	(void)m;
	(void)folder;
	(void)r;
	return unlinkat(from, name, 0);
}

/* Go once through the folder ${fd}.  0, or -1 with errno. */
static int
each_file(const struct maildir *m, int fd, enum maildir_folder folder,
    step *todo, struct maildir_returned *r)
{
	const struct dirent *entry;
	int own, cause = 0;
	DIR *dir;

	if ((own = open_folder(fd, ".")) == -1)
		return -1;
	if ((dir = fdopendir(own)) == NULL) {
		(void)close(own);
		return -1;
	}
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (todo(m, fd, entry->d_name, folder, r) == -1)
			cause = errno;
	}
	if (cause == 0)
		cause = errno;
	(void)closedir(dir);
	errno = cause;
	return cause == 0 ? 0 : -1;
}

/* Put on stable storage that the files of the folder ${fd} are home again. */
static int
settle_home(const struct maildir *m, int fd)
{
	enum maildir_folder folder;

	for (folder = 0; folder < MAILDIR_FOLDERS; folder++)
		if (m->sub[folder] != -1 && fsync(m->sub[folder]) == -1)
			return -1;
	return fsync(fd);
}

/* Empty and remove the folder ${folder} of the private folder ${fd}. */
static int
empty(const struct maildir *m, int fd, enum maildir_folder folder, step *todo,
    struct maildir_returned *r)
{
	const char *name = folder_name[folder];
	int sub, tries, result = 0;

	if ((sub = open_folder(fd, name)) == -1)
		return errno == ENOENT ? 0 : -1;
	for (tries = 0; tries < MAILDIR_TRIES; tries++) {
		result = each_file(m, sub, folder, todo, r);
		if (result == 0 && todo == step_back)
			result = settle_home(m, sub);
		if (result == -1)
			break;
		/* A file that is moved away may hide another from readdir. */
		result = unlinkat(fd, name, AT_REMOVEDIR);
		if (result == 0 || (errno != ENOTEMPTY && errno != EEXIST))
			break;
	}
	close_fd(&sub);
	return result;
}

/* Deal with all of the private folder ${name} in ${at}.  1, 0 if there is none,
 * -1 with errno. */
static int
finish(const struct maildir *m, int at, const char *name, step *todo,
    struct maildir_returned *r)
{
	int fd, result = 0, cause = 0;
	enum maildir_folder folder;

	if ((fd = open_folder(at, name)) == -1)
		return errno == ENOENT ? 0 : -1;
	for (folder = 0; folder < MAILDIR_FOLDERS; folder++)
		if (empty(m, fd, folder, todo, r) == -1) {
			cause = errno;
			result = -1;
		}
	close_fd(&fd);
	if (result == 0)
		result = unlinkat(at, name, AT_REMOVEDIR);
	else
		errno = cause;
	return result == 0 ? 1 : -1;
}

static int
tell(struct popper_sink *sink, const char *text)
{
	return sink == NULL ? 0 : sink->put(sink, popper_slice_text(text));
}

int
maildir_recover(struct maildir *m, struct popper_sink *sink)
{
	static const struct {
		const char *name;
		step *todo;
		const char *text;
	} leftover[] = {
		{ UNDO, step_back, "brought back mail that was not removed\n" },
		{ DONE, step_unlink, "finished a removal\n" },
	};
	struct maildir_returned r = { .count = 0 };
	int result, found = 0, wrong = 0;
	size_t i;

	for (i = 0; m->tmp != -1 && i < 2; i++) {
		result =
		    finish(m, m->tmp, leftover[i].name, leftover[i].todo, &r);
		if (result == 1) {
			m->host->log(POPPER_LOG_NOTICE,
			    "maildir %s: %.*s after a crash", m->path,
			    (int)strcspn(leftover[i].text, "\n"),
			    leftover[i].text);
			wrong |= tell(sink, leftover[i].text) == -1;
			found = 1;
		}
		if (result == -1) {
			m->host->log(POPPER_LOG_ERROR,
			    "maildir %s: tmp/%s is left of a crash and cannot "
			    "be dealt with: %s",
			    m->path, leftover[i].name, strerror(errno));
			wrong = 1;
		}
	}
	if (!found && !wrong)
		wrong = tell(sink, "nothing to do\n") == -1;
	return wrong ? -1 : 0;
}

bool
maildir_is_left(const struct maildir *m)
{
	struct stat st;

	return m->tmp != -1 &&
	    (fstatat(m->tmp, UNDO, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		fstatat(m->tmp, DONE, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

int
maildir_trash_return(const struct maildir *m, int kept, const char *name,
    struct maildir_returned *r)
{
	return finish(m, kept, name, step_back, r) == -1 ? -1 : 0;
}

static int
make_sub(struct maildir_trash *t, enum maildir_folder folder)
{
	if (mkdirat(t->undo, folder_name[folder], 0700) == -1)
		return -1;
	t->sub[folder] = open_folder(t->undo, folder_name[folder]);
	return t->sub[folder] == -1 ? -1 : 0;
}

/* The private folders, and on stable storage that they are there. */
static int
make_undo(struct maildir_trash *t)
{
	const struct maildir *m = t->m;
	enum maildir_folder folder;

	if ((t->undo = open_folder(m->tmp, UNDO)) == -1)
		return -1;
	for (folder = 0; folder < MAILDIR_FOLDERS; folder++)
		if (m->sub[folder] != -1 && make_sub(t, folder) == -1)
			return -1;
	return fsync(t->undo) == -1 || fsync(m->tmp) == -1 ? -1 : 0;
}

int
maildir_trash_open(
    struct maildir_trash *t, struct maildir *m, struct popper_error *error)
{
	bool made;

	t->m = m;
	t->undo = t->kept = t->sub[MAILDIR_CUR] = t->sub[MAILDIR_NEW] = -1;
	if (m->trash > 0 && (t->kept = maildir_trash_make(m)) == -1)
		return m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: cannot make cur/" MAILDIR_KEEPS, m->path);
	if (m->tmp == -1 && mkdirat(m->folder, "tmp", 0700) == 0 &&
	    fsync(m->folder) == 0)
		m->tmp = open_folder(m->folder, "tmp");
	made = m->tmp != -1 && mkdirat(m->tmp, UNDO, 0700) == 0;
	if (made && make_undo(t) == 0)
		return 0;
	(void)m->host->fail_system(error, POPPER_TEMPORARY,
	    "maildir %s: cannot make tmp/" UNDO, m->path);
	if (made)
		(void)maildir_trash_undo(t);
	return -1;
}

int
maildir_trash_put(struct maildir_trash *t, const struct maildir_record *record)
{
	enum maildir_folder folder = maildir_where(record);
	const char *name = maildir_name(&t->m->list, record);

	if (t->sub[folder] == -1 &&
	    (make_sub(t, folder) == -1 || fsync(t->undo) == -1))
		return -1;
	return renameat(t->m->sub[folder], name, t->sub[folder], name);
}

int
maildir_trash_undo(struct maildir_trash *t)
{
	struct maildir_returned r = { .count = 0 };

	if (finish(t->m, t->m->tmp, UNDO, step_back, &r) == 1)
		return 0;
	t->m->host->log(POPPER_LOG_ERROR,
	    "maildir %s: messages are left in tmp/" UNDO
	    ", the next session brings them back: %s",
	    t->m->path, strerror(errno));
	return -1;
}

/* Put on stable storage where the messages are now. */
static int
settle(const struct maildir_trash *t)
{
	enum maildir_folder folder;

	for (folder = 0; folder < MAILDIR_FOLDERS; folder++)
		if (t->sub[folder] != -1 && fsync(t->sub[folder]) == -1)
			return -1;
	for (folder = 0; folder < MAILDIR_FOLDERS; folder++)
		if (t->sub[folder] != -1 && fsync(t->m->sub[folder]) == -1)
			return -1;
	return 0;
}

/* The commit point: where it went is left in ${t}.  0, or -1 with errno. */
static int
rename_undo(struct maildir_trash *t)
{
	const int tmp = t->m->tmp;
	const long long now = time(NULL);
	int result = -1, tries;

	if (t->kept == -1) {
		(void)strcpy(t->name, DONE);
		return renameat(tmp, UNDO, tmp, DONE);
	}
	/* Others of the same second are not empty. */
	for (tries = 0; tries < MAILDIR_COMMITS; tries++) {
		(void)snprintf(t->name, sizeof(t->name),
		    tries == 0 ? "%lld" : "%lld.%d", now, tries);
		result = renameat(tmp, UNDO, t->kept, t->name);
		if (result == 0 || (errno != ENOTEMPTY && errno != EEXIST))
			break;
	}
	return result;
}

enum popper_outcome
maildir_trash_seal(struct maildir_trash *t, struct popper_error *error)
{
	const struct maildir *m = t->m;
	const int there = t->kept == -1 ? m->tmp : t->kept;
	struct maildir_returned r;

	if (settle(t) == -1 || rename_undo(t) == -1) {
		(void)m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s: commit", m->path);
		return maildir_trash_undo(t) == 0 ? POPPER_NOT_DONE
						  : POPPER_UNKNOWN;
	}
	if ((t->kept != -1 && fsync(t->kept) == -1) || fsync(m->tmp) == -1) {
		/* On the disk it may be done or not: keep the mail. */
		(void)m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s: fsync tmp", m->path);
		if (renameat(there, t->name, m->tmp, UNDO) == 0)
			(void)maildir_trash_undo(t);
		return POPPER_UNKNOWN;
	}
	if (t->kept == -1 && finish(m, m->tmp, DONE, step_unlink, &r) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: removed messages are still in tmp/" DONE
		    ": %s",
		    m->path, strerror(errno));
	return POPPER_DONE;
}

void
maildir_trash_close(struct maildir_trash *t)
{
	close_fd(&t->undo);
	close_fd(&t->kept);
	close_fd(&t->sub[MAILDIR_CUR]);
	close_fd(&t->sub[MAILDIR_NEW]);
}
