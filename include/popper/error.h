/*
 * popper/error.h - failures as values.
 *
 * An error has two sides.  The status, and a reply text if one is set, are for
 * the client: they choose "-ERR [SYS/TEMP] ..." and its kin and never tell
 * anything about our insides.  The text is for the log: cause, object, remedy.
 */
#ifndef POPPER_ERROR_H
#define POPPER_ERROR_H

/*
 * What the client may know.  The server turns each value into one response
 * code (RFC 2449 section 8, RFC 3206) and one text.
 */
enum popper_status {
	POPPER_OK, /* no error */
	POPPER_INVALID, /* the client's mistake: -ERR without a code */
	POPPER_ABSENT, /* there is no such thing here: ask the next module */
	POPPER_DENIED, /* credentials, account, policy: [AUTH] */
	POPPER_IN_USE, /* the maildrop is locked: [IN-USE] */
	POPPER_TOO_SOON, /* [LOGIN-DELAY] */
	POPPER_TEMPORARY, /* our trouble, may pass: [SYS/TEMP] */
	POPPER_PERMANENT, /* our trouble, needs a person: [SYS/PERM] */
	POPPER_NEEDS_UTF8, /* [UTF8], RFC 6856 section 5 */
	POPPER_STATUSES
};

struct popper_error {
	enum popper_status status;
	int system; /* errno, or 0 */
	char reply[128]; /* for the client instead of the usual text, or "" */
	char text[512]; /* for the log only */
};

#endif
