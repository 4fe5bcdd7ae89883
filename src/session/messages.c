/*
 * messages.c - numbers, sizes and deletion marks of one session.
 *
 * Runs in: a session, as the user.
 */
#include "session/messages.h"

#include <stdlib.h>
#include <string.h>

#include <popper/bulk.h>

#include "base/error.h"
#include "base/number.h"
#include "base/text.h"
#include "proto/language.h"

int
messages_start(
    struct messages *m, const struct maildrop *maildrop, struct popper_error *e)
{
	*m = (struct messages){ .maildrop = maildrop };
	m->marks = calloc(maildrop->count + 1, 1);
	if (m->marks == NULL)
		return error_system(e, POPPER_TEMPORARY, "deletion marks");
	return 0;
}

void
messages_free(struct messages *m)
{
	free(m->marks);
	free(m->fetched);
	m->marks = NULL;
	m->fetched = NULL;
}

int
messages_pick(const struct messages *m, struct popper_slice word, size_t *i,
    struct popper_error *e)
{
	uint64_t n;

	if (!number_parse(word, m->maildrop->count, &n) || n == 0) {
		error_set(e, POPPER_INVALID, "no such message");
		text_copy(e->reply, sizeof(e->reply), N_("no such message"));
		return -1;
	}
	*i = (size_t)n - 1;
	if (!messages_is_deleted(m, *i))
		return 0;
	error_set(e, POPPER_INVALID, "a deleted message");
	text_copy(e->reply, sizeof(e->reply), N_("this message is deleted"));
	return -1;
}

bool
messages_is_deleted(const struct messages *m, size_t i)
{
	return (m->marks[i] & POPPER_MARK_DELETED) != 0;
}

static void
raise_highest(struct messages *m, size_t i)
{
	if (m->highest < i + 1)
		m->highest = i + 1;
}

void
messages_delete(struct messages *m, size_t i)
{
	struct popper_error e;
	uint64_t octets;

	if (!messages_is_deleted(m, i)) {
		m->deleted++;
		/* It was counted, so its size is known.  A driver that was
		 * told a wrong total is not believed twice. */
		if (m->counted && messages_octets(m, i, &octets, &e) == 0 &&
		    octets <= m->octets)
			m->octets -= octets;
		else
			m->counted = false;
	}
	m->marks[i] |= POPPER_MARK_DELETED;
	m->marked = true;
	raise_highest(m, i);
}

void
messages_touch(struct messages *m, size_t i)
{
	m->marks[i] |= POPPER_MARK_SEEN;
	m->marked = true;
	raise_highest(m, i);
}

void
messages_reset(struct messages *m)
{
	for (size_t i = 0; i < m->maildrop->count; i++)
		m->marks[i] &= (unsigned char)~POPPER_MARK_DELETED;
	if (m->fetched != NULL)
		memset(m->fetched, 0, m->maildrop->count * sizeof(*m->fetched));
	m->deleted = 0;
	m->counted = false;
	m->highest = 0;
}

int
messages_watch(struct messages *m, struct popper_error *e)
{
	m->fetched = calloc(m->maildrop->count + 1, sizeof(*m->fetched));
	if (m->fetched == NULL)
		return error_system(e, POPPER_TEMPORARY, "retrieval marks");
	return 0;
}

void
messages_fetched(struct messages *m, size_t i, uint64_t heard)
{
	if (m->fetched != NULL)
		m->fetched[i] = heard + 1;
}

size_t
messages_delete_fetched(struct messages *m, uint64_t heard)
{
	size_t before = m->deleted;

	for (size_t i = 0; m->fetched != NULL && i < m->maildrop->count; i++)
		if (m->fetched[i] != 0 && heard >= m->fetched[i])
			messages_delete(m, i);
	return m->deleted - before;
}

static int
describe(const struct messages *m, size_t i, unsigned want,
    struct popper_message *out, struct popper_error *e)
{
	return m->maildrop->driver->describe(
	    m->maildrop->self, i, want, out, e);
}

int
messages_octets(const struct messages *m, size_t i, uint64_t *octets,
    struct popper_error *e)
{
	struct popper_message d;

	d.octets = 0;
	if (describe(m, i, POPPER_WANT_OCTETS, &d, e) == -1)
		return -1;
	*octets = d.octets;
	return 0;
}

int
messages_uid(const struct messages *m, size_t i, char uid[POPPER_UID_MAX + 1],
    struct popper_error *e)
{
	struct popper_message d;

	d.uid[0] = '\0';
	if (describe(m, i, POPPER_WANT_UID, &d, e) == -1)
		return -1;
	memcpy(uid, d.uid, sizeof(d.uid));
	uid[POPPER_UID_MAX] = '\0';
	return messages_uid_check(i, popper_slice_text(uid), e);
}

int
messages_uid_check(size_t i, struct popper_slice uid, struct popper_error *e)
{
	if (uid.len <= POPPER_UID_MAX && text_is_visible(uid))
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "the drop module gave message %zu no proper unique-id", i + 1);
}

int
messages_list(const struct messages *m, unsigned want,
    struct popper_lister *lister, struct popper_error *e)
{
	const struct maildrop *drop = m->maildrop;

	return popper_drop_list(drop->driver, drop->self, want, lister, e);
}

/* The octets of all messages that are, or are not, marked deleted. */
static int
add_up(const struct messages *m, bool deleted, uint64_t *octets,
    struct popper_error *e)
{
	const struct maildrop *drop = m->maildrop;
	uint64_t one;

	if (!deleted && m->deleted == 0)
		return popper_drop_total(drop->driver, drop->self, octets, e);
	*octets = 0;
	for (size_t i = 0; i < drop->count; i++) {
		if (messages_is_deleted(m, i) != deleted)
			continue;
		if (messages_octets(m, i, &one, e) == -1)
			return -1;
		*octets += one;
	}
	return 0;
}

bool
messages_are_measured(const struct messages *m)
{
	const struct maildrop *drop = m->maildrop;

	return m->counted || popper_drop_is_measured(drop->driver, drop->self);
}

int
messages_total(struct messages *m, bool deleted, size_t *count,
    uint64_t *octets, struct popper_error *e)
{
	*count = deleted ? m->deleted : m->maildrop->count - m->deleted;
	*octets = 0;
	if (deleted)
		return *count == 0 ? 0 : add_up(m, true, octets, e);
	if (!m->counted && add_up(m, false, &m->octets, e) == -1)
		return -1;
	m->counted = true;
	*octets = m->octets;
	return 0;
}
