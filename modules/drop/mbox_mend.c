/*
 * mbox_mend.c - popperctl recover: put right what a crash left.
 *
 * Runs in: popperctl's child, as the user; the session lock is held.
 *
 * Open does all of it, so what is told is what was there before, and whether it
 * is there afterwards.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "mbox_backup.h"
#include "mbox_journal.h"
#include "mbox_rewrite.h"
#include "mbox_trash.h"
#include "tell.h"

/* What may lie in the state folder, and what was done about it. */
static const struct leftover {
	const char *name, *told;
} leftovers[] = {
	{ MBOX_JOURNAL, "finished a removal of messages that was interrupted" },
	{ MBOX_BACKUP,
	    "finished or undid a removal of messages, begun by an earlier "
	    "version, that was interrupted" },
	{ MBOX_REWRITE,
	    "finished or undid a rewriting of the mbox that was interrupted" },
	{ MBOX_TRASH_NOTE,
	    "settled what became of messages on their way to the trash or "
	    "back" },
};

#define LEFTOVERS (sizeof(leftovers) / sizeof(*leftovers))

static bool
exists(int folder, const char *name)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size > 0;
}

/* Mail that a crash of Qpopper left; its path, or "". */
static int
find_remains(const struct popper_host *host, const void *conf,
    const struct popper_place *place, char *path, struct popper_error *e)
{
	int i, found;

	for (i = 0;
	     (found = mbox_remains_path(host, conf, place, i, path, e)) == 1;
	     i++)
		if (exists(AT_FDCWD, path))
			return 0;
	*path = '\0';
	return found;
}

int
mbox_mend(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *e)
{
	char remains[POPPER_PATH_MAX + 1];
	bool was[LEFTOVERS];
	int said = 0, failed = 0;
	void *self;
	size_t i;

	for (i = 0; i < LEFTOVERS; i++)
		was[i] = exists(place->state, leftovers[i].name);
	if (find_remains(host, conf, place, remains, e) == -1 ||
	    mbox_open(host, conf, place, &self, e) == -1)
		return -1;
	for (i = 0; i < LEFTOVERS; i++)
		if (was[i] && !exists(place->state, leftovers[i].name)) {
			failed |= say(sink, "%s", leftovers[i].told);
			said++;
		}
	if (*remains != '\0') {
		failed |= say(sink,
		    exists(AT_FDCWD, remains)
			? "left %s as it is; the log has the reason"
			: "took back the mail in %s",
		    remains);
		said++;
	}
	if (said == 0)
		failed |= say(sink, "nothing to do");
	mbox_close(self);
	return failed == 0
	    ? 0
	    : host->fail(e, POPPER_TEMPORARY, "the lines were not taken");
}
