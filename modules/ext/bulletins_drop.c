/*
 * bulletins_drop.c - the maildrop with bulletins behind the mail.
 *
 * Runs in: the session, as the user.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <popper/bulk.h>

#include "bulletins.h"

#define PREFIX "bulletin-"
#define EVASION '~'

static size_t
count(const void *self)
{
	const struct bulletins *b = self;

	return b->inner_count + b->count;
}

/*
 * A sender may choose the unique-id of a message, where X-UIDL is taken over.
 * One that looks like a bulletin's gets a mark in front, so that nobody can
 * make a client believe that it has a bulletin.
 */
static bool
is_like_ours(struct popper_slice uid)
{
	while (uid.len > 0 && uid.ptr[0] == EVASION)
		uid = popper_slice(uid.ptr + 1, uid.len - 1);
	return uid.len >= strlen(PREFIX) &&
	    memcmp(uid.ptr, PREFIX, strlen(PREFIX)) == 0;
}

static void
evade(char uid[POPPER_UID_MAX + 1])
{
	size_t len = strlen(uid);

	if (!is_like_ours(popper_slice(uid, len)))
		return;
	if (len == POPPER_UID_MAX)
		len--;
	memmove(uid + 1, uid, len);
	uid[0] = EVASION;
	uid[len + 1] = '\0';
}

static int
describe_inner(struct bulletins *b, size_t i, unsigned want,
    struct popper_message *m, struct popper_error *e)
{
	if (b->inner->describe(b->inner_self, i, want, m, e) == -1)
		return -1;
	if (want & POPPER_WANT_UID)
		evade(m->uid);
	return 0;
}

static void
describe_shown(
    const struct bulletins_shown *s, unsigned want, struct popper_message *m)
{
	if (want & POPPER_WANT_OCTETS)
		m->octets = s->octets;
	if (want & POPPER_WANT_UID)
		(void)snprintf(m->uid, sizeof(m->uid),
		    PREFIX "%" PRId64 "-%016" PRIx64, s->entry->number,
		    bulletins_tag(s->entry->name));
	if (want & POPPER_WANT_FLAGS)
		m->flags = 0;
}

static int
describe(void *self, size_t i, unsigned want, struct popper_message *m,
    struct popper_error *e)
{
	struct bulletins *b = self;

	if (i < b->inner_count)
		return describe_inner(b, i, want, m, e);
	describe_shown(&b->shown[i - b->inner_count], want, m);
	return 0;
}

/* --- All of them at once: what the drop behind can, we can. --- */

static int
total(void *self, uint64_t *octets, struct popper_error *e)
{
	const struct bulletins *b = self;

	if (popper_drop_total(b->inner, b->inner_self, octets, e) == -1)
		return -1;
	for (size_t i = 0; i < b->count; i++)
		*octets += b->shown[i].octets;
	return 0;
}

/* Those of bulletins were measured at the login. */
static bool
is_measured(const void *self)
{
	const struct bulletins *b = self;

	return popper_drop_is_measured(b->inner, b->inner_self);
}

/* Stands between the drop behind and who wants the list. */
struct between {
	struct popper_lister lister;
	struct popper_lister *next;
	bool enough;
};

static int __attribute__((noinline))
put_evading(struct popper_lister *next, size_t i, struct popper_slice uid)
{
	char copy[POPPER_UID_MAX + 1];

	memcpy(copy, uid.ptr, uid.len);
	copy[uid.len] = '\0';
	evade(copy);
	return next->put(next, i, 0, popper_slice_text(copy));
}

static int
put_octets(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct between *l = (struct between *)lister;
	int said = l->next->put(l->next, i, octets, uid);

	l->enough = said != 0;
	return said;
}

static int
put_uid(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct between *l = (struct between *)lister;
	int said;

	/* What is too long for a unique-id is not ours to mend. */
	if (is_like_ours(uid) && uid.len <= POPPER_UID_MAX)
		said = put_evading(l->next, i, uid);
	else
		said = l->next->put(l->next, i, octets, uid);
	l->enough = said != 0;
	return said;
}

static int
list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *e)
{
	struct bulletins *b = self;
	struct between l = { .next = lister };
	struct popper_message m = { .octets = 0 };

	if (b->count == 0 && want == POPPER_WANT_OCTETS)
		return popper_drop_list(
		    b->inner, b->inner_self, want, lister, e);
	l.lister.put = want == POPPER_WANT_UID ? put_uid : put_octets;
	if (popper_drop_list(b->inner, b->inner_self, want, &l.lister, e) == -1)
		return -1;
	for (size_t i = 0; i < b->count && !l.enough; i++) {
		describe_shown(&b->shown[i], want, &m);
		l.enough = lister->put(lister, b->inner_count + i, m.octets,
			       popper_slice_text(m.uid)) != 0;
	}
	return 0;
}

static int
read_message(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *e)
{
	struct bulletins *b = self;

	if (i < b->inner_count)
		return b->inner->read(b->inner_self, i, offset, sink, e);
	return bulletins_pour(
	    b, &b->shown[i - b->inner_count], offset, sink, e);
}

static int
top(void *self, size_t i, uint64_t lines, struct popper_sink *sink,
    struct popper_error *e)
{
	struct bulletins *b = self;

	if (i < b->inner_count)
		return popper_drop_top(
		    b->inner, b->inner_self, i, lines, sink, e);
	return read_message(b, i, 0, sink, e);
}

/* Does the list's entry ${h} stay, given the marks of what was shown? */
static bool
stays(const struct bulletins *b, const struct bulletins_held *h,
    const unsigned char *marks)
{
	bool there = false;
	const struct bulletins_entry *entry;

	for (size_t i = 0; i < b->count; i++) {
		entry = b->shown[i].entry;
		if (entry->number == h->number &&
		    bulletins_tag(entry->name) == h->tag)
			return (marks[i] & POPPER_MARK_DELETED) == 0;
	}
	/* Not shown: withdrawn, or it could not be read this time. */
	for (size_t i = 0; i < b->folder.count && !there; i++) {
		entry = &b->folder.entries[i];
		there = entry->number == h->number &&
		    bulletins_tag(entry->name) == h->tag;
	}
	return there;
}

static bool
any_mark(const unsigned char *marks, size_t n, unsigned char which)
{
	for (size_t i = 0; i < n; i++)
		if (marks[i] & which)
			return true;
	return false;
}

/* What is left of the list once the marked ones are gone; -1: no memory. */
static int
left_over(const struct bulletins *b, const unsigned char *marks,
    struct bulletins_list *out, struct popper_error *e)
{
	*out = b->list;
	out->held = calloc(b->list.count + 1, sizeof(*out->held));
	out->count = 0;
	if (out->held == NULL)
		return b->host->fail_system(
		    e, POPPER_TEMPORARY, "list of bulletins");
	for (size_t i = 0; i < b->list.count; i++)
		if (stays(b, &b->list.held[i], marks))
			out->held[out->count++] = b->list.held[i];
	return 0;
}

static enum popper_outcome
commit_inner(
    struct bulletins *b, const struct popper_changes *c, struct popper_error *e)
{
	struct popper_changes inner = *c;

	inner.count = b->inner_count;
	if (!any_mark(c->marks, inner.count, UINT8_MAX))
		return POPPER_DONE;
	return b->inner->commit(b->inner_self, &inner, e);
}

/*
 * What remains to be shown is written beside the list in use first, since that
 * may fail; then the mail goes; then the list is replaced by a rename, which
 * hardly can.
 */
static enum popper_outcome
commit_both(
    struct bulletins *b, const struct popper_changes *c, struct popper_error *e)
{
	struct bulletins_list l;
	enum popper_outcome o;

	if (left_over(b, c->marks + b->inner_count, &l, e) == -1)
		return POPPER_NOT_DONE;
	o = POPPER_NOT_DONE;
	if (bulletins_list_prepare(b, &l, e) == 0)
		o = commit_inner(b, c, e);
	if (o == POPPER_DONE && bulletins_list_adopt(b, e) == -1)
		o = POPPER_UNKNOWN;
	if (o == POPPER_DONE && b->advance) {
		struct popper_error late;

		/* The login could not; if this cannot either, the list has
		 * what is needed. */
		(void)bulletins_settle(b, &l, &late);
	}
	free(l.held);
	return o;
}

static enum popper_outcome
commit(void *self, const struct popper_changes *c, struct popper_error *e)
{
	struct bulletins *b = self;

	assert(c->count == b->inner_count + b->count);
	if (!any_mark(c->marks + b->inner_count, b->count, POPPER_MARK_DELETED))
		return commit_inner(b, c, e);
	return commit_both(b, c, e);
}

static void
close_both(void *self)
{
	struct bulletins *b = self;

	if (b != NULL && b->inner != NULL)
		b->inner->close(b->inner_self);
	if (b != NULL)
		b->inner = NULL; /* the rest is freed by stop */
}

static int
lease(void *self, struct popper_error *e)
{
	struct bulletins *b = self;

	return b->inner->lease == NULL ? 0 : b->inner->lease(b->inner_self, e);
}

static int
tidy(void *self, struct popper_error *e)
{
	struct bulletins *b = self;

	return popper_drop_tidy(b->inner, b->inner_self, e);
}

/* wrap makes the instance: there is no open. */
const struct popper_drop bulletins_drop = {
	.size = sizeof(struct popper_drop),
	.count = count,
	.describe = describe,
	.read = read_message,
	.commit = commit,
	.close = close_both,
	.lease = lease,
	.total = total,
	.list = list,
	.is_measured = is_measured,
	.top = top,
	.tidy = tidy,
};
