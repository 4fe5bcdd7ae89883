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
static void
evade(char uid[POPPER_UID_MAX + 1])
{
	const char *name = uid + strspn(uid, "~");
	size_t len = strlen(uid);

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
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

static int
describe(void *self, size_t i, unsigned want, struct popper_message *m,
    struct popper_error *e)
{
	struct bulletins *b = self;
	const struct bulletins_shown *s;

	if (i < b->inner_count)
		return describe_inner(b, i, want, m, e);
	s = &b->shown[i - b->inner_count];
	if (want & POPPER_WANT_OCTETS)
		m->octets = s->octets;
	if (want & POPPER_WANT_UID)
		(void)snprintf(m->uid, sizeof(m->uid),
		    PREFIX "%" PRId64 "-%016" PRIx64, s->entry->number,
		    bulletins_tag(s->entry->name));
	if (want & POPPER_WANT_FLAGS)
		m->flags = 0;
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

/* wrap makes the instance: there is no open. */
const struct popper_drop bulletins_drop = {
	.size = sizeof(struct popper_drop),
	.count = count,
	.describe = describe,
	.read = read_message,
	.commit = commit,
	.close = close_both,
	.lease = lease,
};
