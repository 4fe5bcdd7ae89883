/*
 * mailauth.c - sub-commands for the mailauth database of secrets for APOP.
 *
 * Runs in: popauth, as root, as the owner of the database, or set-user-id to
 * the owner for somebody who changes his own secret.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/secret.h"
#include "base/text.h"
#include "tools/popauth/ask.h"
#include "tools/popauth/database.h"
#include "tools/popauth/prepare.h"
#include "tools/popauth/import.h"
#include "tools/popauth/replace.h"

/* Is there anything that a new database would take the place of? */
static bool
is_there(const char *path)
{
	struct popper_error e;
	char name[NAME_MAX + 1];
	int folder, fd = replace_open(path, &folder, name, sizeof(name), &e);

	if (fd == -1)
		return e.status != POPPER_ABSENT;
	fd_close(&fd);
	fd_close(&folder);
	return true;
}

static int
init(const struct popauth *p, char *const *args, int count)
{
	struct popper_error e;
	bool safe = count == 1;
	int made;

	if (safe && strcmp(args[0], "-safe") != 0) {
		popauth_say(p, "init: \"%s\" is not -safe", args[0]);
		return POPAUTH_USAGE;
	}
	if (!safe && is_there(p->file) &&
	    !ask_yes("Really throw away all secrets that are there (y/n)?"))
		return POPAUTH_FAILED;
	made = database_init(p->file, safe, &e);
	if (made == -1)
		return popauth_fail(p, &e);
	if (made == 1)
		popauth_log(p, "made an empty database %s", p->file);
	return POPAUTH_DONE;
}

static int
set(const struct popauth *p, const char *user)
{
	char secret[DATABASE_SECRET_MAX + 1] = "";
	struct popper_error e;
	bool had = false;
	int result = ask_new_secret(p, user, secret, sizeof(secret), &e);

	/* As the server prepares what a client proves (RFC 6856 2.2). */
	if (result == 0)
		result = prepare_stored(secret, sizeof(secret), &e);
	if (result == 0)
		result = database_set(p->file, user, secret, &had, &e);
	secret_wipe(secret, sizeof(secret));
	if (result == -1)
		return popauth_fail(p, &e);
	popauth_log(p, "%s the secret of %s in %s", had ? "changed" : "added",
	    user, p->file);
	return POPAUTH_DONE;
}

static int
add(const struct popauth *p, char *const *args, int count)
{
	struct popper_error e;

	(void)count;
	if (popauth_check_name(args[0], &e) == -1)
		return popauth_fail(p, &e);
	return set(p, args[0]);
}

static int delete (const struct popauth *p, char *const *args, int count)
{
	struct popper_error e;
	bool had = false;

	(void)count;
	if (database_set(p->file, args[0], NULL, &had, &e) == -1)
		return popauth_fail(p, &e);
	if (!had) {
		popauth_say(p, "%s: nobody called %s", p->file, args[0]);
		return POPAUTH_FAILED;
	}
	popauth_log(p, "deleted %s from %s", args[0], p->file);
	return POPAUTH_DONE;
}

/* Compare as long for a wrong one as for a right one. */
static bool
same(const char *a, const char *b)
{
	char x[DATABASE_SECRET_MAX + 1] = "", y[DATABASE_SECRET_MAX + 1] = "";
	bool equal = text_copy(x, sizeof(x), a) && text_copy(y, sizeof(y), b) &&
	    secret_equal(x, y, sizeof(x));

	secret_wipe(x, sizeof(x));
	secret_wipe(y, sizeof(y));
	return equal;
}

/* Somebody else's terminal may have been left alone: the old one first. */
static int
prove(const struct popauth *p, struct popper_error *e)
{
	char given[DATABASE_SECRET_MAX + 1] = "";
	struct entry entry;
	int result = database_get(p->file, p->user, &entry, e);

	if (result == -1 && e->status != POPPER_ABSENT)
		return -1;
	if (result == -1 || entry.secret[0] == '\0')
		return 0;
	result = ask_secret("Old secret: ", given, sizeof(given), e);
	if (result == 0 && !same(given, entry.secret)) {
		popauth_log(p, "did not know the old secret");
		result = error_set(e, POPPER_DENIED, "that is not the secret");
	}
	secret_wipe(given, sizeof(given));
	secret_wipe(&entry, sizeof(entry));
	return result;
}

static int
change(const struct popauth *p, char *const *args, int count)
{
	struct popper_error e;

	(void)args;
	(void)count;
	if (popauth_check_name(p->user, &e) == -1) {
		popauth_say(p, "you have no name here");
		return POPAUTH_FAILED;
	}
	if (p->borrowed && prove(p, &e) == -1)
		return popauth_fail(p, &e);
	return set(p, p->user);
}

static int
show(const struct entry *entry, void *arg)
{
	char name[4 * POPPER_USER_MAX + 1];

	(void)arg;
	if (entry == NULL)
		return 0;
	text_escape(name, sizeof(name), popper_slice_text(entry->user));
	(void)printf("%-16s:%s%s\n", name,
	    entry->secret[0] != '\0' ? " APOP" : "",
	    entry->scram ? " SCRAM" : "");
	return 0;
}

static int
list(const struct popauth *p, char *const *args, int count)
{
	struct popper_error e;
	struct entry entry;
	const char *user = count == 1 ? args[0] : p->borrowed ? p->user : "ALL";
	int result;

	if (p->borrowed && strcmp(user, p->user) != 0) {
		popauth_say(p, "list: you may list only yourself");
		return POPAUTH_FAILED;
	}
	if (strcmp(user, "ALL") == 0) {
		result = database_walk(p->file, show, NULL, &e);
	} else {
		result = database_get(p->file, user, &entry, &e);
		if (result == 0)
			(void)show(&entry, NULL);
		secret_wipe(&entry, sizeof(entry));
	}
	if (result == -1)
		return popauth_fail(p, &e);
	return fflush(stdout) == 0 ? POPAUTH_DONE : POPAUTH_FAILED;
}

const struct subcommand mailauth_subcommands[] = {
	{ "init", MAILAUTH_FILE, "[-safe]", "make an empty database of secrets",
	    0, 1, false, init },
	{ "add", MAILAUTH_FILE, "USER", "give USER a secret, or a new one", 1,
	    1, false, add },
	{ "delete", MAILAUTH_FILE, "USER", "remove USER", 1, 1, false, delete },
	{ "list", MAILAUTH_FILE, "[USER]", "who is in it", 0, 1, true, list },
	{ "change", MAILAUTH_FILE, "", "give yourself a new secret", 0, 0, true,
	    change },
	{ "import", MAILAUTH_FILE, "FILE", "take secrets from another database",
	    1, 1, false, import_database },
	{ .name = NULL },
};
