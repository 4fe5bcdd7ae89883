/*
 * prepare.c - passwords as they are stored: SASLprep (RFC 4013).
 *
 * Runs in: popauth.  The server prepares what clients send in the same way, but
 * for code points that Unicode did not have yet: stored strings have none.
 */
#include "tools/popauth/prepare.h"

#include <stringprep.h>

#include "base/error.h"
#include "base/utf8.h"

int
prepare_stored(char *password, size_t size, struct popper_error *e)
{
	struct popper_slice text = popper_slice_text(password);
	int result;

	if (utf8_is_ascii(text))
		return 0;
	if (!utf8_is_proper(text))
		return error_set(
		    e, POPPER_INVALID, "the password is not UTF-8");
	result = stringprep(
	    password, size, STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
	if (result != STRINGPREP_OK)
		return error_set(e, POPPER_INVALID, "the password %s",
		    stringprep_strerror((Stringprep_rc)result));
	return password[0] != '\0'
	    ? 0
	    : error_set(e, POPPER_INVALID, "the password is empty");
}
