/*
 * mbox_xuidl.c - unique-ids that another server has given.
 *
 * Runs in: the session, as the user.
 *
 * Qpopper and others store the id of a message in its header, as "X-UIDL: id",
 * and clients know the message by it.  But a sender can write such a header,
 * too.  So the first message in the file that has an id keeps it, and the rest
 * are numbered like other equal messages (mbox_twins.c), their ids made of a
 * hash of that text.  And an id that popper itself could make for one of the
 * messages is not taken for another.
 */
#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "mbox_xuidl.h"

#define FIRST_ROOM 4096 /* octets */
#define ROOM_MAX 0x7fffffff /* see struct mbox_uid */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool
mbox_xuidl(struct popper_slice line, char text[POPPER_UID_MAX + 1])
{
	const char *colon = memchr(line.ptr, ':', line.len);
	const char *end = memchr(line.ptr, '\n', line.len);
	size_t i, len;

	if (colon == NULL || end == NULL)
		return false;
	for (colon++; colon < end && is_blank(*colon); colon++)
		;
	while (end > colon && is_blank(end[-1]))
		end--;
	len = (size_t)(end - colon);
	if (len == 0 || len > POPPER_UID_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (colon[i] < 0x21 || colon[i] > 0x7e)
			return false;
	memcpy(text, colon, len);
	text[len] = '\0';
	return true;
}

bool
mbox_own_form(
    const char *text, unsigned char hash[MBOX_HASH_SIZE], uint32_t *ordinal)
{
	const char *p = text + MBOX_HASH_TEXT;
	char again[MBOX_HASH_TEXT + 1];
	char *end;

	if (!mbox_hash_parse(text, hash))
		return false;
	mbox_hash_text(hash, again); /* its last bits must be zero */
	if (memcmp(again, text, MBOX_HASH_TEXT) != 0)
		return false;
	*ordinal = 1;
	if (*p == '\0')
		return true;
	if (*p != '.' || p[1] < '1' || p[1] > '9' || strlen(p) > 10)
		return false;
	*ordinal = (uint32_t)strtoul(p + 1, &end, 10);
	return *end == '\0' && *ordinal > 1;
}

void
mbox_text_hash(const char *text, unsigned char hash[MBOX_HASH_SIZE])
{
	static const char kind[] = "X-UIDL"; /* no message begins so */
	uint8_t sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, sizeof(kind), (const uint8_t *)kind);
	sha256_update(&sha, strlen(text), (const uint8_t *)text);
	sha256_digest(&sha, sizeof(sum), sum);
	memcpy(hash, sum, MBOX_HASH_SIZE);
}

/* Make room for ${len} octets more. */
static int
grow(struct mbox_texts *t, size_t len)
{
	size_t room = t->room == 0 ? FIRST_ROOM : t->room;
	char *bigger;

	while (room < t->len + len && room <= ROOM_MAX)
		room *= 2;
	if (room == t->room)
		return 0;
	if (room > ROOM_MAX || (bigger = realloc(t->ptr, room)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	t->ptr = bigger;
	t->room = room;
	return 0;
}

int
mbox_texts_add(struct mbox_texts *t, const char *text, struct mbox_uid *uid)
{
	size_t len = strlen(text) + 1;

	if (grow(t, len + 1) == -1)
		return -1;
	if (t->len == 0)
		t->ptr[t->len++] = '\0';
	uid->text = (uint32_t)t->len & ROOM_MAX;
	memcpy(t->ptr + t->len, text, len);
	t->len += len;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, MBOX_HASH_SIZE);
}

/* All hashes, in order. */
static unsigned char *
sorted_hashes(const struct mbox_uid *uids, size_t count)
{
	unsigned char *list = reallocarray(NULL, count, MBOX_HASH_SIZE);
	size_t i;

	if (list == NULL)
		return NULL;
	for (i = 0; i < count; i++)
		memcpy(list + i * MBOX_HASH_SIZE, uids[i].hash, MBOX_HASH_SIZE);
	qsort(list, count, MBOX_HASH_SIZE, compare);
	return list;
}

int
mbox_refuse_lookalikes(struct mbox *m, size_t count)
{
	unsigned char hash[MBOX_HASH_SIZE], *list = NULL;
	uint32_t ordinal;
	size_t i;

	for (i = 0; i < count; i++) {
		if (m->uids[i].text == 0 ||
		    !mbox_own_form(
			m->texts.ptr + m->uids[i].text, hash, &ordinal))
			continue;
		if (list == NULL &&
		    (list = sorted_hashes(m->uids, count)) == NULL)
			return -1;
		if (bsearch(hash, list, count, MBOX_HASH_SIZE, compare) != NULL)
			m->uids[i].text = 0;
	}
	free(list);
	return 0;
}
