/*
 * bulletin_status.c - "popperctl bulletin status": how far a user is.
 *
 * Runs as:  root, or the user; reads only.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ext/bulletins.h"
#include "ext/bulletins_db.h"
#include "ext/bulletins_popbull.h"
#include "mod/host.h"
#include "tools/popperctl/bulletin.h"

/* Where the number is, and what it is. */
struct progress {
	char where[POPPER_PATH_MAX + 1];
	bool known;
	int64_t number;
};

static void
look_into_file(struct progress *p, const char *path)
{
	uid_t owner;
	struct stat st;

	(void)text_copy(p->where, sizeof(p->where), path);
	owner = lstat(path, &st) == 0 ? st.st_uid : 0;
	p->known =
	    bulletins_popbull_read(path, owner, &p->number) == POPBULL_NUMBER;
}

/* In the module's order: database, folder, home. */
static int
look(struct progress *p, const struct bulletin_conf *c,
    const struct popper_identity *i, struct popper_error *e)
{
	const struct bulletins_db db = { .host = &host_services,
		.folder = c->bulldb,
		.tries = 8,
		.rescue = -1 };
	char path[POPPER_PATH_MAX + 1];
	int found;

	if (c->bulldb[0] != '\0') {
		(void)text_print(
		    p->where, sizeof(p->where), "%s/bulldb", c->bulldb);
		if ((found = bulletins_db_get(&db, i->user, &p->number, e)) ==
		    -1)
			return -1;
		if ((p->known = found == 1))
			return 0;
	}
	if (c->popbull_directory[0] != '\0' &&
	    text_print(path, sizeof(path), "%s/%s.popbull",
		c->popbull_directory, i->user))
		look_into_file(p, path);
	if (!p->known && i->home[0] != '\0' &&
	    text_print(path, sizeof(path), "%s/.popbull", i->home))
		look_into_file(p, path);
	return 0;
}

static void
list(const char *what, const struct bulletins_folder *f,
    bool (*wanted)(const void *, const struct bulletins_entry *),
    const void *arg)
{
	char name[1024];

	for (size_t i = 0; i < f->count; i++)
		if (wanted(arg, &f->entries[i])) {
			text_escape(name, sizeof(name),
			    popper_slice_text(f->entries[i].name));
			(void)printf("%s: %s\n", what, name);
		}
}

static bool
is_waiting(const void *arg, const struct bulletins_entry *b)
{
	return b->number > *(const int64_t *)arg;
}

static bool
is_held(const void *arg, const struct bulletins_entry *b)
{
	return bulletins_list_has(arg, b);
}

/* The list in the state folder: left out if it cannot be looked at. */
static void
tell_held(const char *state_folder, const struct popper_identity *i,
    const struct bulletins_folder *f, struct progress *p)
{
	struct popper_place place = { .size = sizeof(place), .identity = i };
	struct bulletins b = { .host = &host_services, .place = &place };
	char path[POPPER_PATH_MAX + 1];
	struct popper_error e;

	if (!text_print(path, sizeof(path), "%s/%s", state_folder, i->user) ||
	    (place.state = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
		-1)
		return;
	if (bulletins_list_read(&b, &e) == 0 && b.list.known) {
		if (!p->known || (!b.list.stored && b.list.last > p->number)) {
			(void)text_copy(p->where, sizeof(p->where), path);
			p->known = true;
			p->number = b.list.last;
		}
		list("got, not deleted", f, is_held, &b.list);
	}
	free(b.list.held);
	(void)close(place.state);
}

static int
tell(const struct bulletin_conf *c, const struct popper_identity *i,
    struct progress *p)
{
	struct bulletins_folder f;

	if (bulletins_folder_open(&f, c->directory) == -1) {
		popperctl_say("%s: %s", c->directory, strerror(errno));
		return POPPERCTL_FAILED;
	}
	tell_held(c->state_folder, i, &f, p);
	if (p->known) {
		list("new", &f, is_waiting, &p->number);
		(void)printf("number: %" PRId64 " (%s)\n", p->number, p->where);
	} else {
		(void)printf("number: none, a new user\n");
	}
	bulletins_folder_close(&f);
	return POPPERCTL_DONE;
}

int
bulletin_status(const struct popperctl *ctl, char **args)
{
	static struct popper_identity i;
	const char *directory = NULL, *user = NULL;
	const struct argument_option options[] = { BULLETIN_DIRECTORY(
						       &directory),
		{ NULL, ARGUMENT_FLAG, NULL, NULL } };
	const struct argument_word words[] = { { "a user", false, &user },
		{ NULL, false, NULL } };
	struct bulletin_conf conf;
	struct progress p = { .known = false };
	const struct passwd *pw;
	struct popper_error e;

	if (!arguments_parse(&bulletin_family, "status", args, options, words))
		return POPPERCTL_USAGE;
	if (bulletin_conf_read(ctl, directory, &conf, &e) == -1)
		return popperctl_fail(&e);
	if (user[0] == '\0' || user[0] == '.' || strchr(user, '/') != NULL ||
	    !text_copy(i.user, sizeof(i.user), user)) {
		popperctl_say("\"%s\" is no user's name", user);
		return POPPERCTL_USAGE;
	}
	if ((pw = getpwnam(user)) != NULL)
		(void)text_copy(i.home, sizeof(i.home), pw->pw_dir);
	if (look(&p, &conf, &i, &e) == -1)
		return popperctl_fail(&e);
	return tell(&conf, &i, &p);
}
