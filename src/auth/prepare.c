/*
 * prepare.c - names and passwords as they are compared: SASLprep (RFC 4013).
 *
 * Runs in: the gate of one connection, as root.  The tables and the
 * normalization are GNU libidn's; it gets well-formed UTF-8 only.
 */
#include "auth/prepare.h"

#include <stringprep.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/utf8.h"

static bool
has_control(struct popper_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static int
refuse(char *out, size_t size, const char *why, struct popper_error *e)
{
	secret_wipe(out, size);
	return error_set(e, POPPER_DENIED, "the name or password %s", why);
}

int
prepare(
    char *out, size_t size, struct popper_slice text, struct popper_error *e)
{
	int result;

	if (has_control(text))
		return refuse(out, size, "has a control character", e);
	if (!text_from_slice(out, size, text))
		return refuse(out, size, "is too long", e);
	if (!utf8_is_ascii(text)) {
		if (!utf8_is_proper(text))
			return refuse(out, size, "is not UTF-8", e);
		/* A query may have code points that are new to us. */
		result = stringprep(out, size, 0, stringprep_saslprep);
		if (result != STRINGPREP_OK)
			return refuse(out, size,
			    stringprep_strerror((Stringprep_rc)result), e);
	}
	if (out[0] == '\0')
		return refuse(out, size, "is empty", e);
	return 0;
}

bool
prepare_leaves(struct popper_slice text)
{
	return !utf8_is_ascii(text);
}
