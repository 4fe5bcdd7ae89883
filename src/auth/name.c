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

/* As the account's name is compared later on. */
static bool
same(const struct settings *s, struct popper_slice a, const char *b)
{
	if (strlen(b) < a.len)
		return false;
	return s->downcase_user ? strncasecmp(a.ptr, b, a.len) == 0
				: strncmp(a.ptr, b, a.len) == 0;
}

/* Is ${user}, whole or without its domain, in the list of accounts whose name
 * ends so?  The list is the administrator's: to look for the account would
 * take a stranger time that tells whether it is there. */
static bool
is_excepted(const struct settings *s, const char *user, size_t local)
{
	static const char between[] = " \t,";
	const char *word = s->name_suffix_except;
	size_t len;

	for (word += strspn(word, between); *word != '\0';
	     word += len, word += strspn(word, between)) {
		len = strcspn(word, between);
		if ((len == local || len == strlen(user)) &&
		    same(s, popper_slice(word, len), user))
			return true;
	}
	return false;
}

/* "mary-no-mime@domain" is "mary@domain" and "no-mime". */
static void
cut_suffix(const struct settings *s, struct name *n)
{
	size_t local = strcspn(n->user, "@"), len = strlen(s->name_suffix);
	char *tail;

	n->suffix[0] = '\0';
	if (len == 0 || local <= len || is_excepted(s, n->user, local))
		return;
	tail = n->user + local - len;
	if (!same(s, popper_slice(s->name_suffix, len), tail))
		return;
	text_copy(n->suffix, sizeof(n->suffix), s->name_suffix + 1);
	memmove(tail, n->user + local, strlen(n->user + local) + 1);
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
	n->suffix[0] = '\0';
	if (prepare(n->user, sizeof(n->user), popper_slice_text(given), e) ==
	    -1)
		return -1;
	cut_suffix(s, n);
	if (split(s, n, e) == -1)
		return -1;
	if (!set_domain(s, n->user))
		return error_set(e, POPPER_DENIED, "no such form of a name");
	if (s->downcase_user)
		downcase(n->user);
	return 0;
}
