/*
 * bulletins_open.c - which bulletins a user gets, once per login.
 *
 * Runs in: the session, as the user, under the session lock.
 *
 * Nobody is kept from his mail by a bulletin: whatever fails here is told in
 * the log, and he gets less or nothing of them this time.  The exception is a
 * bulldb that cannot be had, if bulldb-nonfatal is off.
 *
 * Order of writing, so that a bulletin is neither missed nor seen again
 * wherever it ends: the list with the new ones and "unstored", the number, the
 * list with "stored".  While it says "unstored", the higher number holds.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "bulletins.h"

static void
tell(const struct bulletins *b, const struct popper_error *e)
{
	b->host->log(POPPER_LOG_WARNING, "bulletins of %s: %s",
	    b->place->identity->user, e->text);
}

static int
write_list(
    struct bulletins *b, struct bulletins_list *l, struct popper_error *e)
{
	if (bulletins_list_prepare(b, l, e) == -1 ||
	    bulletins_list_adopt(b, e) == -1)
		return -1;
	l->known = true;
	b->dirty = false;
	return 0;
}

int
bulletins_settle(
    struct bulletins *b, struct bulletins_list *l, struct popper_error *e)
{
	if (b->dirty || !l->known) {
		l->stored = false;
		if (write_list(b, l, e) == -1)
			return -1;
	}
	if (b->unreachable)
		return 0; /* has been told */
	if (bulletins_number_put(b, l->last, e) == -1)
		return -1;
	if (l->stored)
		return 0;
	l->stored = true;
	return write_list(b, l, e);
}

/* The folder, with what is not for this user marked. */
static int
list_folder(struct bulletins *b, struct popper_error *e)
{
	if (bulletins_folder_open(&b->folder, b->conf->directory) == -1)
		return b->host->fail_system(e, POPPER_TEMPORARY,
		    "%s: not shown (every user must be able to read the "
		    "folder: chmod 755)",
		    b->conf->directory);
	if (b->folder.overlong > 0)
		b->host->log(POPPER_LOG_NOTICE,
		    "bulletins: %s: %zu files with too large numbers",
		    b->conf->directory, b->folder.overlong);
	for (size_t i = 0; b->conf->group_bulletins && i < b->folder.count; i++)
		b->folder.entries[i].hidden =
		    !bulletins_is_for(b->folder.entries[i].name);
	return 0;
}

static int64_t
highest(const struct bulletins *b)
{
	for (size_t i = b->folder.count; i > 0; i--)
		if (!b->folder.entries[i - 1].hidden)
			return b->folder.entries[i - 1].number;
	return 0;
}

/* What the user has had: a number, or that nobody knows him. */
struct had {
	bool fresh; /* a new user */
	bool write; /* the number is not where it should be */
	int64_t last;
};

/* ${found} is what the number's place says. */
static void
weigh(const struct bulletins *b, enum bulletins_found found, int64_t number,
    struct had *h)
{
	const struct bulletins_list *l = &b->list;
	struct popper_error e;

	h->write = found != BULLETINS_NUMBER && !b->unreachable;
	if (found == BULLETINS_NUMBER) {
		h->last = number;
		if (l->known && !l->stored) {
			h->write = true;
			if (l->last > h->last)
				h->last = l->last;
		}
		return;
	}
	if (l->known) {
		h->last = l->last;
		return;
	}
	if (found == BULLETINS_NONE)
		found = bulletins_number_before(b, &number, &e);
	if (found == BULLETINS_ERROR)
		tell(b, &e);
	if (found == BULLETINS_NUMBER)
		h->last = number;
	else if (found == BULLETINS_EMPTY)
		h->last = highest(b);
	else
		h->fresh = true;
}

/* 1: known, 0: it cannot be known this time, -1: he must not get on. */
static int
ask(struct bulletins *b, struct had *h, struct popper_error *e)
{
	enum bulletins_found found;
	int64_t number = 0;

	if (bulletins_list_read(b, e) == -1) {
		tell(b, e);
		return 0;
	}
	found = bulletins_number_get(b, &number, e);
	if (found == BULLETINS_ERROR) {
		if (b->conf->bulldb[0] != '\0' && !b->conf->bulldb_nonfatal)
			return -1;
		tell(b, e);
		if (!b->list.known)
			return 0;
		b->unreachable = true;
	}
	weigh(b, found, number, h);
	return 1;
}

/* Add what is new to the list.  Of a new user it is the newest ones. */
static int
add_new(struct bulletins *b, struct had *h, struct popper_error *e)
{
	const struct bulletins_folder *f = &b->folder;
	uint64_t left = b->conf->max_bulletins;
	size_t first = f->count;

	while (first > 0 &&
	    (h->fresh ? left > 0 : f->entries[first - 1].number > h->last)) {
		first--;
		if (!f->entries[first].hidden && left > 0)
			left--;
	}
	for (size_t i = first; i < f->count; i++) {
		if (f->entries[i].hidden ||
		    bulletins_list_has(&b->list, &f->entries[i]))
			continue;
		if (bulletins_list_add(&b->list, &f->entries[i]) == -1)
			return b->host->fail_system(
			    e, POPPER_TEMPORARY, "list of bulletins");
		b->dirty = true;
	}
	if (h->last < highest(b))
		h->last = highest(b);
	if (h->last != b->list.last)
		b->dirty = true;
	return 0;
}

/* Those of the list that can be read. */
static int
show(struct bulletins *b, struct popper_error *e)
{
	struct bulletins_shown *s;
	size_t room = b->list.count == 0 ? 1 : b->list.count;

	b->shown = calloc(room, sizeof(*b->shown));
	if (b->shown == NULL)
		return b->host->fail_system(
		    e, POPPER_TEMPORARY, "list of bulletins");
	for (size_t i = 0; i < b->folder.count && b->count < room; i++) {
		if (b->folder.entries[i].hidden ||
		    !bulletins_list_has(&b->list, &b->folder.entries[i]))
			continue;
		s = &b->shown[b->count];
		s->entry = &b->folder.entries[i];
		if (bulletins_measure(b, s, e) == 0)
			b->count++;
		else
			tell(b, e);
	}
	return 0;
}

int
bulletins_open(struct bulletins *b, struct popper_error *e)
{
	struct had h = { .fresh = false };
	int known;

	if (list_folder(b, e) == -1) {
		tell(b, e);
		return 0;
	}
	if ((known = ask(b, &h, e)) != 1)
		return known;
	if (add_new(b, &h, e) == -1 || show(b, e) == -1) {
		tell(b, e);
		return 0;
	}
	b->list.last = h.last;
	b->advance = b->dirty || h.write || !b->list.known || !b->list.stored;
	if (b->advance && bulletins_settle(b, &b->list, e) == -1)
		tell(b, e);
	else
		b->advance = false;
	return 0;
}
