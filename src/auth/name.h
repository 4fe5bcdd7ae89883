/* name.h - the name that is meant by the name a client gave. */
#ifndef AUTH_NAME_H
#define AUTH_NAME_H

#include <popper/auth.h>

#include "base/settings.h"

struct name {
	char user[POPPER_USER_MAX + 1]; /* canonical */
	char folder[POPPER_FOLDER_MAX + 1]; /* sub-mailbox, or "" */
	char suffix[NAME_SUFFIX_MAX + 1]; /* "no-mime", or "" */
};

/**
 * name_make(s, given, name, error):
 * Prepare (RFC 4013), split off a suffix and a sub-mailbox, cut or add a
 * domain, lower the case, as the settings say.  0, or -1 with ${error}
 * POPPER_DENIED: the same answer as for a user that is not there.
 */
int name_make(const struct settings *, const char *given, struct name *,
    struct popper_error *);

/** name_is_folder(folder): may it be the name of a sub-mailbox?  Then it is
 * one component of a path, and not a hidden one. */
bool name_is_folder(const char *folder);

#endif
