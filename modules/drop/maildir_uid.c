/*
 * maildir_uid.c - unique-ids from file names.
 *
 * Runs in: popper-session, as the user.
 *
 * The id is the base without the sizes that some programs put at its end
 * (",S=123", ",W=125") and sometimes correct; or, where RFC 1939 section 7
 * does not allow that text, "h-" and a hash of it.  So it stays when flags
 * change, when the message moves from new to cur, and when all state is lost.
 * Messages whose ids would be equal are numbered in the snapshot's order.  Ids
 * that come from another server go before all that (maildir_given.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "maildir_foreign.h"

#define HASHED 20 /* octets of SHA-256 that make the id */

/* Cut one ",S=digits" or ",W=digits" from the end. */
static bool
cut_size(struct popper_slice *base)
{
	size_t len = base->len;

	while (
	    len > 0 && base->ptr[len - 1] >= '0' && base->ptr[len - 1] <= '9')
		len--;
	if (len == base->len || len < 3 || base->ptr[len - 1] != '=' ||
	    (base->ptr[len - 2] != 'S' && base->ptr[len - 2] != 'W') ||
	    base->ptr[len - 3] != ',')
		return false;
	base->len = len - 3;
	return true;
}

static bool
is_legal(struct popper_slice text, size_t room)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e)
			return false;
	return text.len >= 1 && text.len <= room;
}

static void
put_hash(struct popper_slice stem, char *uid)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t digest[HASHED];
	struct sha256_ctx ctx;
	size_t i;

	sha256_init(&ctx);
	sha256_update(&ctx, stem.len, (const uint8_t *)stem.ptr);
	sha256_digest(&ctx, HASHED, digest);
	*uid++ = 'h';
	*uid++ = '-';
	for (i = 0; i < HASHED; i++) {
		*uid++ = hex[digest[i] >> 4];
		*uid++ = hex[digest[i] & 15];
	}
	*uid = '\0';
}

/* The part of the name that the id is made of. */
static struct popper_slice
stem_of(const struct maildir_list *list, const struct maildir_record *record)
{
	struct popper_slice stem = maildir_base(list, record);

	while (cut_size(&stem))
		;
	return stem;
}

/* The id of ${record} if it is the ${twin}th of its kind; the first has no
 * number.  Returns its length. */
static size_t
make_uid(const struct maildir_list *list, const struct maildir_record *record,
    unsigned twin, char *uid)
{
	struct popper_slice stem = stem_of(list, record);
	char suffix[16] = "";
	size_t len = 0;

	if (twin > MAILDIR_HASHED)
		len = (size_t)snprintf(suffix, sizeof(suffix), ".%u", twin);
	if (is_legal(stem, POPPER_UID_MAX - len)) {
		memcpy(uid, stem.ptr, stem.len);
		uid[stem.len] = '\0';
	} else {
		put_hash(stem, uid);
		stem.len = 2 + 2 * HASHED;
	}
	memcpy(uid + stem.len, suffix, len + 1);
	return stem.len + len;
}

/* Unique-ids given so far: an open hash table of indices + 1. */
struct known {
	uint32_t *slots;
	size_t mask;
};

static size_t
hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3u;
	return (size_t)(h ^ (h >> 29));
}

/* The slot of ${uid}, or the empty slot where it belongs. */
static uint32_t *
find(
    const struct known *known, const struct maildir_list *list, const char *uid)
{
	char other[POPPER_UID_MAX + 1];
	const struct maildir_record *record;
	size_t at = hash(uid);

	for (;; at++) {
		uint32_t *slot = &known->slots[at & known->mask];

		if (*slot == 0)
			return slot;
		record = &list->records[*slot - 1];
		make_uid(list, record, record->twin, other);
		if (strcmp(other, uid) == 0)
			return slot;
	}
}

#define IS_TWIN UINT16_MAX /* to be numbered */

/* First all that can keep their plain id, */
static size_t
give_plain(struct known *known, struct maildir_list *list)
{
	char uid[POPPER_UID_MAX + 1];
	size_t i, twins = 0;
	uint32_t *slot;

	for (i = 0; i < list->count; i++) {
		make_uid(list, &list->records[i], 0, uid);
		slot = find(known, list, uid);
		if (*slot == 0) {
			*slot = (uint32_t)(i + 1);
			if (!is_legal(stem_of(list, &list->records[i]),
				POPPER_UID_MAX))
				list->records[i].twin = MAILDIR_HASHED;
			continue;
		}
		list->records[i].twin = IS_TWIN;
		twins++;
	}
	return twins;
}

/* then the others, with the first number that is free. */
static int
give_numbers(struct known *known, struct maildir_list *list)
{
	char uid[POPPER_UID_MAX + 1];
	uint32_t *slot, first, last = 0;
	unsigned twin = 2;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->records[i].twin != IS_TWIN)
			continue;
		make_uid(list, &list->records[i], 0, uid);
		first = *find(known, list, uid);
		for (twin = first == last ? twin + 1 : 2;; twin++) {
			if (twin >= IS_TWIN)
				return -1;
			make_uid(list, &list->records[i], twin, uid);
			if (*(slot = find(known, list, uid)) == 0)
				break;
		}
		list->records[i].twin = (uint16_t)twin;
		*slot = (uint32_t)(i + 1);
		last = first;
	}
	return 0;
}

int
maildir_number_twins(struct maildir *m, struct popper_error *error)
{
	struct known known;
	size_t size = 64;
	int result = 0;

	if (m->uids_ready)
		return 0;
	while (size < m->list.count * 2)
		size *= 2;
	known.mask = size - 1;
	if ((known.slots = calloc(size, sizeof(*known.slots))) == NULL)
		return m->host->fail_system(
		    error, POPPER_TEMPORARY, "maildir %s", m->path);
	if (give_plain(&known, &m->list) > 0)
		result = give_numbers(&known, &m->list);
	free(known.slots);
	if (result == -1)
		return m->host->fail(error, POPPER_PERMANENT,
		    "maildir %s: too many files of one name", m->path);
	m->uids_ready = true;
	return 0;
}

#define NEAR 64 /* names that begin alike are looked at */

/* Is the id of message ${i}, which has no number, nobody else's?  Whose stem is
 * the same has a name that begins with it, and so lies near. */
static bool
is_alone(const struct maildir_list *list, size_t i)
{
	struct popper_slice stem = stem_of(list, &list->records[i]), other;
	size_t at = maildir_first_at(list, stem), most = at + NEAR;

	if (!is_legal(stem, POPPER_UID_MAX) || stem.ptr[0] == 'h')
		return false; /* a hash, or like one */
	for (; at < list->count; at++) {
		other = maildir_base(list, &list->records[at]);
		if (other.len < stem.len ||
		    memcmp(other.ptr, stem.ptr, stem.len) != 0)
			break;
		other = stem_of(list, &list->records[at]);
		if ((at != i && other.len == stem.len) || at == most)
			return false;
	}
	return true;
}

/* Does no number change by the messages without a size? */
static bool
keep_numbers(const struct maildir_list *list)
{
	const struct maildir_record *r = list->records;

	for (size_t i = 0; i < list->count; i++)
		if (r[i].twin > MAILDIR_HASHED ||
		    ((r[i].flags & MAILDIR_UNSIZED) && !is_alone(list, i)))
			return false;
	return true;
}

void
maildir_number_new(struct maildir *m)
{
	m->uids_ready = keep_numbers(&m->list);
	if (!m->uids_ready)
		for (size_t i = 0; i < m->list.count; i++)
			m->list.records[i].twin = MAILDIR_PLAIN;
}

void
maildir_native_uid(const struct maildir *m, size_t i, char *uid)
{
	(void)make_uid(
	    &m->list, &m->list.records[i], m->list.records[i].twin, uid);
}

int
maildir_uid(struct maildir *m, size_t i, char *uid, struct popper_error *error)
{
	const char *given;

	if (maildir_number_twins(m, error) == -1 ||
	    maildir_given_find(m, error) == -1)
		return -1;
	if ((given = maildir_given_uid(m, i)) != NULL)
		memcpy(uid, given, strlen(given) + 1);
	else
		maildir_native_uid(m, i, uid);
	return 0;
}

struct popper_slice
maildir_own_uid(const struct maildir_list *list,
    const struct maildir_record *record, char text[POPPER_UID_MAX + 1])
{
	if (record->twin == MAILDIR_PLAIN)
		return stem_of(list, record);
	return popper_slice(text, make_uid(list, record, record->twin, text));
}

/* The id of message ${i}, once all are known; ${text} may be used for it. */
static struct popper_slice
uid_of(const struct maildir *m, size_t i, char text[POPPER_UID_MAX + 1])
{
	const char *given = maildir_given_uid(m, i);

	if (given != NULL)
		return popper_slice_text(given);
	return maildir_own_uid(&m->list, &m->list.records[i], text);
}

int
maildir_list_uids(
    struct maildir *m, struct popper_lister *lister, struct popper_error *error)
{
	char text[POPPER_UID_MAX + 1];
	bool none;
	size_t i = 0;

	if (maildir_given_none(m, &none, error) == -1)
		return -1;
	if (none && !m->listed)
		i = maildir_index_uids(m, lister);
	m->told = m->told || i > 0;
	if (!m->listed && i == m->totals.count)
		return 0;
	if (maildir_need(m, error) == -1 ||
	    maildir_number_twins(m, error) == -1 ||
	    maildir_given_find(m, error) == -1)
		return -1;
	for (; i < m->list.count; i++)
		if (lister->put(lister, i, 0, uid_of(m, i, text)) != 0)
			break;
	return 0;
}
