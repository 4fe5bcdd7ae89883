/*
 * mbox.c - the mbox module: mail in one file per user, as /var/mail has it.
 *
 * Runs in: the session, one process per login, as the user, for good.
 *
 * The file is scanned once, at open, and read as it is: no header is added,
 * hidden or changed, and no message is written to.  Two programs may use an
 * mbox at once only under its locks (mbox_lock.c); a session takes them while
 * it scans and while it commits, so mail is delivered all through it.  If the
 * file is just what an earlier session scanned, that session's index is used
 * (mbox_index.c), and neither a scan nor a lock is needed.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mbox_foreign.h"
#include "mbox_index.h"
#include "mbox_journal.h"
#include "mbox_rewrite.h"
#include "mbox_tell.h"
#include "mbox_trash.h"
#include "mbox_waste.h"
#include "settled.h"

#define REOPENS 3 /* while another program replaces the file */

static const struct popper_option mbox_options[] = {
	POPPER_OPTION(TEXT, struct mbox_conf, path, "path", "/var/mail/%u",
	    "the mbox file"),
	POPPER_OPTION(SECONDS, struct mbox_conf, lock_timeout, "lock-timeout",
	    "10s", "how long to wait for other programs' locks"),
	POPPER_OPTION(BOOL, struct mbox_conf, dotlock, "dotlock", "yes",
	    "take the dot lock, too"),
	POPPER_OPTION(BOOL, struct mbox_conf, nfs, "nfs", "no",
	    "the file system is a network's, though it cannot be seen"),
	POPPER_OPTION(TEXT, struct mbox_conf, spool_dir, "spool-dir", "",
	    "folder of all mailboxes, instead of path"),
	POPPER_OPTION(NUMBER, struct mbox_conf, hash_spool, "hash-spool", "0",
	    "1 or 2: folders in spool-dir by Qpopper's rules"),
	POPPER_OPTION(TEXT, struct mbox_conf, home_dir_mail, "home-dir-mail",
	    "", "name of the mbox in the home, instead of path"),
	POPPER_OPTION(TEXT, struct mbox_conf, temp_dir, "temp-dir", "",
	    "where Qpopper kept .user.pop; else beside the mbox"),
	POPPER_OPTION(TEXT, struct mbox_conf, temp_name, "temp-name", ".%u.pop",
	    "name of that file"),
	POPPER_OPTION(BOOL, struct mbox_conf, check_old_spool_loc,
	    "check-old-spool-loc", "yes",
	    "look for that file also where it was without hash or home"),
	POPPER_OPTION(BOOL, struct mbox_conf, merge_temp_drop,
	    "merge-temp-drop", "yes",
	    "take mail back that a crash of Qpopper left in that file"),
	POPPER_OPTION(BOOL, struct mbox_conf, uw_kludge, "uw-kludge", "yes",
	    "hide a first message in which IMAP servers keep notes"),
	POPPER_OPTION(WORD, struct mbox_conf, unique_id, "unique-id",
	    MBOX_SCHEMES, "the server whose unique-ids messages keep"),
	POPPER_OPTION(WORD, struct mbox_conf, dovecot_format, "dovecot-format",
	    MBOX_FORMATS, "unique-id = dovecot: its pop3_uidl_format"),
	POPPER_OPTION(BOOL, struct mbox_conf, old_style_uid, "old-style-uid",
	    "no", "unique-id = qpopper: as Qpopper 2 made them"),
	POPPER_OPTION(BOOL, struct mbox_conf, update_status_headers,
	    "update-status-headers", "no",
	    "note what was read, and ids, in the mbox"),
	POPPER_OPTION(SECONDS, struct mbox_conf, trash, "trash", "0",
	    "how long to keep what clients delete"),
	POPPER_OPTION(WORD, struct mbox_conf, purge, "purge", "quit lazy",
	    "when deleted messages leave the file"),
	POPPER_OPTION(TEXT, struct mbox_conf, purge_time, "purge-time", "2-5",
	    "purge = lazy: hours in which they do, too"),
	POPPER_OPTION(OCTETS, struct mbox_conf, collapse, "collapse", "0",
	    "cut blocks out if so much need not move then; 0: never"),
	POPPER_OPTIONS_END
};

struct mbox *
mbox_from_self(void *self)
{
	struct mbox *m = self;

	assert(m != NULL && m->magic == MBOX_MAGIC);
	return m;
}

void
mbox_close(void *self)
{
	struct mbox *m;

	if (self == NULL)
		return;
	m = mbox_from_self(self);
	if (m->fd != -1) {
		mbox_index_save(m);
		mbox_unlock(m);
		(void)close(m->fd);
	}
	if (m->folder != -1)
		(void)close(m->folder);
	if (m->state != -1)
		(void)close(m->state);
	mbox_kept_close(m->kept);
	mbox_kept_close(m->older);
	mbox_waste_free(m);
	mbox_index_free(&m->index);
	free(m->uids);
	free(m->texts.ptr);
	free(m->twins.list);
	free(m->buffer);
	m->magic = 0;
	free(m);
}

/* An instance with its path, and nothing opened but the state folder. */
static struct mbox *
new_mbox(const struct popper_host *h, const struct mbox_conf *conf,
    const struct popper_place *place, struct popper_error *e)
{
	struct mbox *m = calloc(1, sizeof(*m));
	int n;

	if (m == NULL) {
		h->fail(e, POPPER_TEMPORARY, "out of memory");
		return NULL;
	}
	m->magic = MBOX_MAGIC;
	m->host = h;
	m->conf = conf;
	m->folder = m->fd = m->state = -1;
	memcpy(m->user, place->identity->user, sizeof(m->user));
	m->scheme = mbox_foreign_scheme(conf);
	if (mbox_path(h, conf, place, m->path, e) == -1)
		goto fail;
	m->name = strrchr(m->path, '/') + 1;
	n = snprintf(m->lock.name, sizeof(m->lock.name), "%s.lock", m->name);
	if (n < 0 || (size_t)n >= sizeof(m->lock.name)) {
		h->fail(e, POPPER_PERMANENT, "%s: name too long", m->path);
		goto fail;
	}
	if (*m->name == '\0') {
		h->fail(e, POPPER_ABSENT, "%s: is a folder", m->path);
		goto fail;
	}
	m->state = fcntl(place->state, F_DUPFD_CLOEXEC, 0);
	if (m->state != -1)
		return m;
	h->fail_system(e, POPPER_TEMPORARY, "state folder of %s", m->user);
fail:
	mbox_close(m);
	return NULL;
}

/* Would a change after m->seen be seen by its ctime?  Over a network the
 * server makes the times: by them our dot lock must be younger. */
static bool
has_settled(const struct mbox *m)
{
	if (!m->remote)
		return is_settled(m->fd, &m->seen);
	return m->lock.made.tv_sec != 0 &&
	    age_at(&m->seen, &m->lock.made) > FOREIGN_TICK;
}

/* With the lock held: fix what this session will see. */
static int
take_snapshot(struct mbox *m, struct popper_error *e)
{
	if (fstat(m->fd, &m->seen) == -1)
		return m->host->fail_system(
		    e, POPPER_TEMPORARY, "%s: fstat", m->path);
	m->settled = has_settled(m);
	m->index.size = (uint64_t)m->seen.st_size;
	if (mbox_look(m) == 0) {
		m->internal = m->conf->uw_kludge && m->index.count > 0 &&
		    mbox_is_internal(m->fd, m->index.records);
		m->unsaved = true;
		return 0;
	}
	if (errno == EBADMSG)
		return m->host->fail(e, POPPER_PERMANENT,
		    "%s: does not begin with a \"From \" line, nor with one of "
		    "four 0x01 (MMDF); put the file right or aside",
		    m->path);
	return m->host->fail_system(
	    e, POPPER_TEMPORARY, "%s: cannot scan", m->path);
}

/* Most mailboxes are empty, and others have not changed since they were last
 * scanned: what need not be read needs no lock. */
static bool
is_known(struct mbox *m)
{
	m->settled = has_settled(m);
	return m->seen.st_size == 0 || mbox_index_load(m);
}

/* The same under the lock, if there was none before. */
static bool
is_known_there(struct mbox *m)
{
	return m->remote && fstat(m->fd, &m->seen) == 0 && is_known(m);
}

/* Open and lock the file that the path names while we hold the lock.  Not
 * locked: there is nothing that must be read. */
static int
open_and_lock(struct mbox *m, bool recover, struct popper_error *e)
{
	int i;

	for (i = 0; i < REOPENS; i++) {
		if (mbox_open_file(m, e) == -1)
			return -1;
		m->remote = m->fd != -1 && (m->conf->nfs || is_remote(m->fd));
		if (m->fd == -1 || (!recover && !m->remote && is_known(m)))
			return 0;
		if (recover && !m->writable)
			return m->host->fail(e, POPPER_PERMANENT,
			    "%s: a crash left work to do here, and the file is "
			    "read-only; make it writable",
			    m->path);
		if (mbox_lock(m, recover ? F_WRLCK : F_RDLCK, e) == -1)
			return -1;
		if (mbox_is_current(m)) {
			if (!recover && is_known_there(m))
				mbox_unlock(m);
			return 0;
		}
		mbox_unlock(m);
		(void)close(m->fd);
		m->fd = -1;
	}
	return m->host->fail(
	    e, POPPER_TEMPORARY, "%s: replaced again and again", m->path);
}

/* With the file locked: deal with what a crash left behind. */
static int
put_right(
    struct mbox *m, const struct mbox_remains *left, struct popper_error *e)
{
	if (mbox_backup_exists(m) && mbox_recover(m, e) == -1)
		return -1;
	if (mbox_journal_exists(m) && mbox_resume(m, e) == -1)
		return -1;
	if (mbox_rewrite_exists(m) && mbox_redo(m, e) == -1)
		return -1;
	return left->fd == -1 ? 0 : mbox_merge(m, left, e);
}

static int
refuse_missing(const struct mbox *m, const struct mbox_remains *left,
    struct popper_error *e)
{
	if (left->fd != -1)
		return m->host->fail(e, POPPER_TEMPORARY,
		    "%s: is not there and could not be made, and %s has mail "
		    "of %s from a crash of another server",
		    m->path, left->path, m->user);
	return m->host->fail(e, POPPER_PERMANENT,
	    "%s: a commit was interrupted and the file is gone; see to it, "
	    "then remove " MBOX_JOURNAL " or " MBOX_REWRITE " in the "
	    "state folder of %s",
	    m->path, m->user);
}

int
mbox_open(const struct popper_host *h, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *e)
{
	struct mbox *m = new_mbox(h, conf, place, e);
	struct mbox_remains left = { .fd = -1 };
	bool recover;

	if (m == NULL)
		return -1;
	if (mbox_remains_open(m, place, &left, e) == -1)
		goto fail;
	recover = left.fd != -1 || mbox_journal_exists(m) ||
	    mbox_backup_exists(m) || mbox_rewrite_exists(m);
	if (open_and_lock(m, recover, e) == -1)
		goto fail;
	if (m->fd == -1 && recover) {
		refuse_missing(m, &left, e);
		goto fail;
	}
	if (m->lock.kernel) {
		if (recover && put_right(m, &left, e) == -1)
			goto fail;
		if (take_snapshot(m, e) == -1)
			goto fail;
		mbox_unlock(m);
	}
	mbox_remains_close(&left);
	if (mbox_waste_load(m, e) == -1)
		goto fail;
	mbox_trash_settle(m);
	*self = m;
	return 0;
fail:
	mbox_remains_close(&left);
	mbox_close(m);
	return -1;
}

/* Message ${i}, which must be there. */
static const struct mbox_record *
record(const struct mbox *m, size_t i)
{
	assert(i < m->index.count - m->internal);
	return &m->index.records[i + m->internal];
}

int
mbox_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *e)
{
	struct mbox *m = mbox_from_self(self);

	if ((want & (POPPER_WANT_OCTETS | POPPER_WANT_RECEIVED)) != 0 &&
	    mbox_records(m, e) == -1)
		return -1;
	if ((want & (POPPER_WANT_UID | POPPER_WANT_FLAGS)) != 0 &&
	    mbox_uids(m, e) == -1)
		return -1;
	if ((want & POPPER_WANT_OCTETS) != 0)
		message->octets = record(m, i)->octets;
	if ((want & POPPER_WANT_RECEIVED) != 0)
		message->received = mbox_received(m, record(m, i));
	if ((want & POPPER_WANT_UID) != 0)
		mbox_uid_text(m, &m->uids[i], message->uid);
	if ((want & POPPER_WANT_FLAGS) != 0)
		message->flags = m->uids[i].seen ? POPPER_MESSAGE_SEEN : 0;
	return 0;
}

static const struct popper_drop mbox_drop = {
	.size = sizeof(mbox_drop),
	.paths = mbox_paths,
	.open = mbox_open,
	.count = mbox_view_count,
	.describe = mbox_view_describe,
	.read = mbox_view_read,
	.commit = mbox_view_commit,
	.close = mbox_close,
	.undelete = mbox_undelete,
	.recover = mbox_mend,
	.dump = mbox_dump,
	.check = mbox_check,
	.rebuild = mbox_rebuild,
	.export_uids = mbox_view_export,
	.import_uids = mbox_import_uids,
	.total = mbox_view_total,
	.list = mbox_view_list,
	.configured = mbox_configured,
	.top = mbox_view_top,
	.tidy = mbox_view_tidy,
};

POPPER_MODULE(mbox, .version = "0.1.0",
    .summary = "mail in one mbox file per user",
    .conf_size = sizeof(struct mbox_conf), .options = mbox_options,
    .drop = &mbox_drop);
