/*
 * maildir.c - the maildir module: open, describe and close a Maildir.
 *
 * Runs in: popper-session, as the user.
 *
 * Order: by the number a name begins with (the time of delivery), then by the
 * whole base, octet by octet.  A Maildir needs no lock to deliver or read; the
 * lock on the folder keeps one POP3 session per Maildir, also if two login
 * names share it, and dies with the process.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_foreign.h"

static int
inbox_path(const struct popper_host *host, const struct maildir_conf *conf,
    const struct popper_place *place, char *path, struct popper_error *error)
{
	const char *maildrop = place->identity->maildrop;

	if (maildrop[0] == '\0')
		return host->expand(path, POPPER_PATH_MAX + 1, conf->path,
		    place->identity, error);
	/* Who made the identity has expanded it: a "%" in it is a "%". */
	if (maildrop[0] != '/')
		return host->fail(error, POPPER_PERMANENT,
		    "maildrop \"%s\" does not begin with /", maildrop);
	memcpy(path, maildrop, strlen(maildrop) + 1);
	return 0;
}

/* A sub-mailbox is a folder ".NAME" in the Maildir, as Maildir++ has it. */
int
maildir_path(const struct popper_host *host, const struct maildir_conf *conf,
    const struct popper_place *place, char *path, struct popper_error *error)
{
	const char *folder = place->identity->folder;
	size_t len;
	int n;

	if (inbox_path(host, conf, place, path, error) == -1)
		return -1;
	if (folder[0] == '\0')
		return 0;
	len = strlen(path);
	n = snprintf(path + len, POPPER_PATH_MAX + 1 - len, "/.%s", folder);
	if (folder[0] != '.' && strchr(folder, '/') == NULL && n > 0 &&
	    (size_t)n < POPPER_PATH_MAX + 1 - len)
		return 0;
	return host->fail(error, POPPER_PERMANENT,
	    "maildir %.800s: no sub-mailbox can have this name", path);
}

void
maildir_odd(struct maildir *m, enum maildir_folder folder, const char *name,
    const char *why)
{
	if (m->odd++ < MAILDIR_WARNINGS)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: %s/%s is left out: %s", m->path,
		    folder == MAILDIR_CUR ? "cur" : "new", name, why);
}

static int
maildir_paths(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_allow *allow,
    struct popper_error *error)
{
	char path[POPPER_PATH_MAX + 1];

	if (maildir_path(host, conf, place, path, error) == -1)
		return -1;
	return allow->allow(allow, path,
	    POPPER_ALLOW_READ | POPPER_ALLOW_WRITE | POPPER_ALLOW_MAKE);
}

static int
not_ours(
    const struct maildir *m, const struct stat *st, struct popper_error *error)
{
	return m->host->fail(error, POPPER_PERMANENT,
	    "maildir %s belongs to uid %lu, the session runs as uid %lu: "
	    "change the owner or the path",
	    m->path, (unsigned long)st->st_uid, (unsigned long)geteuid());
}

/* Nothing to open is "ask the next module", trouble is not. */
static int
no_folder(const struct maildir *m, struct popper_error *error)
{
	struct stat st;

	if (errno == EACCES && stat(m->path, &st) == 0 &&
	    st.st_uid != geteuid())
		return not_ours(m, &st, error);
	if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s: open", m->path);
	if (stat(m->path, &st) == 0 && S_ISDIR(st.st_mode))
		return m->host->fail(error, POPPER_PERMANENT,
		    "maildir %s is a symbolic link: name its target instead",
		    m->path);
	return m->host->fail(
	    error, POPPER_ABSENT, "maildir %s: no such folder", m->path);
}

static int
open_sub(const struct maildir *m, const char *name, int *fd,
    struct popper_error *error)
{
	*fd = openat(
	    m->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1 && errno != ENOENT && errno != ENOTDIR)
		return m->host->fail_system(error, POPPER_TEMPORARY,
		    "maildir %s: open %s", m->path, name);
	return 0;
}

void
maildir_init(struct maildir *m, const struct popper_host *host)
{
	memset(m, 0, sizeof(*m));
	m->magic = MAILDIR_MAGIC;
	m->host = host;
	m->folder = m->tmp = m->state = -1;
	m->sub[MAILDIR_CUR] = m->sub[MAILDIR_NEW] = -1;
	m->index.file = -1;
}

int
maildir_attach(struct maildir *m, struct popper_error *error)
{
	struct stat st;

	m->folder =
	    open(m->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->folder == -1)
		return no_folder(m, error);
	if (fstat(m->folder, &st) == -1)
		return m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s: stat", m->path);
	if (st.st_uid != geteuid() && geteuid() != 0)
		return not_ours(m, &st, error);
	m->device = st.st_dev;
	m->inode = st.st_ino;
	if (open_sub(m, "new", &m->sub[MAILDIR_NEW], error) == -1 ||
	    open_sub(m, "cur", &m->sub[MAILDIR_CUR], error) == -1 ||
	    open_sub(m, "tmp", &m->tmp, error) == -1)
		return -1;
	if (m->sub[MAILDIR_NEW] == -1 && m->sub[MAILDIR_CUR] == -1)
		return m->host->fail(error, POPPER_ABSENT,
		    "maildir %s has neither cur nor new", m->path);
	return 0;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

void
maildir_detach(struct maildir *m)
{
	close_fd(&m->sub[MAILDIR_NEW]);
	close_fd(&m->sub[MAILDIR_CUR]);
	close_fd(&m->tmp);
	close_fd(&m->folder);
}

int
maildir_lock(struct maildir *m, struct popper_error *error)
{
	if (flock(m->folder, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return m->host->fail(error, POPPER_IN_USE,
		    "maildir %s is open in another session", m->path);
	return m->host->fail_system(
	    error, POPPER_TEMPORARY, "maildir %s: lock", m->path);
}

void
maildir_close(void *self)
{
	struct maildir *m = self;

	if (m == NULL)
		return;
	assert(m->magic == MAILDIR_MAGIC);
	maildir_index_save(m);
	maildir_index_free(m);
	maildir_detach(m);
	close_fd(&m->state);
	maildir_list_free(&m->list);
	maildir_list_free(&m->fresh);
	maildir_given_free(m);
	m->magic = 0;
	free(m);
}

struct maildir *
maildir_begin(const struct popper_host *host, const struct maildir_conf *c,
    const struct popper_place *place, struct popper_error *error)
{
	struct maildir *m;

	if ((m = calloc(1, sizeof(*m))) == NULL) {
		(void)host->fail_system(error, POPPER_TEMPORARY, "maildir");
		return NULL;
	}
	maildir_init(m, host);
	m->conf = c;
	m->mark_seen = c->mark_seen;
	m->trash = c->trash;
	if (maildir_path(host, c, place, m->path, error) == -1 ||
	    maildir_attach(m, error) == -1 || maildir_lock(m, error) == -1)
		goto err0;
	if (place->state != -1)
		m->state = fcntl(place->state, F_DUPFD_CLOEXEC, 0);
	return m;

err0:
	maildir_close(m);
	return NULL;
}

static int
maildir_open(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *error)
{
	struct maildir *m = maildir_begin(host, conf, place, error);

	if (m == NULL)
		return -1;
	(void)maildir_recover(m, NULL);
	if (maildir_snapshot(m, error) == -1) {
		/* Nothing worth keeping. */
		m->stale_cache = m->listed = false;
		maildir_close(m);
		return -1;
	}
	*self = m;
	return 0;
}

static struct maildir *
maildir_from(void *self)
{
	struct maildir *m = self;

	assert(m != NULL && m->magic == MAILDIR_MAGIC);
	return m;
}

static size_t
maildir_count(const void *self)
{
	const struct maildir *m = self;

	assert(m != NULL && m->magic == MAILDIR_MAGIC);
	return m->totals.count;
}

/* The later of the time in the name and the file's own; 0 if the file is not
 * where it was, or the name has no time. */
static int64_t
maildir_received(const struct maildir *m, const struct maildir_record *record)
{
	const char *name = maildir_name(&m->list, record);
	uint64_t named = maildir_time(popper_slice(name, record->base));
	struct stat st;

	if (named == 0 || named > INT64_MAX ||
	    fstatat(m->sub[maildir_where(record)], name, &st,
		AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	return st.st_mtim.tv_sec > (int64_t)named ? st.st_mtim.tv_sec
						  : (int64_t)named;
}

static int
maildir_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *error)
{
	struct maildir *m = maildir_from(self);
	struct maildir_record *record;

	if (maildir_need(m, error) == -1)
		return -1;
	assert(i < m->list.count);
	record = &m->list.records[i];
	if (want & POPPER_WANT_OCTETS) {
		if (maildir_size(m, record, error) == -1)
			return -1;
		message->octets = record->octets;
	}
	if (want & POPPER_WANT_FLAGS)
		message->flags =
		    record->flags & MAILDIR_SEEN ? POPPER_MESSAGE_SEEN : 0;
	if (want & POPPER_WANT_RECEIVED)
		message->received = maildir_received(m, record);
	if (want & POPPER_WANT_UID)
		return maildir_uid(m, i, message->uid, error);
	return 0;
}

static int
maildir_total(void *self, uint64_t *octets, struct popper_error *error)
{
	struct maildir *m = maildir_from(self);

	if (maildir_sizes(m, error) == -1)
		return -1;
	*octets = m->totals.octets;
	return 0;
}

static bool
maildir_is_measured(const void *self)
{
	const struct maildir *m = self;

	return m->totals.unsized == 0;
}

static int
maildir_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *error)
{
	const struct popper_slice none = popper_slice("", 0);
	struct maildir *m = maildir_from(self);

	if (want == POPPER_WANT_UID)
		return maildir_list_uids(m, lister, error);
	if (maildir_need(m, error) == -1 || maildir_sizes(m, error) == -1)
		return -1;
	for (size_t i = 0; i < m->list.count; i++)
		if (lister->put(lister, i, m->list.records[i].octets, none) !=
		    0)
			break;
	return 0;
}

static const struct popper_option maildir_options[] = {
	POPPER_OPTION(TEXT, struct maildir_conf, path, "path", "~/Maildir",
	    "where the Maildir of a user is"),
	POPPER_OPTION(BOOL, struct maildir_conf, mark_seen, "mark-seen", "no",
	    "move retrieved messages to cur with flag S"),
	POPPER_OPTION(WORD, struct maildir_conf, unique_id, "unique-id",
	    MAILDIR_SCHEMES, "the server whose unique-ids messages keep"),
	POPPER_OPTION(WORD, struct maildir_conf, dovecot_format,
	    "dovecot-format", MAILDIR_FORMATS,
	    "unique-id = dovecot: its pop3_uidl_format"),
	POPPER_OPTION(SECONDS, struct maildir_conf, trash, "trash", "0",
	    "how long to keep what clients delete"),
	POPPER_OPTIONS_END,
};

static const struct popper_drop maildir_drop = {
	.size = sizeof(struct popper_drop),
	.paths = maildir_paths,
	.open = maildir_open,
	.count = maildir_count,
	.describe = maildir_describe,
	.read = maildir_read,
	.commit = maildir_commit,
	.close = maildir_close,
	.deliver = maildir_deliver,
	.export_uids = maildir_export_uids,
	.import_uids = maildir_import_uids,
	.undelete = maildir_undelete,
	.recover = maildir_mend,
	.check = maildir_check,
	.dump = maildir_dump,
	.rebuild = maildir_rebuild,
	.total = maildir_total,
	.list = maildir_list,
	.is_measured = maildir_is_measured,
};

POPPER_MODULE(maildir, .version = "1", .summary = "mail in a Maildir folder",
    .conf_size = sizeof(struct maildir_conf), .options = maildir_options,
    .drop = &maildir_drop);
