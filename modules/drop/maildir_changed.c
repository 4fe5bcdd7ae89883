/*
 * maildir_changed.c - warn when messages have other unique-ids than before.
 *
 * Runs in: popper-session, as the user, when unique-ids are looked for.
 *
 * Clients download a message again if its id is another one, so many that
 * changed are a mistake that somebody should hear of at once.  What is not
 * taken over or imported hangs on file names and on the option unique-id, so it
 * is the option of the last session that is kept, in the file "uids"; there is
 * none while it is popper's own.
 */
#include <string.h>

#include "maildir_foreign.h"
#include "pins.h"

#define SHARE 10 /* one of so many may change and nobody hears of it */

/* The id of message ${i} by ${scheme}, if it has none that was kept. */
static void
id_by(const struct maildir *m, const char *scheme, size_t i,
    char uid[POPPER_UID_MAX + 1])
{
	struct popper_slice base = maildir_base(&m->list, &m->list.records[i]);

	if (!maildir_foreign_name(scheme, base, uid) || *uid == '\0')
		maildir_native_uid(m, i, uid);
}

static size_t
count_changed(
    const struct maildir *m, const char *was, const unsigned char *kept)
{
	char before[POPPER_UID_MAX + 1], now[POPPER_UID_MAX + 1];
	size_t i, changed = 0;

	for (i = 0; i < m->list.count; i++) {
		if (kept != NULL && kept[i] != 0)
			continue;
		id_by(m, was, i, before);
		id_by(m, m->conf->unique_id, i, now);
		changed += strcmp(before, now) != 0;
	}
	return changed;
}

static void
warn(const struct maildir *m, const char *was, const unsigned char *kept)
{
	size_t changed = count_changed(m, was, kept);

	if (changed > m->list.count / SHARE)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: %zu of %zu messages have other unique-ids "
		    "than in the last session, clients will download them "
		    "again: option unique-id was %s then; set it back if that "
		    "is not wanted",
		    m->path, changed, m->list.count, was);
}

void
maildir_note_scheme(
    const struct maildir *m, struct pins *pins, const unsigned char *kept)
{
	const char *now = m->conf->unique_id, *was = pins->scheme;
	struct stat st;

	if (strcmp(now, "native") == 0)
		now = "popper";
	if (*was == '\0')
		was = "popper";
	if (m->looking || m->state == -1 || strcmp(now, was) == 0)
		return;
	/* No scheme and no index: it is the first session of all, as it seems,
	 * and the option is what the old server was. */
	if (*pins->scheme != '\0' ||
	    fstatat(m->state, "maildir.index", &st, AT_SYMLINK_NOFOLLOW) == 0)
		warn(m, was, kept);
	(void)pins_set_scheme(pins, strcmp(now, "popper") == 0 ? "" : now);
	if (pins_write(pins, m->state) == -1)
		m->host->log(POPPER_LOG_WARNING,
		    "maildir %s: cannot write the state file " PINS_FILE
		    ": %s; a change of unique-id will not be noticed",
		    m->path, strerror(errno));
}
