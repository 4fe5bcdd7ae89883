/*
 * uids.c - fuzz: lists of unique-ids, of other servers and our own, and headers
 * that tell them.
 *
 * The first octet chooses what the rest is.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>

#include "maildir_foreign.h"
#include "mbox_foreign.h"
#include "pins.h"

const char fuzz_corpus[] = "uids";

static int
take(struct maildir_taker *t, struct popper_slice base, const char *uid)
{
	(void)t;
	fuzz_check(pins_is_uid(uid));
	fuzz_check(base.len > 0 && memchr(base.ptr, '/', base.len) == NULL);
	fuzz_check(memchr(base.ptr, ':', base.len) == NULL);
	return 0;
}

static void
check_lists(const char *text)
{
	static const char *const formats[] = { "%08Xu%08Xv", "%v-%u", "%u",
		"%f", "%{guid}" };
	struct maildir_taker t = { .take = take };
	size_t i;

	fuzz_check(maildir_courier(text, &t) >= 0);
	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		fuzz_check(maildir_dovecot(text, formats[i], &t) >= 0);
}

static void
check_name(struct popper_slice name)
{
	static const char *const schemes[] = { "qmail", "solid", "tpop3d" };
	char uid[POPPER_UID_MAX + 1];
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		fuzz_check(maildir_foreign_name(schemes[i], name, uid));
		fuzz_check(*uid == '\0' || pins_is_uid(uid));
	}
}

static char *
print(const struct pins *p)
{
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	fuzz_check(f != NULL);
	pins_print(f, p);
	fuzz_check(fclose(f) == 0);
	return text;
}

/* What was read is written so that it is read alike. */
static void
check_pins(const char *text)
{
	struct pins p = { .count = 0 }, again = { .count = 0 };
	char *first, *second;
	size_t i;

	if (pins_parse(&p, strdup(text))) {
		for (i = 0; i < p.count; i++)
			fuzz_check(pins_is_uid(p.list[i].uid) &&
			    p.list[pins_find(&p, p.list[i].key)].key[0] !=
				'\0');
		first = print(&p);
		fuzz_check(pins_parse(&again, strdup(first)));
		second = print(&again);
		fuzz_check(strcmp(first, second) == 0);
		free(first);
		free(second);
	}
	pins_free(&p);
	pins_free(&again);
}

static void
check_message(struct popper_slice text, size_t from_len)
{
	char uid[POPPER_UID_MAX + 1];
	struct mbox_imap imap;
	int i;

	for (i = MBOX_POPA3D; i <= MBOX_TPOP3D; i++) {
		mbox_foreign_md5((enum mbox_scheme)i, text, from_len, uid);
		fuzz_check(strlen(uid) == (i == MBOX_POPA3D ? 16 : 32));
	}
	mbox_foreign_imap(text, &imap);
	for (i = MBOX_IMAP_UV; i <= MBOX_IMAP_UID; i++) {
		mbox_foreign_uid((enum mbox_scheme)i, &imap, uid);
		fuzz_check(pins_is_uid(uid));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text;

	if (len < 1 || (text = malloc(len)) == NULL)
		return 0;
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		check_lists(text);
		break;
	case 1:
		check_pins(text);
		break;
	case 2:
		check_name(popper_slice(data + 1, len - 1));
		break;
	default:
		check_message(popper_slice(data + 1, len - 1),
		    data[0] / 4 < len ? data[0] / 4 : 0);
		break;
	}
	free(text);
	return 0;
}
