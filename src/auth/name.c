/*
 * name.c - the name that is meant by the name a client gave.
 *
 * Runs in: the gate of one connection, as root.
 */
#include "auth/name.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static void
downcase(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

int
name_make(const struct settings *s, const char *given, struct name *n,
    struct popper_error *e)
{
	n->folder[0] = '\0';
	if (!text_copy(n->user, sizeof(n->user), given) || n->user[0] == '\0')
		return error_set(e, POPPER_DENIED, "no such form of a name");
	if (s->downcase_user)
		downcase(n->user);
	return 0;
}
