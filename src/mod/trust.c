/*
 * trust.c - could anybody but root and us have written this file?
 *
 * Runs in: popper-auth and popper-session, at start, as root.  Once all
 * folders of a path are ours, nobody else can exchange anything in it between
 * this check and its use.
 */
#include "mod/trust.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static int
check(const char *path, bool last, struct popper_error *e)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return error_system(e, POPPER_PERMANENT, "%s", path);
	if (last && !S_ISREG(st.st_mode))
		return error_set(
		    e, POPPER_PERMANENT, "%s is not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_set(e, POPPER_PERMANENT,
		    "%s belongs to uid %u: chown it to root", path,
		    (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (last || (st.st_mode & S_ISVTX) == 0))
		return error_set(e, POPPER_PERMANENT,
		    "%s can be written by others (mode %04o): chmod go-w it",
		    path, (unsigned)(st.st_mode & 07777));
	return 0;
}

int
trust_path(const char *path, char *out, size_t size, struct popper_error *e)
{
	char resolved[PATH_MAX];
	char *slash = resolved;

	if (realpath(path, resolved) == NULL)
		return error_system(e,
		    errno == ENOENT ? POPPER_ABSENT : POPPER_PERMANENT, "%s",
		    path);
	if (check("/", false, e) == -1)
		return -1;
	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		if (check(resolved, false, e) == -1)
			return -1;
		*slash = '/';
	}
	if (check(resolved, true, e) == -1)
		return -1;
	if (!text_copy(out, size, resolved))
		return error_set(
		    e, POPPER_PERMANENT, "the path of %s is too long", path);
	return 0;
}
