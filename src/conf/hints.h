/* hints.h - options of other popper servers that have nothing to do here. */
#ifndef CONF_HINTS_H
#define CONF_HINTS_H

#include <popper/module.h>

/* Names and kinds; the help text says why there is nothing to do. */
extern const struct popper_option hints[];

/** hints_forget(): none was given (before the configuration is read again). */
void hints_forget(void);

/**
 * hints_set(name, value, error):
 * Take an option that does nothing.  1 if ${name} is one, 0 if not, -1 with
 * ${error} filled if it is one but ${value} is wrong.
 */
int hints_set(const char *name, const char *value, struct popper_error *);

/** hints_tell(): one line in the log with those that were given, if any. */
void hints_tell(void);

#endif
