/*
 * mbox_mend.c - popperctl recover: put right what a crash left.
 *
 * Runs in: popperctl's child, as the user; the session lock is held.
 *
 * Open does all of it, so what is told is what was there before, and whether it
 * is there afterwards.  What is noted as gone (purge = lazy) is removed if that
 * is due, as at a QUIT.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "mbox_backup.h"
#include "mbox_journal.h"
#include "mbox_rewrite.h"
#include "mbox_trash.h"
#include "mbox_waste.h"
#include "tell.h"

/* What may lie in the state folder, what it is, and what was done about it. */
static const struct leftover {
	const char *name, *what, *told;
} leftovers[] = {
	{ MBOX_JOURNAL, "an interrupted removal",
	    "finished a removal of messages that was interrupted" },
	{ MBOX_BACKUP, "an interrupted removal of an earlier version",
	    "finished or undid a removal of messages, begun by an earlier "
	    "version, that was interrupted" },
	{ MBOX_REWRITE, "an interrupted rewriting",
	    "finished or undid a rewriting of the mbox that was interrupted" },
	{ MBOX_TRASH_NOTE, "something on its way to the trash or back",
	    "settled what became of messages on their way to the trash or "
	    "back" },
};

#define LEFTOVERS (sizeof(leftovers) / sizeof(*leftovers))

static bool
exists(int folder, const char *name, off_t least)
{
	struct stat st;

	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size >= least;
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
		if (exists(AT_FDCWD, path, 1))
			return 0;
	*path = '\0';
	return found;
}

/* Give space back, if that is due.  How many lines were said, or -1. */
static int
purge(struct mbox *m, struct popper_sink *sink, struct popper_error *e)
{
	size_t count = m->waste == NULL ? 0 : m->waste->count;

	if (count == 0)
		return 0;
	if (mbox_view_tidy(m, e) == -1)
		return -1;
	if (exists(m->state, MBOX_WASTE, 0))
		return 0;
	if (say(sink,
		"removed %zu deleted message%s from the mbox (purge = lazy)",
		count, count == 1 ? "" : "s") == 0)
		return 1;
	return m->host->fail(e, POPPER_TEMPORARY, "the lines were not taken");
}

int
mbox_waiting(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *e)
{
	char remains[POPPER_PATH_MAX + 1];
	int failed = 0, count = 0;
	size_t i;

	if (find_remains(host, conf, place, remains, e) == -1)
		return -1;
	/* An empty one is dealt with at open, too. */
	for (i = 0; i < LEFTOVERS; i++)
		if (exists(place->state, leftovers[i].name, 0)) {
			failed |= say(sink,
			    "%s is waiting: popperctl recover sees to it",
			    leftovers[i].what);
			count++;
		}
	if (*remains != '\0') {
		failed |= say(sink,
		    "mail that was left in %s is waiting: popperctl recover "
		    "sees to it",
		    remains);
		count++;
	}
	return failed == 0
	    ? count
	    : host->fail(e, POPPER_TEMPORARY, "the lines were not taken");
}

int
mbox_mend(const struct popper_host *host, const void *conf,
    const struct popper_place *place, struct popper_sink *sink,
    struct popper_error *e)
{
	char remains[POPPER_PATH_MAX + 1];
	bool was[LEFTOVERS];
	int said, failed = 0;
	void *self;
	size_t i;

	for (i = 0; i < LEFTOVERS; i++)
		was[i] = exists(place->state, leftovers[i].name, 1);
	if (find_remains(host, conf, place, remains, e) == -1 ||
	    mbox_open(host, conf, place, &self, e) == -1)
		return -1;
	if ((said = purge(self, sink, e)) == -1) {
		mbox_close(self);
		return -1;
	}
	for (i = 0; i < LEFTOVERS; i++)
		if (was[i] && !exists(place->state, leftovers[i].name, 1)) {
			failed |= say(sink, "%s", leftovers[i].told);
			said++;
		}
	if (*remains != '\0') {
		failed |= say(sink,
		    exists(AT_FDCWD, remains, 1)
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
