/*
 * mbox_qpopper.c - unique-ids as Qpopper 4 computes them where it stores none.
 *
 * Runs in: the session, as the user.  Pure: works on memory.
 *
 * The id is an MD5 of the separator line and some lines of the header.  It is
 * no protection against anybody; it has to be the same as on the old server.
 */
#include <strings.h>

#include "mbox_xuidl.h"

#define GROUP 4 /* octets of the digest that make five characters */
#define DIGITS 5
#define BASE 80

bool
mbox_qpopper_is_hashed(struct popper_slice line)
{
	static const char *const names[] = {
		"Received:", "Date:", "Message-Id:", "Subject:"
	};
	size_t i, len;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		len = strlen(names[i]);
		if (line.len >= len &&
		    strncasecmp(line.ptr, names[i], len) == 0)
			return true;
	}
	return false;
}

/* 32 characters, as Qpopper 2 and 3. */
static void
hex(const unsigned char md5[MBOX_MD5_SIZE], char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < MBOX_MD5_SIZE; i++) {
		*text++ = digits[md5[i] >> 4];
		*text++ = digits[md5[i] & 15];
	}
	*text = '\0';
}

void
mbox_qpopper_text(const unsigned char md5[MBOX_MD5_SIZE], bool old,
    char text[POPPER_UID_MAX + 1])
{
	unsigned value;
	size_t i, k;

	if (old) {
		hex(md5, text);
		return;
	}
	for (i = 0; i < MBOX_MD5_SIZE; i += GROUP) {
		/* Times 16, not 256: so it is on the old server. */
		for (value = 0, k = 0; k < GROUP; k++)
			value = value * 16 + md5[i + k];
		for (k = 0; k < DIGITS; k++, value /= BASE, text++) {
			*text = (char)(0x21 + value % BASE);
			if (*text == '.')
				*text = '~';
		}
	}
	*text = '\0';
}
