/*
 * mbox_changed.c - warn when messages have other unique-ids than before.
 *
 * Runs in: the session, as the user, when unique-ids were computed and an index
 * of the last session is still there.
 *
 * Clients download a message again if its id is another one, so many that
 * changed are a mistake that somebody should hear of at once: unique-id was
 * set to another server, or a program has rewritten the mail.  A message is
 * taken for the same if size and beginning are the same; where several are
 * alike and not as many as there were, nothing is concluded.
 */
#include <stdlib.h>
#include <string.h>

#include "mbox_foreign.h"
#include "mbox_index.h"

#define SHARE 10 /* one of so many may change and nobody hears of it */

/* A message, to be found among others. */
struct seen {
	uint64_t octets;
	uint32_t head_sum, at; /* number of the message */
};

struct side {
	struct seen *list;
	size_t count;
	const struct mbox_uid *uids;
	const struct mbox_texts *texts;
};

static int
compare(const void *va, const void *vb)
{
	const struct seen *a = va, *b = vb;

	if (a->octets != b->octets)
		return a->octets < b->octets ? -1 : 1;
	if (a->head_sum != b->head_sum)
		return a->head_sum < b->head_sum ? -1 : 1;
	return 0;
}

static int
compare_all(const void *va, const void *vb)
{
	const struct seen *a = va, *b = vb;
	int order = compare(a, b);

	return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static bool
gather(struct side *s, const struct mbox_record *records, size_t count)
{
	size_t i;

	if ((s->list = calloc(count + 1, sizeof(*s->list))) == NULL)
		return false;
	s->count = count;
	for (i = 0; i < count; i++)
		s->list[i] = (struct seen){ .octets = records[i].octets,
			.head_sum = records[i].head_sum,
			.at = (uint32_t)i };
	qsort(s->list, count, sizeof(*s->list), compare_all);
	return true;
}

/* How many are like the one at ${i}? */
static size_t
run(const struct side *s, size_t i)
{
	size_t n = 1;

	while (i + n < s->count && compare(&s->list[i], &s->list[i + n]) == 0)
		n++;
	return n;
}

static bool
has_same_id(const struct side *a, size_t i, const struct side *b, size_t k)
{
	char one[POPPER_UID_MAX + 1], other[POPPER_UID_MAX + 1];

	mbox_uid_string(a->texts, &a->uids[a->list[i].at], one);
	mbox_uid_string(b->texts, &b->uids[b->list[k].at], other);
	return strcmp(one, other) == 0;
}

/* How many messages are on both sides and have two ids? */
static size_t
count_changed(const struct side *a, const struct side *b)
{
	size_t i = 0, k = 0, n, j, changed = 0;
	int order;

	while (i < a->count && k < b->count) {
		order = compare(&a->list[i], &b->list[k]);
		n = order == 0 && run(a, i) == run(b, k) ? run(a, i) : 0;
		for (j = 0; j < n; j++)
			changed += !has_same_id(a, i + j, b, k + j);
		if (order <= 0)
			i += run(a, i);
		if (order >= 0)
			k += run(b, k);
	}
	return changed;
}

static const char *
scheme_name(uint32_t scheme)
{
	static const char *const names[] = { [MBOX_POPPER] = "popper",
		[MBOX_QPOPPER] = "qpopper",
		[MBOX_QPOPPER_OLD] = "qpopper with old-style-uid",
		[MBOX_POPA3D] = "popa3d",
		[MBOX_SOLID] = "solid",
		[MBOX_TPOP3D] = "tpop3d",
		[MBOX_IMAP_UV] = "dovecot",
		[MBOX_IMAP_VU] = "uw, or dovecot of that format",
		[MBOX_IMAP_DOT] = "dovecot with another format",
		[MBOX_IMAP_DASH] = "dovecot with another format",
		[MBOX_IMAP_UID] = "dovecot with another format" };

	return scheme < sizeof(names) / sizeof(*names) ? names[scheme]
						       : "unknown";
}

static void
warn(const struct mbox *m, uint32_t scheme, size_t all, size_t changed)
{
	if (scheme != (uint32_t)m->scheme)
		m->host->log(POPPER_LOG_WARNING,
		    "%s: %zu of %zu messages of %s have other unique-ids than "
		    "in the last session, clients will download them again: "
		    "option unique-id was %s then; set it back if that is "
		    "not wanted",
		    m->path, changed, all, m->user, scheme_name(scheme));
	else
		m->host->log(POPPER_LOG_WARNING,
		    "%s: %zu of %zu messages of %s have other unique-ids than "
		    "in the last session, clients will download them again: "
		    "their headers, or the state folder, were changed; an "
		    "older list can be imported (popperctl uidl import)",
		    m->path, changed, all, m->user);
}

void
mbox_warn_changed(const struct mbox *m)
{
	struct mbox_kept *kept = mbox_kept_open(m);
	struct mbox_texts texts = { .len = 0 };
	struct side old = { .texts = &texts },
		    now = { .uids = m->uids, .texts = &m->texts };
	struct mbox_record *records = NULL;
	struct mbox_uid *uids = NULL;
	size_t internal, changed;

	if (kept == NULL || kept->head.with_uids == 0)
		goto out;
	internal = kept->head.internal;
	records = mbox_kept_records(kept);
	uids = mbox_kept_uids(kept, &texts);
	if (records == NULL || uids == NULL ||
	    !gather(&old, records + internal,
		(size_t)kept->head.count - internal) ||
	    !gather(&now, m->index.records + m->internal,
		m->index.count - m->internal))
		goto out;
	old.uids = uids;
	changed = count_changed(&old, &now);
	if (changed > old.count / SHARE)
		warn(m, kept->head.scheme, old.count, changed);
out:
	free(old.list);
	free(now.list);
	free(records);
	free(uids);
	free(texts.ptr);
	mbox_kept_close(kept);
}
