/*
 * maildir_find.c - find a message again that another program renamed.
 *
 * Runs in: popper-session, as the user.
 *
 * A base never changes and, by the rules of Maildir, is there once.  Where a
 * program broke off between link and unlink it is there twice: then the inode
 * decides, and a file that is another message of the snapshot is never taken.
 */
#include <string.h>

#include "maildir.h"

static bool
same_file(const struct maildir *m, const struct maildir_record *ours,
    const struct maildir_record *fresh)
{
	return maildir_where(ours) == maildir_where(fresh) &&
	    strcmp(maildir_name(&m->list, ours),
		maildir_name(&m->fresh, fresh)) == 0;
}

/*
 * May the file ${fresh} be message ${record}, which has ${twins} others of the
 * same base in the snapshot?  Not if it is one of them.
 */
static bool
may_be(const struct maildir *m, const struct maildir_record *record,
    const struct maildir_record *fresh, bool *twins)
{
	size_t i = maildir_first_at(&m->list, maildir_base(&m->list, record));
	const struct maildir_record *other;

	for (*twins = false; i < m->list.count; i++) {
		other = &m->list.records[i];
		if (maildir_compare_octets(maildir_base(&m->list, other),
			maildir_base(&m->list, record)) != 0)
			break;
		if (other == record)
			continue;
		*twins = true;
		if (same_file(m, other, fresh))
			return false;
	}
	return true;
}

/* The file that is now message ${record}, or NULL. */
static struct maildir_record *
find_fresh(const struct maildir *m, const struct maildir_record *record)
{
	struct popper_slice base = maildir_base(&m->list, record);
	struct maildir_record *fresh, *found = NULL;
	size_t i = maildir_first_at(&m->fresh, base);
	bool twins;

	for (; i < m->fresh.count; i++) {
		fresh = &m->fresh.records[i];
		if (maildir_compare_octets(
			maildir_base(&m->fresh, fresh), base) != 0)
			break;
		if (!may_be(m, record, fresh, &twins))
			continue;
		if (fresh->inode == record->inode)
			return fresh;
		if (!twins)
			found = fresh;
	}
	return found;
}

static int
look_again(struct maildir *m, struct popper_error *error)
{
	maildir_list_free(&m->fresh);
	return maildir_scan(m, &m->fresh, false, error);
}

int
maildir_refind(struct maildir *m, struct maildir_record *record,
    struct popper_error *error)
{
	struct maildir_record *found;

	if (m->fresh.records == NULL && look_again(m, error) == -1)
		return -1;
	found = find_fresh(m, record);
	if (found != NULL && same_file(m, record, found)) {
		/* That listing is older than the rename. */
		if (look_again(m, error) == -1)
			return -1;
		found = find_fresh(m, record);
	}
	if (found == NULL)
		return 0;
	if (maildir_set_name(&m->list, record, maildir_name(&m->fresh, found),
		maildir_where(found)) == -1)
		return m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s", m->path);
	return 1;
}
