/*
 * mbox_purge.c - purge = lazy: when is it time to give the space back?
 *
 * Runs in: the session, as the user, at QUIT; and popperctl recover.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mbox_waste.h"

#define LEAST ((uint64_t)1 << 20) /* octets of waste that are worth a purge */
#define NIGHTS 7 /* that may be missed */

bool
mbox_purge_hours(const char *text, unsigned *first, unsigned *end)
{
	unsigned *const out[] = { first, end };
	size_t i;

	for (i = 0; i < 2; i++) {
		if (*text < '0' || *text > '9')
			return false;
		*out[i] = (unsigned)(*text++ - '0');
		if (*text >= '0' && *text <= '9')
			*out[i] = *out[i] * 10 + (unsigned)(*text++ - '0');
		if (*out[i] > 24 || *text != (i == 0 ? '-' : '\0'))
			return false;
		text++;
	}
	return *first % 24 != *end % 24;
}

int
mbox_configured(
    const struct popper_host *h, const void *conf, struct popper_error *e)
{
	const struct mbox_conf *c = conf;
	unsigned first, end;

	if (*c->purge_time == '\0' ||
	    mbox_purge_hours(c->purge_time, &first, &end))
		return 0;
	return h->fail(e, POPPER_PERMANENT,
	    "drop mbox: purge-time = \"%s\" in modules.conf: must be two hours "
	    "of the day, as 2-5, or empty",
	    c->purge_time);
}

/* Local time; the zone was read before the session was shut off. */
static bool
is_night(const struct mbox *m)
{
	unsigned first, end, hour;
	struct timespec now;
	struct tm tm;

	if (!mbox_purge_hours(m->conf->purge_time, &first, &end) ||
	    clock_gettime(CLOCK_REALTIME, &now) == -1 ||
	    localtime_r(&now.tv_sec, &tm) == NULL)
		return false;
	hour = (unsigned)tm.tm_hour;
	return first < end ? hour >= first && hour < end
			   : hour >= first || hour < end;
}

/* Who is never there at night gives space back after a week. */
static bool
has_waited(const struct mbox *m)
{
	struct timespec now;

	return m->waste != NULL && *m->conf->purge_time != '\0' &&
	    clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    m->waste->since < now.tv_sec - (int64_t)NIGHTS * 86400;
}

static bool
is_worth_it(const struct mbox *m, uint64_t waste)
{
	return strcmp(m->conf->purge, "lazy") != 0 ||
	    (waste >= LEAST && waste > m->index.size / 2) || is_night(m) ||
	    has_waited(m);
}

bool
mbox_purge_is_overdue(const struct mbox *m)
{
	return m->writable && is_worth_it(m, m->waste->octets);
}

bool
mbox_purge_is_due(const struct mbox *m, const struct popper_changes *c)
{
	const struct mbox_index *x = &m->index;
	uint64_t waste = 0;
	bool at_end = true; /* all behind the first one goes, too */
	size_t i;

	for (i = 0; i < c->count; i++)
		if ((c->marks[i] & POPPER_MARK_DELETED) != 0)
			waste += mbox_region_end(x, i + m->internal) -
			    x->records[i + m->internal].offset;
		else if (waste > 0)
			at_end = false;
	if (waste == 0)
		return false;
	return at_end || m->conf->update_status_headers || !m->writable ||
	    is_worth_it(m, waste);
}
