/*
 * verdict.c - may this identity have a session at all?
 *
 * Runs in: the gate of one connection, as root.  Whatever a module says, this
 * is asked.
 */
#include "auth/verdict.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static bool
is_terminated(const struct popper_identity *i)
{
	return memchr(i->user, '\0', sizeof(i->user)) != NULL &&
	    memchr(i->home, '\0', sizeof(i->home)) != NULL &&
	    memchr(i->drop, '\0', sizeof(i->drop)) != NULL &&
	    memchr(i->maildrop, '\0', sizeof(i->maildrop)) != NULL;
}

int
verdict_check(const struct settings *s, const struct popper_identity *i,
    struct popper_error *e)
{
	if (!is_terminated(i) || i->user[0] == '\0' || has_control(i->user))
		return error_set(e, POPPER_PERMANENT,
		    "the auth module gave no usable user name");
	if (has_control(i->home) || has_control(i->drop) ||
	    has_control(i->maildrop))
		return error_set(e, POPPER_PERMANENT,
		    "the auth module gave %s a path with control characters",
		    i->user);
	if (i->uid == (uid_t)-1 || i->gid == (gid_t)-1)
		return error_set(e, POPPER_PERMANENT,
		    "the auth module gave no uid or gid for %s", i->user);
	if (i->uid == 0)
		return error_set(
		    e, POPPER_DENIED, "%s is root: never allowed", i->user);
	if (i->gid == 0 && geteuid() == 0)
		return error_set(e, POPPER_DENIED,
		    "%s has root's group (gid 0): never allowed", i->user);
	if (i->uid < s->min_uid)
		return error_set(e, POPPER_DENIED,
		    "uid %u of %s is below min-uid (%llu)", (unsigned)i->uid,
		    i->user, (unsigned long long)s->min_uid);
	if (geteuid() != 0 && i->uid != geteuid())
		return error_set(e, POPPER_PERMANENT,
		    "%s has uid %u, but popper runs as uid %u, not as root: "
		    "only that uid can log in",
		    i->user, (unsigned)i->uid, (unsigned)geteuid());
	return 0;
}
