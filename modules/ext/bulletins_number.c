/*
 * bulletins_number.c - where a user's number is kept.
 *
 * Runs in: the session, as the user; bulletins_number_paths before the session
 * is shut off.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "bulletins.h"
#include "bulletins_db.h"
#include "bulletins_popbull.h"

#define HOME_FILE "~/.popbull"

static bool
has_text(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/* The path of the user's file in popbull-directory or at home; false if he has
 * neither. */
static bool
find_path(
    const struct bulletins *b, bool at_home, char *path, struct popper_error *e)
{
	const struct popper_identity *i = b->place->identity;
	char pattern[POPPER_PATH_MAX + 1];

	if (at_home && !has_text(i->home))
		return false;
	if (at_home)
		return b->host->expand(
			   path, POPPER_PATH_MAX + 1, HOME_FILE, i, e) == 0;
	return snprintf(pattern, sizeof(pattern), "%s/%%u.popbull",
		   b->conf->popbull_directory) < (int)sizeof(pattern) &&
	    b->host->expand(path, POPPER_PATH_MAX + 1, pattern, i, e) == 0;
}

static bool
main_path(const struct bulletins *b, char *path, struct popper_error *e)
{
	return find_path(b, !has_text(b->conf->popbull_directory), path, e);
}

static struct bulletins_db
database(const struct bulletins *b)
{
	return (struct bulletins_db){ .host = b->host,
		.folder = b->conf->bulldb,
		.tries = b->conf->bulldb_max_tries,
		.rescue = b->place->state };
}

static int
allow_path(struct popper_allow *allow, const char *path, unsigned rights)
{
	return allow == NULL ? 0 : allow->allow(allow, path, rights);
}

/* What was in use before, to be read only. */
static int
allow_before(const struct bulletins *b, struct popper_allow *allow,
    struct popper_error *e)
{
	char path[POPPER_PATH_MAX + 1];

	for (int at_home = 0; at_home <= 1; at_home++)
		if ((at_home || has_text(b->conf->popbull_directory)) &&
		    find_path(b, at_home, path, e) &&
		    allow_path(allow, path, POPPER_ALLOW_READ) == -1)
			return -1;
	return 0;
}

int
bulletins_number_paths(const struct bulletins *b, struct popper_allow *allow,
    struct popper_error *e)
{
	const unsigned rights = POPPER_ALLOW_READ | POPPER_ALLOW_WRITE;
	const struct bulletins_db db = database(b);
	char path[POPPER_PATH_MAX + 1];

	if (allow_before(b, allow, e) == -1)
		return -1;
	if (has_text(b->conf->bulldb))
		return bulletins_db_path(&db, path, sizeof(path)) == -1
		    ? 0
		    : allow_path(allow, path, rights);
	if (!main_path(b, path, e))
		return 0;
	(void)bulletins_popbull_make(path); /* to write to it will tell */
	return allow_path(allow, path, rights);
}

static enum bulletins_found
read_file(const struct bulletins *b, const char *path, int64_t *number,
    struct popper_error *e)
{
	switch (bulletins_popbull_read(path, geteuid(), number)) {
	case POPBULL_NONE:
		return BULLETINS_NONE;
	case POPBULL_EMPTY:
		return BULLETINS_EMPTY;
	case POPBULL_NUMBER:
		return BULLETINS_NUMBER;
	case POPBULL_ERROR:
		break;
	}
	(void)b->host->fail_system(e, POPPER_TEMPORARY, "%s%s", path,
	    errno == EPERM ? " (must be a regular file with one name that "
			     "belongs to the user: remove it)"
			   : "");
	return BULLETINS_ERROR;
}

enum bulletins_found
bulletins_number_get(
    const struct bulletins *b, int64_t *number, struct popper_error *e)
{
	const struct bulletins_db db = database(b);
	char path[POPPER_PATH_MAX + 1];

	if (has_text(b->conf->bulldb))
		switch (bulletins_db_get(
		    &db, b->place->identity->user, number, e)) {
		case 1:
			return BULLETINS_NUMBER;
		case 0:
			return BULLETINS_NONE;
		default:
			return BULLETINS_ERROR;
		}
	if (!main_path(b, path, e))
		return BULLETINS_NONE;
	return read_file(b, path, number, e);
}

enum bulletins_found
bulletins_number_before(
    const struct bulletins *b, int64_t *number, struct popper_error *e)
{
	const bool folder = has_text(b->conf->popbull_directory);
	enum bulletins_found found = BULLETINS_NONE;
	char path[POPPER_PATH_MAX + 1];

	if (has_text(b->conf->bulldb) && folder && find_path(b, false, path, e))
		found = read_file(b, path, number, e);
	if (found != BULLETINS_NUMBER &&
	    (folder || has_text(b->conf->bulldb)) &&
	    find_path(b, true, path, e))
		found = read_file(b, path, number, e);
	return found;
}

int
bulletins_number_put(
    const struct bulletins *b, int64_t number, struct popper_error *e)
{
	const struct bulletins_db db = database(b);
	char path[POPPER_PATH_MAX + 1];

	if (has_text(b->conf->bulldb))
		return bulletins_db_put(
		    &db, b->place->identity->user, number, e);
	if (!main_path(b, path, e))
		return 0; /* he has none: the state folder is the place */
	if (bulletins_popbull_write(path, number) == 0)
		return 0;
	return b->host->fail_system(e, POPPER_TEMPORARY,
	    "%s (the number is kept in the state folder only; "
	    "popbull-directory can be a folder that users can write to)",
	    path);
}
