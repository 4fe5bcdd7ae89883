/*
 * mbox_remains.c - finding mail that a crash of Qpopper left in ".user.pop".
 *
 * Runs in: the session, as the user, at open.
 *
 * During a session Qpopper copies the mbox into that file, empties the mbox,
 * and at QUIT writes back what was not deleted.  If it dies meanwhile the mail
 * is there, and its next session takes it up.  So does this module; a file that
 * could be somebody else's is only told of.  Qpopper's sessions have an flock
 * on it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "mbox_rewrite.h"

#define SPOOL "/var/mail" /* see mbox_path.c */

/* Put the name of the file behind the folder in ${path}. */
static int
add_name(const struct popper_host *h, const struct mbox_conf *conf,
    const struct popper_place *place, char *path, struct popper_error *e)
{
	char name[POPPER_PATH_MAX + 1], pattern[POPPER_PATH_MAX + 1], *p;
	int n = snprintf(pattern, sizeof(pattern), "/%s", conf->temp_name);

	if (n < 2 || (size_t)n >= sizeof(pattern) ||
	    strchr(conf->temp_name, '/') != NULL)
		return h->fail(e, POPPER_PERMANENT,
		    "drop mbox: temp-name = \"%s\" in modules.conf: must be "
		    "the name of a file",
		    conf->temp_name);
	/* Qpopper's own word for the user. */
	if ((p = strstr(pattern, "%s")) != NULL)
		p[1] = 'u';
	if (h->expand(name, sizeof(name), pattern, place->identity, e) == -1)
		return -1;
	if (strlen(path) + strlen(name) > POPPER_PATH_MAX)
		return h->fail(e, POPPER_PERMANENT, "%s: too long", path);
	(void)strcat(path, name);
	return 1;
}

/* The folder ${folder}, with the subfolders of hash-spool if ${hashed}. */
static int
in_folder(const struct popper_host *h, const struct mbox_conf *conf,
    const struct popper_place *place, const char *folder, bool hashed,
    char *path, struct popper_error *e)
{
	static const char *const folders[] = { "", "/%H", "/%1/%2" };
	char pattern[POPPER_PATH_MAX + 1];
	int n = snprintf(pattern, sizeof(pattern), "%s%s", folder,
	    hashed && conf->hash_spool <= 2 ? folders[conf->hash_spool] : "");

	if (n < 0 || (size_t)n >= sizeof(pattern))
		return h->fail(e, POPPER_PERMANENT, "%s: too long", folder);
	if (h->expand(path, POPPER_PATH_MAX + 1, pattern, place->identity, e) ==
	    -1)
		return -1;
	return add_name(h, conf, place, path, e);
}

int
mbox_remains_path(const struct popper_host *h, const struct mbox_conf *conf,
    const struct popper_place *place, int which, char *path,
    struct popper_error *e)
{
	const char *spool = *conf->spool_dir == '\0' ? SPOOL : conf->spool_dir;
	const struct popper_identity *who = place->identity;
	bool home = *conf->home_dir_mail != '\0' && who->maildrop[0] == '\0';
	char *slash;

	if (!conf->merge_temp_drop || who->folder[0] != '\0')
		return 0;
	if (which == 1)
		return conf->check_old_spool_loc &&
			(home ||
			    (conf->hash_spool > 0 && who->maildrop[0] == '\0'))
		    ? in_folder(h, conf, place, spool, false, path, e)
		    : 0;
	if (which != 0)
		return 0;
	if (*conf->temp_dir != '\0')
		return in_folder(h, conf, place, conf->temp_dir, true, path, e);
	if (home)
		return in_folder(h, conf, place, spool, true, path, e);
	if (mbox_path(h, conf, place, path, e) == -1)
		return -1;
	slash = strrchr(path, '/');
	*slash = '\0';
	return add_name(h, conf, place, path, e);
}

/* Is the open file one that the old server may have left for this user?  If
 * not, why? */
static const char *
objection(const struct mbox_remains *r)
{
	if (!S_ISREG(r->st.st_mode))
		return "it is not a plain file";
	if (r->st.st_uid != geteuid())
		return "it belongs to somebody else";
	if (r->st.st_nlink != 1)
		return "it has another name";
	if ((r->st.st_mode & S_IWOTH) != 0)
		return "everybody may write to it";
	return NULL;
}

/* Why is the file, if there is one, not to be used?  NULL: it is. */
static const char *
open_checked(struct mbox_remains *r)
{
	r->fd = open(
	    r->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r->fd == -1)
		return errno == ELOOP ? "it is a symbolic link"
				      : "it cannot be opened";
	if (fstat(r->fd, &r->st) == -1)
		return "it cannot be looked at";
	return objection(r);
}

/* Open and lock r->path.  1: it has content; 0: leave it alone; -1. */
static int
try_open(struct mbox *m, struct mbox_remains *r, struct popper_error *e)
{
	const char *why;

	errno = 0;
	r->st.st_size = -1; /* not known */
	if ((why = open_checked(r)) != NULL) {
		if (r->fd == -1 && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		if (r->st.st_size != 0)
			m->host->log(POPPER_LOG_WARNING,
			    "%s: left alone, %s; if it has mail of %s from a "
			    "crash of another server, see to it",
			    r->path, why, m->user);
		return 0;
	}
	/* An empty one may be locked, too: he serves the mbox itself. */
	if (flock(r->fd, LOCK_EX | LOCK_NB) == -1)
		return m->host->fail(e, POPPER_IN_USE,
		    "%s: locked: another server has a session of %s", r->path,
		    m->user);
	/* He may have ended just now. */
	return fstat(r->fd, &r->st) == 0 && r->st.st_size > 0 &&
	    r->st.st_nlink == 1;
}

int
mbox_remains_open(struct mbox *m, const struct popper_place *place,
    struct mbox_remains *r, struct popper_error *e)
{
	int which, found, result;

	for (which = 0;; which++) {
		r->fd = -1;
		found = mbox_remains_path(
		    m->host, m->conf, place, which, r->path, e);
		if (found != 1)
			return found;
		if ((result = try_open(m, r, e)) == 1)
			return 0;
		mbox_remains_close(r);
		if (result == -1)
			return -1;
	}
}

void
mbox_remains_close(struct mbox_remains *r)
{
	if (r->fd != -1)
		(void)close(r->fd);
	r->fd = -1;
}
