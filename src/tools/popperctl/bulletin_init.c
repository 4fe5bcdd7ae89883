/*
 * bulletin_init.c - "popperctl bulletin init": the database bulldb.
 *
 * Runs as:  root, or who owns all users' mail.
 *
 * Sessions run as users and reach the database by way of the mail group; they
 * refuse one that a user could have made.  Qpopper's was root's alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ext/bulletins_db.h"
#include "ext/bulletins_db_file.h"
#include "tools/popauth/pages.h"
#include "tools/popperctl/bulletin.h"

#define PATIENCE 10000 /* milliseconds for whoever has it */

struct found {
	size_t count, room;
	struct bulletins_db_record *list;
};

/* An item of a foreign .pag: a user with a NUL, and his number. */
static int
collect(struct popper_slice key, struct popper_slice value, void *arg)
{
	struct found *f = arg;
	struct bulletins_db_record *more;
	int64_t number;

	if (key.len < 2 || key.ptr[key.len - 1] != '\0' ||
	    strlen(key.ptr) != key.len - 1 ||
	    !bulletins_db_decode(value, &number)) {
		popperctl_say("an entry makes no sense and is left out");
		return 0;
	}
	if (f->count == f->room) {
		f->room = f->room == 0 ? 256 : f->room * 2;
		more = reallocarray(f->list, f->room, sizeof(*more));
		if (more == NULL)
			return -1;
		f->list = more;
	}
	f->list[f->count].number = number;
	if ((f->list[f->count].user = strdup(key.ptr)) == NULL)
		return -1;
	f->count++;
	return 0;
}

static int
fail(const char *path)
{
	popperctl_say("%s: %s", path, strerror(errno));
	return -1;
}

/* root's and the group's, or ours. */
static int
mend(int fd, const char *path, const char *group)
{
	const struct group *g = geteuid() == 0 ? getgrnam(group) : NULL;

	if (geteuid() == 0 && g == NULL) {
		popperctl_say("%s: there is no such group (mail-group); "
			      "sessions of users could not get at %s",
		    group, path);
		return -1;
	}
	if (g != NULL && fchown(fd, 0, g->gr_gid) == -1)
		return fail(path);
	if (fchmod(fd, 0660) == -1)
		return fail(path);
	return 0;
}

static int
fill(int fd, const char *path, const struct found *found)
{
	struct bulletins_db_file f = {
		.fd = fd, .path = path, .wait = PATIENCE, .rescue = -1
	};

	if (!bulletins_db_lock(&f, true)) {
		popperctl_say("%s: somebody else keeps it", path);
		return -1;
	}
	if (!bulletins_db_make(&f, found->list, found->count))
		return fail(path);
	return 0;
}

/* A new database, with what a foreign ${pag} has. */
static int
make(const char *path, int pag, const char *pag_path, const char *group)
{
	struct found found = { .count = 0 };
	struct popper_error e;
	int fd, result = -1;

	if (pag != -1 && pages_walk(pag, pag_path, collect, &found, &e) == -1)
		return popperctl_fail(&e), -1;
	fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		(void)fail(path);
	else if (fill(fd, path, &found) == 0 && mend(fd, path, group) == 0)
		result = printf("%s: made, %zu users\n", path, found.count) < 0
		    ? -1
		    : 0;
	if (fd != -1)
		(void)close(fd);
	if (fd != -1 && result == -1)
		(void)unlink(path);
	for (size_t i = 0; i < found.count; i++)
		free(found.list[i].user);
	free(found.list);
	return result;
}

static int
open_there(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
		return fd;
	(void)close(fd);
	errno = EPERM;
	return -1;
}

static int
init(const char *folder, const char *group)
{
	char path[PATH_MAX], pag[PATH_MAX];
	const char *name = path;
	int fd, result;

	if (!text_print(path, sizeof(path), "%s/" BULLETINS_DB_NAME, folder) ||
	    !text_print(pag, sizeof(pag), "%s/" BULLETINS_DB_PAG, folder)) {
		errno = ENAMETOOLONG;
		return fail(folder);
	}
	fd = open_there(path);
	if (fd == -1 && errno == ENOENT) {
		name = pag;
		fd = open_there(pag);
		if ((fd == -1 && errno == ENOENT) ||
		    (fd != -1 && pages_are(fd)))
			return make(path, fd, pag, group);
	}
	if (fd == -1)
		return fail(name);
	result = mend(fd, name, group);
	(void)close(fd);
	if (result == 0)
		result =
		    printf("%s: is there, its rights are right\n", name) < 0
		    ? -1
		    : 0;
	return result;
}

int
bulletin_init(const struct popperctl *p, char **args)
{
	static const struct argument_option none[] = { { NULL, ARGUMENT_FLAG,
	    NULL, NULL } };
	const char *folder = NULL;
	const struct argument_word words[] = { { "a folder", true, &folder },
		{ NULL, false, NULL } };
	struct bulletin_conf conf;
	struct popper_error e;

	if (!arguments_parse(&bulletin_family, "init", args, none, words))
		return POPPERCTL_USAGE;
	if (bulletin_conf_read(p, folder, &conf, &e) == -1)
		return popperctl_fail(&e);
	if (folder != NULL)
		conf.bulldb = folder;
	if (conf.bulldb[0] == '\0') {
		popperctl_say("no folder of a database: give one, or ext "
			      "bulletins { bulldb = ... } in modules.conf");
		return POPPERCTL_FAILED;
	}
	if (conf.mail_group[0] == '\0')
		conf.mail_group = "mail";
	return init(conf.bulldb, conf.mail_group) == 0 ? POPPERCTL_DONE
						       : POPPERCTL_FAILED;
}
