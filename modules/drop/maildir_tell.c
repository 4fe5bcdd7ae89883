/*
 * maildir_tell.c - show, compare and renew the index, for popperctl.
 *
 * Runs in: popperctl, as the user, with the session lock held and the Maildir
 * locked.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir.h"

#define INDEX_FILE "maildir.index"
#define LINE 1024

typedef unsigned long long ull; /* what %llu takes */

struct telling {
	struct maildir *m;
	struct popper_sink *sink;
	struct popper_error *error;
};

/* One line.  Returns 0 or -1. */
static int POPPER_PRINTF(2, 3) say(struct telling *t, const char *format, ...)
{
	char line[LINE];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	if (len < 0)
		len = 0;
	if (len > LINE - 2)
		len = LINE - 2;
	line[len++] = '\n';
	if (t->sink->put(t->sink, popper_slice(line, (size_t)len)) != -1)
		return 0;
	return t->m->host->fail(t->error, POPPER_TEMPORARY,
	    "maildir %s: what there is to tell was not taken", t->m->path);
}

static const char *
folder_of(const struct maildir_record *r)
{
	return maildir_where(r) == MAILDIR_CUR ? "cur" : "new";
}

/* Is the folder as the index says? */
static bool
is_trusted(const struct maildir *m, enum maildir_folder folder)
{
	struct stat st;

	return m->sub[folder] != -1 && fstat(m->sub[folder], &st) == 0 &&
	    maildir_index_knows(m, folder, &st);
}

/* --- dump --- */

static int
dump_head(struct telling *t)
{
	const struct maildir *m = t->m;
	const struct maildir_totals *sum = &m->index.totals;

	return say(t,
	    INDEX_FILE ": messages=%llu octets=%llu unmeasured=%llu cur=%s "
		       "new=%s",
	    (ull)sum->count, (ull)sum->octets, (ull)sum->unsized,
	    is_trusted(m, MAILDIR_CUR) ? "unchanged" : "read-again",
	    is_trusted(m, MAILDIR_NEW) ? "unchanged" : "read-again");
}

static int
dump_messages(struct telling *t)
{
	struct maildir *m = t->m;
	char uid[POPPER_UID_MAX + 1];
	const struct maildir_record *r;

	for (size_t i = 0; i < m->list.count; i++) {
		r = &m->list.records[i];
		if (maildir_uid(m, i, uid, t->error) == -1 ||
		    say(t,
			"%zu octets=%llu stored=%llu flags=%s%s%s uid=%s "
			"%s/%s",
			i + 1, (ull)r->octets, (ull)r->stored,
			r->flags & MAILDIR_SEEN ? "S" : "",
			r->flags & MAILDIR_TRASHED ? "T" : "",
			r->flags & MAILDIR_UNSIZED ? "?" : "", uid,
			folder_of(r), maildir_name(&m->list, r)) == -1)
			return -1;
	}
	return 0;
}

static int
dump(struct telling *t)
{
	struct maildir *m = t->m;

	maildir_index_open(m);
	if (m->index.file == -1)
		return say(t, INDEX_FILE ": none that can be used");
	if (dump_head(t) == -1)
		return -1;
	if (maildir_index_read(m) == -1)
		return say(t, INDEX_FILE ": damaged behind its head");
	m->list = m->index.list;
	m->index.list = (struct maildir_list){ .count = 0 };
	m->uids_ready = true;
	m->looking = true;
	return dump_messages(t);
}

/* --- check --- */

/* Is the size of ${known} that of its file, which is ${now}? */
static int
check_size(struct telling *t, const struct maildir_record *known,
    struct maildir_record now, char *buffer)
{
	struct maildir *m = t->m;
	const char *name = maildir_name(&m->fresh, &now);
	int fd, result;

	if (known->flags & MAILDIR_UNSIZED)
		return 0;
	fd = openat(m->sub[maildir_where(&now)], name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return say(t, "%s/%s: cannot be opened", folder_of(&now), name);
	result = maildir_measure(fd, buffer, &now);
	(void)close(fd);
	if (result == -1)
		return say(t, "%s/%s: cannot be read", folder_of(&now), name);
	if (now.octets == known->octets && now.stored == known->stored)
		return 0;
	return say(t,
	    "%s/%s: has %llu octets (%llu stored), the index says %llu (%llu)",
	    folder_of(&now), name, (ull)now.octets, (ull)now.stored,
	    (ull)known->octets, (ull)known->stored);
}

/* The entry of the index for the file ${now}, searched from ${at} on. */
static struct maildir_record *
find_known(const struct maildir *m, const struct maildir_record *now, size_t at)
{
	const struct maildir_list *known = &m->index.list;

	for (; at < known->count; at++) {
		if (maildir_compare_octets(
			maildir_base(known, &known->records[at]),
			maildir_base(&m->fresh, now)) != 0)
			break;
		if (known->records[at].inode == now->inode)
			return &known->records[at];
	}
	return NULL;
}

static int
check_file(struct telling *t, const struct maildir_record *now,
    struct maildir_record *known, char *buffer)
{
	struct maildir *m = t->m;
	const char *name = maildir_name(&m->fresh, now);
	bool trusted = is_trusted(m, maildir_where(now));

	if (known == NULL)
		return trusted
		    ? say(t, "%s/%s: is not in the index", folder_of(now), name)
		    : 0;
	known->flags |= MAILDIR_DROPPED; /* it was found */
	if (trusted &&
	    (maildir_where(known) != maildir_where(now) ||
		strcmp(maildir_name(&m->index.list, known), name) != 0) &&
	    say(t, "%s/%s: the index calls it %s/%s", folder_of(now), name,
		folder_of(known), maildir_name(&m->index.list, known)) == -1)
		return -1;
	return check_size(t, known, *now, buffer);
}

/* What the index has and no folder. */
static int
check_rest(struct telling *t)
{
	const struct maildir_list *known = &t->m->index.list;
	const struct maildir_record *r;

	for (size_t i = 0; i < known->count; i++) {
		r = &known->records[i];
		if (!(r->flags & MAILDIR_DROPPED) &&
		    is_trusted(t->m, maildir_where(r)) &&
		    say(t, "%s/%s: is in the index only", folder_of(r),
			maildir_name(known, r)) == -1)
			return -1;
	}
	return 0;
}

static int
check_files(struct telling *t, char *buffer)
{
	struct maildir *m = t->m;
	const struct maildir_list *known = &m->index.list;
	const struct maildir_record *now;
	size_t at = 0;

	for (size_t i = 0; i < m->fresh.count; i++) {
		now = &m->fresh.records[i];
		while (at < known->count &&
		    maildir_compare_base(
			maildir_base(known, &known->records[at]),
			maildir_base(&m->fresh, now)) < 0)
			at++;
		if (check_file(t, now, find_known(m, now, at), buffer) == -1)
			return -1;
	}
	return check_rest(t);
}

static int
check(struct telling *t)
{
	struct maildir *m = t->m;
	struct stat st;
	char *buffer;
	int result;

	if (maildir_is_left(m) &&
	    say(t,
		"an interrupted removal is waiting: popperctl recover sees to "
		"it") == -1)
		return -1;
	maildir_index_open(m);
	if (m->index.file == -1) {
		if (m->state == -1 ||
		    fstatat(m->state, INDEX_FILE, &st, AT_SYMLINK_NOFOLLOW) ==
			-1)
			return 0; /* none: nothing is wrong with it */
		return say(t,
		    INDEX_FILE ": damaged, of another version or of another "
			       "Maildir; the next session makes it anew");
	}
	if (maildir_index_read(m) == -1)
		return say(t,
		    INDEX_FILE ": damaged behind its head; the next session "
			       "makes it anew");
	if (maildir_scan(m, &m->fresh, false, t->error) == -1)
		return -1;
	if ((buffer = malloc(MAILDIR_BUFFER + 1)) == NULL)
		return m->host->fail_system(
		    t->error, POPPER_TEMPORARY, "maildir %s", m->path);
	result = check_files(t, buffer);
	free(buffer);
	return result;
}

/* --- rebuild --- */

static int
rebuild(struct telling *t)
{
	struct maildir *m = t->m;

	if (m->state == -1)
		return m->host->fail(t->error, POPPER_PERMANENT,
		    "maildir %s: there is no state folder", m->path);
	(void)maildir_recover(m, maildir_is_left(m) ? t->sink : NULL);
	(void)unlinkat(m->state, INDEX_FILE, 0);
	if (maildir_snapshot(m, t->error) == -1 ||
	    maildir_sizes(m, t->error) == -1)
		return -1;
	if (maildir_index_write(m) == -1)
		return m->host->fail_system(t->error, POPPER_TEMPORARY,
		    "maildir %s: cannot write " INDEX_FILE, m->path);
	return say(t, INDEX_FILE ": messages=%llu octets=%llu",
	    (ull)m->totals.count, (ull)m->totals.octets);
}

static int
tell(struct maildir *m, int (*what)(struct telling *), struct popper_sink *sink,
    struct popper_error *error)
{
	struct telling t = { .m = m, .sink = sink, .error = error };
	int result;

	if (m == NULL)
		return -1;
	result = what(&t);
	m->listed = m->stale_cache = false; /* keep nothing but what it wrote */
	maildir_close(m);
	return result;
}

int
maildir_dump(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *error)
{
	return tell(maildir_begin(host, conf, place, error), dump, sink, error);
}

int
maildir_check(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *error)
{
	return tell(
	    maildir_begin(host, conf, place, error), check, sink, error);
}

int
maildir_rebuild(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *error)
{
	return tell(
	    maildir_begin(host, conf, place, error), rebuild, sink, error);
}
