/*
 * mbox_pad.c - a header field that only takes up room: making and finding it.
 *
 * Runs in: the session, as the user.  Pure: works on memory.
 */
#include "mbox_pad.h"

#define DIGITS 16
#define START (sizeof(MBOX_PAD_FIELD) + DIGITS) /* with one blank */
#define COLUMNS 64 /* of a line of it, but for the last */

static bool
is_hex(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (memchr("0123456789abcdef", text[i], 16) == NULL)
			return false;
	return true;
}

/* How many octets of filling there are. */
static size_t
filling(const char *text, size_t len)
{
	size_t at = 0;

	for (;;)
		if (at < len && text[at] == '.')
			at++;
		else if (len - at >= 2 && memcmp(text + at, "\n\t", 2) == 0)
			at += 2;
		else
			return at;
}

size_t
mbox_pad(const char *text, size_t len, size_t line)
{
	const char *pad = text + line;
	size_t at;

	if (line > MBOX_PAD_LINE || line > len || len - line < MBOX_PAD_LEAST ||
	    memcmp(pad, MBOX_PAD_FIELD " ", sizeof(MBOX_PAD_FIELD)) != 0 ||
	    !is_hex(pad + sizeof(MBOX_PAD_FIELD), DIGITS))
		return 0;
	len -= line;
	if (len > MBOX_PAD_MAX)
		len = MBOX_PAD_MAX;
	at = START + filling(pad + START, len - START);
	if (len - at < line || at + line < MBOX_PAD_LEAST ||
	    memcmp(pad + at, text, line) != 0)
		return 0;
	return at + line;
}

size_t
mbox_lead(const char *text, size_t len)
{
	size_t line = mbox_from(text, len);

	return line == 0 ? 0 : line + mbox_pad(text, len, line);
}

void
mbox_pad_make(char *pad, size_t len, uint64_t nonce, struct popper_slice line)
{
	size_t fill = len - START - line.len, i;

	memcpy(pad, MBOX_PAD_FIELD " ", sizeof(MBOX_PAD_FIELD));
	pad += sizeof(MBOX_PAD_FIELD);
	for (i = DIGITS; i-- > 0; nonce >>= 4)
		pad[i] = "0123456789abcdef"[nonce & 15];
	pad += DIGITS;
	for (i = 0; i < fill; i++) {
		/* Never a line end just before the separator. */
		if (i % COLUMNS == 0 && i + 1 < fill) {
			pad[i++] = '\n';
			pad[i] = '\t';
		} else
			pad[i] = '.';
	}
	memcpy(pad + fill, line.ptr, line.len);
}
