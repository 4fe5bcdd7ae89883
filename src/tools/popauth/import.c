/*
 * import.c - secrets from the first popper's databases.
 *
 * Runs in: popauth, as root or as the owner of the database.
 */
#include "tools/popauth/import.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/secret.h"
#include "base/text.h"
#include "tools/popauth/database.h"
#include "tools/popauth/pages.h"

#define ENTRIES_MAX 1000000

struct found {
	struct entry *entries; /* with a secret */
	size_t count, room;
	size_t left; /* not taken */
};

static void
tell(const char *user, const char *what)
{
	char name[4 * POPPER_USER_MAX + 1];

	text_escape(name, sizeof(name), popper_slice_text(user));
	(void)printf("%s: %s\n", name, what);
}

/* No realloc(3): it would leave secrets behind. */
static int
make_room(struct found *f)
{
	size_t room = f->room == 0 ? 64 : f->room * 2;
	struct entry *entries;

	if (f->count < f->room)
		return 0;
	if (room > ENTRIES_MAX)
		return errno = EFBIG, -1;
	entries = calloc(room, sizeof(*entries));
	if (entries == NULL)
		return -1;
	for (size_t i = 0; i < f->count; i++)
		entries[i] = f->entries[i];
	secret_wipe(f->entries, f->count * sizeof(*entries));
	free(f->entries);
	f->entries = entries;
	f->room = room;
	return 0;
}

static int
collect(const struct entry *entry, void *arg)
{
	struct found *f = arg;

	if (entry == NULL) {
		f->left++;
		(void)printf("(a record): not taken, it makes no sense\n");
	} else if (entry->secret[0] == '\0') {
		f->left++;
		tell(entry->user,
		    entry->scram ? "not taken, it has a SCRAM-MD5 verifier only"
				 : "not taken, it has no secret");
	} else if (make_room(f) == -1) {
		return -1;
	} else {
		f->entries[f->count++] = *entry;
	}
	return 0;
}

/* FILE, or FILE.pag of an ndbm pair. */
static int
open_source(const char *path, struct popper_error *e)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	char pag[PATH_MAX];
	struct stat st;
	int fd = open(path, flags);

	if (fd == -1 && errno == ENOENT &&
	    text_print(pag, sizeof(pag), "%s.pag", path))
		fd = open(pag, flags);
	if (fd == -1)
		return error_system(e, POPPER_ABSENT, "%s", path);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		fd_close(&fd);
		return error_set(
		    e, POPPER_PERMANENT, "%s: not a regular file", path);
	}
	return fd;
}

/* An item of an ndbm's page. */
static int
collect_item(struct popper_slice key, struct popper_slice value, void *arg)
{
	struct entry entry;
	bool sound = database_decode(key, value, &entry);
	int result = collect(sound ? &entry : NULL, arg);

	secret_wipe(&entry, sizeof(entry));
	return result;
}

static int
read_source(const char *path, struct found *f, struct popper_error *e)
{
	int fd = open_source(path, e);

	if (fd == -1)
		return -1;
	if (pages_are(fd))
		return pages_walk(fd, path, collect_item, f, e);
	return database_walk_fd(fd, path, collect, f, e);
}

int
import_database(const struct popauth *p, char *const *args, int count)
{
	struct found f = { .entries = NULL };
	struct popper_error e;
	size_t taken = 0;
	int result;

	(void)count;
	result = read_source(args[0], &f, &e);
	if (result == 0)
		result = database_import(p->file, f.entries, f.count, &e);
	for (size_t i = 0; result == 0 && i < f.count; i++) {
		taken += !f.entries[i].kept;
		tell(f.entries[i].user,
		    f.entries[i].kept ? "not taken, it is there already"
				      : "taken");
	}
	if (result == 0) {
		(void)printf("%zu taken, %zu not taken\n", taken,
		    f.count - taken + f.left);
		popauth_log(p, "took %zu secrets from %s into %s", taken,
		    args[0], p->file);
	}
	secret_wipe(f.entries, f.room * sizeof(*f.entries));
	free(f.entries);
	return result == 0 ? POPAUTH_DONE : popauth_fail(p, &e);
}
