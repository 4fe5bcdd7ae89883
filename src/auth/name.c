/*
 * name.c - the name that is meant by the name a client gave.
 *
 * Runs in: the gate of one connection, as root.
 */
#include "auth/name.h"

#include <string.h>
#include <strings.h>

#include "auth/prepare.h"
#include "base/error.h"
#include "base/text.h"

static const char folder_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

bool
name_is_folder(const char *folder)
{
	size_t len = strlen(folder);

	return len > 0 && len <= POPPER_FOLDER_MAX && folder[0] != '.' &&
	    strspn(folder, folder_characters) == len;
}

static void
downcase(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

/* "user+folder@domain" is "user@domain" and "folder": the first separator
 * counts, and only before the domain. */
static int
split(const struct settings *s, struct name *n, struct popper_error *e)
{
	size_t local = strcspn(n->user, "@"), at;
	struct popper_slice folder;

	if (s->mailbox_separator[0] == '\0')
		return 0;
	at = strcspn(n->user, s->mailbox_separator);
	if (at >= local)
		return 0;
	folder = popper_slice(n->user + at + 1, local - at - 1);
	if (!text_from_slice(n->folder, sizeof(n->folder), folder) ||
	    !name_is_folder(n->folder))
		return error_set(
		    e, POPPER_DENIED, "no such form of a sub-mailbox");
	/* Every maildrop has this one: its own. */
	if (strcasecmp(n->folder, "INBOX") == 0)
		n->folder[0] = '\0';
	memmove(n->user + at, n->user + local, strlen(n->user + local) + 1);
	return 0;
}

/* Cut a domain, add one. */
static bool
set_domain(const struct settings *s, char user[POPPER_USER_MAX + 1])
{
	size_t len;

	if (s->trim_domain)
		user[strcspn(user, "@")] = '\0';
	len = strlen(user);
	if (len == 0)
		return false;
	if (s->default_domain[0] == '\0' || strchr(user, '@') != NULL)
		return true;
	return text_print(
	    user + len, POPPER_USER_MAX + 1 - len, "@%s", s->default_domain);
}

int
name_make(const struct settings *s, const char *given, struct name *n,
    struct popper_error *e)
{
	n->folder[0] = '\0';
	if (prepare(n->user, sizeof(n->user), popper_slice_text(given), e) ==
		-1 ||
	    split(s, n, e) == -1)
		return -1;
	if (!set_domain(s, n->user))
		return error_set(e, POPPER_DENIED, "no such form of a name");
	if (s->downcase_user)
		downcase(n->user);
	return 0;
}
