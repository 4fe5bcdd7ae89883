/*
 * maildir_commit.c - remove messages, mark messages as seen.
 *
 * Runs in: popper-session, as the user, with the Maildir locked.
 *
 * One message is removed by one unlink, which is all or nothing by itself;
 * several go through the private folder of maildir_trash.c.  Where there is no
 * room for that folder they are unlinked one by one: deleting mail is what
 * makes room, so a full disk must not refuse it.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_trash.h"

void
maildir_quota(struct maildir *m, int64_t octets, int64_t count)
{
	char line[64];
	struct stat st;
	int fd, len;

	fd = openat(m->folder, "maildirsize",
	    O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return; /* no quota is kept, or not by us */
	len = snprintf(line, sizeof(line), "%lld %lld\n", (long long)octets,
	    (long long)count);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    write(fd, line, (size_t)len) != len)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: maildirsize was not updated", m->path);
	(void)close(fd);
}

static void
account(struct maildir *m)
{
	const struct maildir_record *record;
	int64_t octets = 0, count = 0;
	size_t i;

	for (i = 0; i < m->list.count; i++) {
		record = &m->list.records[i];
		if (!(record->flags & MAILDIR_REMOVED) ||
		    (record->flags & (MAILDIR_TRASHED | MAILDIR_VANISHED)))
			continue;
		octets += (int64_t)record->stored;
		count++;
	}
	if (count > 0)
		maildir_quota(m, -octets, -count);
}

/* Remove one file: with ${t} into the private folder, else for good. */
static int
remove_file(const struct maildir *m, struct maildir_trash *t,
    const struct maildir_record *record)
{
	if (t != NULL)
		return maildir_trash_put(t, record);
	return unlinkat(
	    m->sub[maildir_where(record)], maildir_name(&m->list, record), 0);
}

/* The same, wherever it is by now. */
static int
remove_one(struct maildir *m, struct maildir_trash *t,
    struct maildir_record *record, struct popper_error *error)
{
	int found, tries;

	for (tries = 0; tries < MAILDIR_TRIES; tries++) {
		if (remove_file(m, t, record) == 0) {
			record->flags |= MAILDIR_REMOVED;
			return 0;
		}
		if (errno != ENOENT)
			break;
		if ((found = maildir_refind(m, record, error)) == -1)
			return -1;
		if (found == 0) {
			record->flags |= MAILDIR_REMOVED | MAILDIR_VANISHED;
			return 0;
		}
	}
	return m->host->fail_system(error, POPPER_TEMPORARY,
	    "maildir %s: remove %s", m->path, maildir_name(&m->list, record));
}

static enum popper_outcome
remove_single(struct maildir *m, size_t i, struct popper_error *error)
{
	struct maildir_record *record = &m->list.records[i];

	if (remove_one(m, NULL, record, error) == -1)
		return POPPER_NOT_DONE;
	if (!(record->flags & MAILDIR_VANISHED) &&
	    fsync(m->sub[maildir_where(record)]) == -1) {
		(void)m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s: fsync", m->path);
		return POPPER_UNKNOWN;
	}
	return POPPER_DONE;
}

/* Some may be gone when this fails, but none that was not to go: RFC 1939,
 * section 6, allows that. */
static enum popper_outcome
remove_in_turn(struct maildir *m, const struct popper_changes *changes,
    struct popper_error *error)
{
	enum popper_outcome failed = POPPER_NOT_DONE;
	enum maildir_folder folder;
	size_t i;

	for (i = 0; i < m->list.count; i++) {
		if (!(changes->marks[i] & POPPER_MARK_DELETED))
			continue;
		if (remove_one(m, NULL, &m->list.records[i], error) == -1)
			return failed;
		failed = POPPER_UNKNOWN;
	}
	for (folder = 0; folder < MAILDIR_FOLDERS; folder++)
		if (m->sub[folder] != -1 && fsync(m->sub[folder]) == -1) {
			(void)m->host->fail_system(error, POPPER_TEMPORARY,
			    "maildir %s: fsync", m->path);
			return failed;
		}
	return POPPER_DONE;
}

/* Does the disk, or the quota, keep them from going through the private folder?
 * With the option trash that is a condition. */
static bool
is_full(const struct maildir *m, const struct popper_error *error)
{
	return m->trash == 0 &&
	    (error->system == ENOSPC || error->system == EDQUOT);
}

static enum popper_outcome
remove_several(struct maildir *m, const struct popper_changes *changes,
    struct popper_error *error)
{
	enum popper_outcome outcome = POPPER_NOT_DONE;
	struct maildir_trash t;
	size_t i;

	if (maildir_trash_open(&t, m, error) == -1) {
		if (is_full(m, error))
			outcome = remove_in_turn(m, changes, error);
		goto out;
	}
	for (i = 0; i < m->list.count; i++)
		if ((changes->marks[i] & POPPER_MARK_DELETED) &&
		    remove_one(m, &t, &m->list.records[i], error) == -1)
			goto back;
	outcome = maildir_trash_seal(&t, error);
	goto out;

back:
	if (maildir_trash_undo(&t) == -1)
		outcome = POPPER_UNKNOWN;
	else if (is_full(m, error))
		outcome = remove_in_turn(m, changes, error);
out:
	maildir_trash_close(&t);
	return outcome;
}

/* Make "base:2,FLAGS" with S among the flags, which are in order. */
static int
seen_name(char *out, size_t size, const char *name, size_t base)
{
	const char *flags = "", *rest;
	int len;

	if (name[base] != '\0') {
		if (strncmp(name + base, ":2,", 3) != 0)
			return -1; /* flags of another kind */
		flags = name + base + 3;
	}
	for (rest = flags; *rest != '\0' && *rest < 'S'; rest++)
		;
	len = snprintf(out, size, "%.*s:2,%.*sS%s", (int)base, name,
	    (int)(rest - flags), flags, rest);
	return len < 0 || (size_t)len >= size ? -1 : 0;
}

/* A flag that is not set hurts nobody: failures are not reported. */
static void
mark_seen(struct maildir *m, const struct popper_changes *changes)
{
	const struct maildir_record *record;
	char name[256];
	size_t i;

	for (i = 0; i < m->list.count && m->sub[MAILDIR_CUR] != -1; i++) {
		record = &m->list.records[i];
		if (changes->marks[i] != POPPER_MARK_SEEN ||
		    (record->flags & MAILDIR_SEEN) ||
		    seen_name(name, sizeof(name),
			maildir_name(&m->list, record), record->base) == -1)
			continue;
		(void)renameat2(m->sub[maildir_where(record)],
		    maildir_name(&m->list, record), m->sub[MAILDIR_CUR], name,
		    RENAME_NOREPLACE);
	}
}

enum popper_outcome
maildir_commit(void *self, const struct popper_changes *changes,
    struct popper_error *error)
{
	struct maildir *m = self;
	enum popper_outcome outcome = POPPER_DONE;
	size_t i, deleted = 0, last = 0;

	assert(m != NULL && m->magic == MAILDIR_MAGIC);
	if (maildir_need(m, error) == -1)
		return POPPER_NOT_DONE;
	assert(changes->count == m->list.count);
	for (i = 0; i < m->list.count; i++)
		if (changes->marks[i] & POPPER_MARK_DELETED) {
			deleted++;
			last = i;
		}
	if (deleted == 1 && m->trash == 0)
		outcome = remove_single(m, last, error);
	else if (deleted > 0)
		outcome = remove_several(m, changes, error);
	if (outcome == POPPER_DONE) {
		account(m);
		if (m->mark_seen)
			mark_seen(m, changes);
	}
	/* All of it, once the option is taken away. */
	if (m->trash > 0 || (deleted > 0 && outcome == POPPER_DONE))
		maildir_trash_expire(m);
	return outcome;
}
