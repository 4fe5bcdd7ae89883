/*
 * retention.c - do the settings about how long mail stays make sense?
 *
 * Runs in: the master, at start and at SIGHUP, as root; in a session for an
 * option file.
 */
#include "conf/retention.h"

#include <string.h>

#include "base/error.h"
#include "base/number.h"

#define YEARS (100 * 366) /* days; a number beyond is a mistake */

/* What is announced must be kept: nothing goes sooner than EXPIRE says. */
static int
check_removal(const struct settings *s, bool numbered, uint64_t days,
    struct popper_error *e)
{
	bool enforced = strcmp(s->enforce_expire, "no") != 0;

	if (enforced && strcmp(s->enforce_expire, "retrieved") != 0 &&
	    strcmp(s->enforce_expire, "any") != 0)
		return error_set(e, POPPER_PERMANENT,
		    "enforce-expire = \"%.80s\": must be no, retrieved or any",
		    s->enforce_expire);
	if (enforced && (!numbered || days == 0 || days > YEARS))
		return error_set(e, POPPER_PERMANENT,
		    "enforce-expire = %s: expire must be a number of days from "
		    "1 to %d (for 0 there is auto-delete)",
		    s->enforce_expire, YEARS);
	if (s->auto_delete && s->expire[0] != '\0' && !(numbered && days == 0))
		return error_set(e, POPPER_PERMANENT,
		    "auto-delete = yes: expire must be 0 or empty, not "
		    "\"%.80s\"",
		    s->expire);
	return 0;
}

int
retention_check(const struct settings *s, struct popper_error *e)
{
	uint64_t days = 0, delay;
	bool numbered =
	    number_parse(popper_slice_text(s->expire), UINT32_MAX, &days);

	if (!numbered && s->expire[0] != '\0' &&
	    strcmp(s->expire, "never") != 0)
		return error_set(e, POPPER_PERMANENT,
		    "expire = \"%.80s\": must be days, never, or empty",
		    s->expire);
	if (check_removal(s, numbered, days, e) == -1)
		return -1;
	if (s->announce_login_delay[0] == '\0')
		return 0;
	if (!number_parse(
		popper_slice_text(s->announce_login_delay), UINT32_MAX, &delay))
		return error_set(e, POPPER_PERMANENT,
		    "announce-login-delay = \"%.80s\": must be seconds, or "
		    "empty",
		    s->announce_login_delay);
	if (delay < s->login_delay)
		return error_set(e, POPPER_PERMANENT,
		    "announce-login-delay = %s: must not be less than "
		    "login-delay",
		    s->announce_login_delay);
	return 0;
}
