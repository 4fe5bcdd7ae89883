/* logging.h - the settings that shape lines of the log. */
#ifndef CONF_LOGGING_H
#define CONF_LOGGING_H

#include <popper/error.h>

#include "base/settings.h"

/** logging_check(s, error): log-style and log-login.  0 or -1. */
int logging_check(const struct settings *, struct popper_error *);

/** logging_is_qpopper(s): log-style is qpopper. */
bool logging_is_qpopper(const struct settings *);

/** logging_word(out, size, text): ${text} as one word that readers of such
 * lines take for a name: blanks, quotes and parentheses become "_"; an empty
 * one is "(null)". */
void logging_word(char *out, size_t size, const char *text);

/** logging_asks(s, what): has log-login "%${what}" in it? */
bool logging_asks(const struct settings *, char what);

/**
 * logging_login(s, values, out, size):
 * log-login with %0 to %3 replaced by ${values}: version, user, host, address.
 * Each becomes one word; one that does not fit is left out.
 */
void logging_login(const struct settings *, const char *const values[4],
    char *out, size_t size);

#endif
