/*
 * mbox_text.c - unique-ids as text: base64url without padding.
 *
 * Runs in: the session, as the user.  Pure: works on memory.
 */
#include <stdio.h>
#include <string.h>

#include "mbox_foreign.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789-_";

void
mbox_hash_text(
    const unsigned char hash[MBOX_HASH_SIZE], char text[MBOX_HASH_TEXT + 1])
{
	unsigned bits = 0, have = 0;
	size_t i, n = 0;

	for (i = 0; i < MBOX_HASH_SIZE; i++) {
		bits = (bits << 8 | hash[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			text[n++] = digits[bits >> (have - 6) & 63];
	}
	text[n++] = digits[bits << (6 - have) & 63];
	text[n] = '\0';
}

bool
mbox_hash_parse(const char *text, unsigned char hash[MBOX_HASH_SIZE])
{
	unsigned bits = 0, have = 0;
	const char *digit;
	size_t i, n = 0;

	for (i = 0; i < MBOX_HASH_TEXT; i++) {
		if (text[i] == '\0' ||
		    (digit = strchr(digits, text[i])) == NULL)
			return false;
		bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			hash[n++] = (unsigned char)(bits >> have);
		}
	}
	return true;
}

void
mbox_uid_text(const struct mbox *m, const struct mbox_uid *uid,
    char text[POPPER_UID_MAX + 1])
{
	mbox_uid_string(&m->texts, uid, text);
}

void
mbox_uid_string(const struct mbox_texts *texts, const struct mbox_uid *uid,
    char text[POPPER_UID_MAX + 1])
{
	if (uid->text != 0 && uid->ordinal == 1) {
		(void)strcpy(text, texts->ptr + uid->text);
		return;
	}
	mbox_hash_text(uid->hash, text);
	if (uid->ordinal > 1)
		(void)snprintf(text + MBOX_HASH_TEXT,
		    POPPER_UID_MAX + 1 - MBOX_HASH_TEXT, ".%lu",
		    (unsigned long)uid->ordinal);
}
