/*
 * identity.c - become a user, for good.
 *
 * Runs in: popper-login once at start; each session before it looks at mail.
 * As root until it returns.
 */
#include "priv/identity.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

/* Somebody who is not root has nothing to give up and must be who it is. */
static int
stay(uid_t uid, gid_t gid, struct popper_error *e)
{
	if (uid == geteuid() && uid == getuid() && gid == getegid())
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "cannot become uid %u gid %u: not started as root, only uid %u "
	    "gid %u is possible",
	    (unsigned)uid, (unsigned)gid, (unsigned)geteuid(),
	    (unsigned)getegid());
}

int
identity_become(uid_t uid, gid_t gid, const gid_t *groups, size_t count,
    struct popper_error *e)
{
	uid_t r, f, s;
	gid_t gr, gf, gs;

	if (uid == 0)
		return error_set(e, POPPER_PERMANENT, "refusing to be root");
	if (geteuid() != 0)
		return stay(uid, gid, e);
	if (setgroups(count, groups) == -1)
		return error_system(e, POPPER_TEMPORARY, "setgroups");
	if (setresgid(gid, gid, gid) == -1)
		return error_system(
		    e, POPPER_TEMPORARY, "setresgid %u", (unsigned)gid);
	if (setresuid(uid, uid, uid) == -1)
		return error_system(
		    e, POPPER_TEMPORARY, "setresuid %u", (unsigned)uid);
	if (getresuid(&r, &f, &s) == -1 || r != uid || f != uid || s != uid ||
	    setuid(0) != -1 || getresgid(&gr, &gf, &gs) == -1 || gr != gid ||
	    gf != gid || gs != gid)
		return error_set(e, POPPER_PERMANENT,
		    "uid %u gid %u was not taken on for good", (unsigned)uid,
		    (unsigned)gid);
	return 0;
}

void
identity_no_dump(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		log_warning("cannot forbid core files");
}
