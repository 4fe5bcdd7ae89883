/*
 * files.c - notice that certificates, keys, CA and CRL files have changed.
 *
 * Runs in: the master, as root.  Looks at the files' status only: what is in
 * them is read by popper-login, before it gives up root.
 *
 * A file may be replaced by a rename, through a symbolic link at any place of
 * its path, or with its folder.  The folders that are known tell by inotify(7)
 * when to look; what they do not tell is seen every LOOK_EVERY.
 */
#include "master/files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#define FILES_MAX 64
#define LOOK_EVERY 10000 /* ms */
#define LOOK_PAUSE 100 /* ms from an event to the look */
/* A certificate and its key are replaced one after the other: wait until no
 * file has changed for SETTLED ms, but not for ever. */
#define SETTLED 500
#define SETTLED_MOST 5000
#define EVENTS                                                                \
	(IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
	    IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR)

struct watched {
	char path[PATH_MAX];
	struct stat st; /* all zero: it is not there */
};

static struct {
	int inotify;
	size_t count;
	struct watched *file;
	deadline_t look; /* when to look next */
	bool soon; /* an event has told so */
	bool changed;
	deadline_t settled, limit; /* if changed */
} files = { .inotify = -1 };

static void
look_at(const char *path, struct stat *st)
{
	if (stat(path, st) == -1)
		memset(st, 0, sizeof(*st));
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The time of the inode's change tells of owner and mode as well: a key that
 * was refused for them is tried again. */
static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim) &&
	    same_time(&a->st_ctim, &b->st_ctim);
}

static void
watch_folder_of(const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	text_copy(folder, sizeof(folder), path);
	if ((slash = strrchr(folder, '/')) == NULL)
		text_copy(folder, sizeof(folder), ".");
	else
		slash[slash == folder] = '\0';
	if (inotify_add_watch(files.inotify, folder, EVENTS) == -1)
		log_debug("%s is looked at now and then", folder);
}

/* The folder of the path, and that of the file if a link leads there. */
static void
watch_folders(void)
{
	char real[PATH_MAX];

	for (size_t i = 0; files.inotify != -1 && i < files.count; i++) {
		watch_folder_of(files.file[i].path);
		if (realpath(files.file[i].path, real) != NULL &&
		    strcmp(real, files.file[i].path) != 0)
			watch_folder_of(real);
	}
}

static void
add(const char *path, size_t len)
{
	struct watched *w = &files.file[files.count];

	if (files.count == FILES_MAX ||
	    !text_from_slice(
		w->path, sizeof(w->path), popper_slice(path, len))) {
		log_warning("%.*s: changes of this file are not noticed",
		    len > 80 ? 80 : (int)len, path);
		return;
	}
	look_at(w->path, &w->st);
	files.count++;
}

/* Paths, separated by blanks. */
static void
add_list(const char *text)
{
	size_t len;

	for (;; text += len) {
		text += strspn(text, " ");
		if ((len = strcspn(text, " ")) == 0)
			return;
		add(text, len);
	}
}

void
files_stop(void)
{
	fd_close(&files.inotify);
	files.count = 0;
	files.soon = files.changed = false;
}

void
files_watch(const struct settings *s)
{
	files_stop();
	if (s->tls_certificate[0] == '\0' ||
	    strcmp(s->tls_support, "none") == 0)
		return;
	if (files.file == NULL &&
	    (files.file = calloc(FILES_MAX, sizeof(*files.file))) == NULL) {
		log_warning("no memory: changes of files are not noticed");
		return;
	}
	files.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	add_list(s->tls_certificate);
	add_list(s->tls_key);
	add_list(s->tls_client_ca);
	add_list(s->tls_client_crl);
	watch_folders();
	/* Once more, for what happened before the folders were watched. */
	files.look = deadline_in(LOOK_PAUSE);
}

int
files_input(void)
{
	/* A busy folder shall not keep us busy: events wait until the look. */
	return files.soon ? -1 : files.inotify;
}

deadline_t
files_due(void)
{
	deadline_t due = files.count == 0 ? DEADLINE_NEVER : files.look;

	return files.changed ? deadline_earlier(due, files.settled) : due;
}

/* Is there an event?  Which one does not matter: files are looked at. */
static bool
take_events(void)
{
	union {
		struct inotify_event align;
		char bytes[4096];
	} u;
	bool any = false;

	while (files.inotify != -1 && read(files.inotify, &u, sizeof(u)) > 0)
		any = true;
	return any;
}

static void
look(void)
{
	struct stat now;
	bool changed = false;

	take_events();
	for (size_t i = 0; i < files.count; i++) {
		look_at(files.file[i].path, &now);
		if (same(&now, &files.file[i].st))
			continue;
		files.file[i].st = now;
		changed = true;
	}
	watch_folders();
	files.soon = false;
	files.look = deadline_in(LOOK_EVERY);
	if (!changed)
		return;
	if (!files.changed)
		files.limit = deadline_in(SETTLED_MOST);
	files.changed = true;
	files.settled = deadline_earlier(deadline_in(SETTLED), files.limit);
}

bool
files_changed(void)
{
	if (files.count == 0)
		return false;
	if (!files.soon && take_events()) {
		files.soon = true;
		files.look = deadline_in(LOOK_PAUSE);
	}
	if (deadline_left(files.look) == 0)
		look();
	if (!files.changed || deadline_left(files.settled) > 0)
		return false;
	files.changed = false;
	return true;
}
