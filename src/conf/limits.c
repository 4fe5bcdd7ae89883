/*
 * limits.c - do the settings that limit logins make sense?
 *
 * Runs in: the master, at start and at SIGHUP, as root.
 */
#include "conf/limits.h"

#include "base/error.h"
#include "base/source.h"

#define CACHE_MOST 1000000 /* entries: 80 MB */

static int
check_penalties(const struct settings *s, struct popper_error *e)
{
	char word[80];

	if (s->penalty_max > 30)
		return error_set(e, POPPER_PERMANENT,
		    "penalty-max: must be at most 30 seconds");
	if (!source_wrong(s->penalty_exempt, word, sizeof(word)))
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "penalty-exempt = \"%s\": must be a network, as 192.0.2.0/24 or "
	    "2001:db8::/32",
	    word);
}

/* The gate's folder is no place to begin a path at. */
static int
check_path(const char *option, const char *path, struct popper_error *e)
{
	if (path[0] == '\0' || path[0] == '/')
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "%s = \"%.80s\": must be an absolute path", option, path);
}

static int
check_cache(const struct settings *s, struct popper_error *e)
{
	if (s->cache_lifetime > 86400)
		return error_set(e, POPPER_PERMANENT,
		    "cache-lifetime: must be at most 1 day");
	if (s->cache_size == 0 || s->cache_size > CACHE_MOST)
		return error_set(e, POPPER_PERMANENT,
		    "cache-size: must be 1 to %d", CACHE_MOST);
	return 0;
}

int
limits_check(const struct settings *s, struct popper_error *e)
{
	if (check_penalties(s, e) == -1 ||
	    check_path("auth-file", s->auth_file, e) == -1 ||
	    check_path("nonauth-file", s->nonauth_file, e) == -1 ||
	    check_path("spool-options-folder", s->spool_options_folder, e) ==
		-1)
		return -1;
	return check_cache(s, e);
}
