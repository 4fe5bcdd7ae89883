/*
 * pam_account.c - the system's account of a user: uid, gid, home.
 *
 * Runs in:  the gate, as root.  Asks the name service (nsswitch.conf(5)), which
 *           may block; the gate has a deadline.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "pam.h"

/* An entry larger than this is a broken name service. */
#define ENTRY_MAX (1u << 20)

bool
auth_pam_is_name(const char *user)
{
	for (const char *c = user; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || strchr("/:\x7f", *c) != NULL)
			return false;
	}
	return user[0] != '\0' && strlen(user) <= POPPER_USER_MAX;
}

/* The path in option mail, behind "NAME:" if there is one. */
static const char *
path_of(const char *mail)
{
	const char *colon = strchr(mail, ':');

	if (mail[0] == '/' || mail[0] == '~' || colon == NULL)
		return mail;
	return colon + 1;
}

const char *
auth_pam_check_mail(const char *mail)
{
	const struct popper_identity *id = NULL;
	const char *path = path_of(mail);

	if (mail[0] == '\0')
		return NULL;
	if (path == mail && mail[0] != '/' && mail[0] != '~')
		return "mail is neither a path nor NAME:path";
	if (path != mail && path - mail == 1)
		return "mail names no kind of maildrop before the colon";
	if ((size_t)(path - mail) > sizeof(id->drop))
		return "mail has too long a name before the colon";
	return path[0] == '\0' ? "mail names no place" : NULL;
}

static bool
copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

/* Fill ${id} from ${entry}: the account's own spelling of the name counts. */
static int
identify(const struct auth_pam *p, const struct passwd *entry,
    struct popper_identity *id, struct popper_error *e)
{
	const char *mail = p->conf->mail;
	const char *path = path_of(mail);

	if (!auth_pam_is_name(entry->pw_name) ||
	    !copy(id->user, sizeof(id->user), entry->pw_name) ||
	    !copy(id->home, sizeof(id->home), entry->pw_dir))
		return p->host->fail(e, POPPER_PERMANENT,
		    "pam: %s: name or home of the account is not fit",
		    entry->pw_name);
	id->flags = 0;
	id->uid = entry->pw_uid;
	id->gid = entry->pw_gid;
	id->drop[0] = id->maildrop[0] = '\0';
	if (mail[0] == '\0')
		return 0;
	if (path != mail) {
		memcpy(id->drop, mail, (size_t)(path - mail) - 1);
		id->drop[path - mail - 1] = '\0';
	}
	return p->host->expand(id->maildrop, sizeof(id->maildrop), path, id, e);
}

/* getpwnam_r with as much memory at ${*buf} as it wants. */
static int
find(const char *user, struct passwd *room, char **buf, struct passwd **entry)
{
	size_t size = 1024;
	char *more;
	int result;

	do {
		size *= 2;
		more = realloc(*buf, size);
		if (more == NULL)
			return ENOMEM;
		*buf = more;
		result = getpwnam_r(user, room, *buf, size, entry);
	} while (result == EINTR || (result == ERANGE && size < ENTRY_MAX));
	return result;
}

int
auth_pam_account(const struct auth_pam *p, const char *user,
    struct popper_identity *id, struct popper_error *e)
{
	struct passwd room;
	struct passwd *entry = NULL;
	char *buf = NULL;
	int result = find(user, &room, &buf, &entry);

	if (entry != NULL) {
		result = identify(p, entry, id, e);
	} else if (result == 0 || result == ENOENT || result == ESRCH) {
		result = p->host->fail(e, POPPER_ABSENT,
		    "pam: %s has no account on this system", user);
	} else {
		errno = result;
		result = p->host->fail_system(
		    e, POPPER_TEMPORARY, "pam: account of %s", user);
	}
	free(buf);
	return result;
}
