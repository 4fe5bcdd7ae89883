/* nearest.h - the option somebody may have meant. */
#ifndef CONF_NEAREST_H
#define CONF_NEAREST_H

#include <popper/module.h>

/**
 * nearest_option(table, word):
 * The name in ${table} that needs the fewest changes to become ${word}, or
 * NULL if none is near.
 */
const char *nearest_option(const struct popper_option *, const char *word);

/** nearest_word(name, word): the same among name(0), name(1) ... to NULL. */
const char *nearest_word(const char *(*name)(size_t), const char *word);

#endif
