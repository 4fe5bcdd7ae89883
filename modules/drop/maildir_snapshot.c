/*
 * maildir_snapshot.c - the messages of a session: from the index if nothing has
 * changed since it was written, else from the folders.
 *
 * Runs in: popper-session, as the user, with the Maildir locked.
 */
#include <string.h>
#include <sys/stat.h>

#include "maildir.h"

/* Has nothing changed since an earlier session kept the index? */
static bool
is_known(const struct maildir *m)
{
	struct stat st;

	for (int i = 0; i < MAILDIR_FOLDERS; i++)
		if (m->sub[i] == -1 || fstat(m->sub[i], &st) == -1 ||
		    !maildir_index_knows(m, (enum maildir_folder)i, &st))
			return false;
	return true;
}

/* The index is the snapshot; its head is all that is read now. */
static void
take_index(struct maildir *m)
{
	memcpy(m->changed, m->index.changed, sizeof(m->changed));
	m->totals = m->index.totals;
	m->indexed = true;
}

/* All anew, but for the sizes.  Odd entries may have been told. */
static int
scan(struct maildir *m, struct popper_error *error)
{
	if (maildir_scan(m, &m->list, m->odd == 0, error) == -1)
		return -1;
	maildir_index_sizes(m);
	return 0;
}

static int
read_folders(struct maildir *m, struct popper_error *error)
{
	size_t listed;
	int merged = maildir_merge(m, error);

	if (merged == -1 || (merged == 0 && scan(m, error) == -1))
		return -1;
	listed = m->list.count;
	if (maildir_measure_few(m, error) == -1)
		return -1;
	/* What was left out now may be readable the next time. */
	if (m->odd > 0 || m->list.count < listed)
		memset(m->changed, 0, sizeof(m->changed));
	maildir_add_up(&m->list, &m->totals);
	m->listed = true;
	return 0;
}

int
maildir_snapshot(struct maildir *m, struct popper_error *error)
{
	int result;

	maildir_index_open(m);
	if (m->index.file != -1 && is_known(m)) {
		take_index(m);
		return 0;
	}
	(void)maildir_index_read(m);
	result = read_folders(m, error);
	maildir_index_free(m);
	if (result == -1)
		return -1;
	if (m->odd > MAILDIR_WARNINGS)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: %u entries are left out in all", m->path,
		    m->odd);
	return 0;
}

/* The index turned out to be damaged behind its head. */
static int
list_again(struct maildir *m, struct popper_error *error)
{
	const uint64_t count = m->totals.count;
	struct timespec was[MAILDIR_FOLDERS]; /* as the index said */
	bool same;

	memcpy(was, m->changed, sizeof(was));
	maildir_index_free(m);
	m->indexed = false;
	if (read_folders(m, error) == -1)
		return -1;
	memcpy(m->index.changed, was, sizeof(was));
	same = is_known(m);
	memset(m->index.changed, 0, sizeof(was));
	/* Who knows unique-ids must not mean another message. */
	if (m->totals.count == count && (same || !m->told))
		return 0;
	maildir_list_free(&m->list);
	m->totals.count = count;
	m->listed = false;
	m->stale_cache = true;
	return m->host->fail(error, POPPER_TEMPORARY,
	    "maildir %s: maildir.index in the state folder is damaged and the "
	    "folders have changed: the next session reads them",
	    m->path);
}

int
maildir_need(struct maildir *m, struct popper_error *error)
{
	if (m->listed)
		return 0;
	if (maildir_index_read(m) == -1)
		return list_again(m, error);
	m->list = m->index.list;
	m->index.list = (struct maildir_list){ .count = 0 };
	m->listed = m->uids_ready = true;
	return 0;
}
