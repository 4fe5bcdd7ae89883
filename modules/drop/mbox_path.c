/*
 * mbox_path.c - where the mbox is, and what the session may touch.
 *
 * Runs in: the session, as the user; paths runs before it shuts itself off.
 *
 * The auth module may name the mbox.  Else it is where Qpopper's options
 * home-dir-mail, or spool-dir and hash-spool, put it, and if none of them is
 * set it is where ${path} says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mbox_rewrite.h"

#define SPOOL "/var/mail" /* hash-spool without spool-dir */

static bool
has_folders(const char *path)
{
	while ((path = strchr(path, '%')) != NULL && path[1] != '\0') {
		if (path[1] == 'f')
			return true;
		path += 2;
	}
	return false;
}

/* The path as the configuration gives it, not expanded. */
static int
pattern(const struct popper_host *h, const struct mbox_conf *conf, char *out,
    struct popper_error *e)
{
	static const char *const folders[] = { "", "/%H", "/%1/%2" };
	const char *spool = *conf->spool_dir == '\0' ? SPOOL : conf->spool_dir;
	const size_t room = POPPER_PATH_MAX + 1;
	int n;

	if (conf->hash_spool > 2)
		return h->fail(e, POPPER_PERMANENT,
		    "drop mbox: hash-spool = %llu in modules.conf: must be 0, "
		    "1 or 2",
		    (unsigned long long)conf->hash_spool);
	if (*conf->home_dir_mail != '\0')
		n = snprintf(out, room, "~/%s", conf->home_dir_mail);
	else if (*conf->spool_dir != '\0' || conf->hash_spool > 0)
		n = snprintf(
		    out, room, "%s%s/%%u", spool, folders[conf->hash_spool]);
	else
		n = snprintf(out, room, "%s", conf->path);
	if (n < 0 || (size_t)n >= room)
		return h->fail(e, POPPER_PERMANENT,
		    "drop mbox: a path in modules.conf is too long");
	return 0;
}

int
mbox_path(const struct popper_host *h, const struct mbox_conf *conf,
    const struct popper_place *place, char *path, struct popper_error *e)
{
	const struct popper_identity *who = place->identity;
	char text[POPPER_PATH_MAX + 1];

	if (pattern(h, conf, text, e) == -1)
		return -1;
	if (who->folder[0] != '\0' &&
	    (who->maildrop[0] != '\0' || !has_folders(text)))
		return h->fail(e, POPPER_ABSENT,
		    "mbox of %s has no sub-mailboxes: there is no %%f in its "
		    "path",
		    who->user);
	if (who->maildrop[0] != '\0')
		memcpy(path, who->maildrop, sizeof(who->maildrop));
	else if (h->expand(path, POPPER_PATH_MAX + 1, text, who, e) == -1)
		return -1;
	if (*path != '/')
		return h->fail(e, POPPER_PERMANENT,
		    "mbox \"%s\" of %s: not an absolute path", path, who->user);
	return 0;
}

/* A folder in which files are made and removed.  No right to write there: in
 * /var/mail the others' mail lies beside. */
static int
allow_folder(struct popper_allow *allow, char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0';
	return allow->allow(allow, path, POPPER_ALLOW_MAKE);
}

/* Mail that the old server left can only be put into a file, and once the
 * session is shut off none that it makes can be written to. */
static void
make_mbox(const struct popper_host *h, const char *path)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(path, flags, 0660);

	if (fd != -1)
		(void)close(fd);
	else if (errno != EEXIST)
		h->log(POPPER_LOG_WARNING,
		    "%s: cannot be made (errno %d), to put mail there that a "
		    "crash of another server left",
		    path, errno);
}

/* What a crash of the old server left, if there is something. */
static int
allow_remains(const struct popper_host *h, const struct mbox_conf *c,
    const struct popper_place *place, struct popper_allow *allow,
    struct popper_error *e)
{
	char path[POPPER_PATH_MAX + 1], mbox[POPPER_PATH_MAX + 1];
	struct stat st;
	int which, found;

	for (which = 0;; which++) {
		found = mbox_remains_path(h, c, place, which, path, e);
		if (found != 1)
			return found;
		if (lstat(path, &st) == -1 || !S_ISREG(st.st_mode) ||
		    st.st_size == 0 || st.st_uid != geteuid())
			continue;
		if (mbox_path(h, c, place, mbox, e) == -1)
			return -1;
		make_mbox(h, mbox);
		if (allow->allow(allow, path,
			POPPER_ALLOW_READ | POPPER_ALLOW_WRITE) == -1 ||
		    allow_folder(allow, path) == -1)
			return h->fail(
			    e, POPPER_TEMPORARY, "%s: cannot be allowed", path);
	}
}

static int
allow_lock(struct popper_allow *allow, const char *path)
{
	char name[POPPER_PATH_MAX + sizeof(".lock")];

	(void)snprintf(name, sizeof(name), "%s.lock", path);
	return allow->allow(allow, name, POPPER_ALLOW_READ);
}

int
mbox_paths(const struct popper_host *h, const void *conf,
    const struct popper_place *place, struct popper_allow *allow,
    struct popper_error *e)
{
	const struct mbox_conf *c = conf;
	char path[POPPER_PATH_MAX + 1];

	if (mbox_path(h, c, place, path, e) == -1)
		/* open says the same, and another module may have it. */
		return e->status == POPPER_ABSENT ? 0 : -1;
	if (allow_remains(h, c, place, allow, e) == -1)
		return -1;
	if (allow->allow(allow, path, POPPER_ALLOW_READ | POPPER_ALLOW_WRITE) ==
	    -1)
		goto fail;
	/* For the pid in another's dot lock, and for ours; this cuts the path,
	 * so it comes last. */
	if (!c->dotlock ||
	    (allow_lock(allow, path) == 0 && allow_folder(allow, path) == 0))
		return 0;
fail:
	return h->fail(e, POPPER_TEMPORARY, "%s: cannot be allowed", path);
}
