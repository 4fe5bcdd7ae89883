/* apop.h - what the files of the apop module share. */
#ifndef MODULES_AUTH_APOP_H
#define MODULES_AUTH_APOP_H

#include <sys/types.h>

#include <popper/auth.h>

#define APOP_SECRET_MAX 255
#define APOP_DIGEST_LEN 32 /* octets of MD5 in hexadecimal */

struct apop_conf {
	const char *file; /* the mailauth database */
	const char *owner; /* an account that may own it, or "" */
	bool only; /* who is in it may not send a password */
};

struct apop_self {
	const struct popper_host *host;
	const struct apop_conf *conf;
	uid_t owner; /* besides root and ourselves; or our own */
};

/**
 * apop_fetch(a, user, secret, e):
 * The secret of ${user} as text.  Opens the database afresh, which costs some
 * ten microseconds, and closes it: whoever changes it renames another file
 * over it.  Returns 1, 0 if the user is not in it or has no secret there, -1
 * with the error filled.  The caller wipes ${secret}.
 */
int apop_fetch(const struct apop_self *, const char *user,
    char secret[APOP_SECRET_MAX + 1], struct popper_error *);

/**
 * apop_fits(timestamp, secret, digest):
 * Is ${digest} what RFC 1939 section 7 makes of the two: MD5 as 32 lower-case
 * hexadecimal digits?  The time does not depend on how much of it is right.
 */
bool apop_fits(
    const char *timestamp, const char *secret, struct popper_slice digest);

#endif
