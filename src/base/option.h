/* option.h - fill a struct from an option table (popper/module.h). */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <popper/module.h>

/**
 * option_find(table, name): the entry called ${name}, or NULL.
 */
const struct popper_option *option_find(
    const struct popper_option *table, const char *name);

/**
 * option_set(option, conf, value, error):
 * Parse ${value} as ${option} says and store it in the struct at ${conf}.  A
 * text is copied and lives for good.  Returns 0, or -1 with a log text that
 * names the wrong word and what would be right.
 */
int option_set(const struct popper_option *, void *conf, const char *value,
    struct popper_error *);

/** option_defaults(table, conf): every option's fallback.  A fallback that
 * does not parse is our own mistake: panics. */
void option_defaults(const struct popper_option *table, void *conf);

/** option_kind_name(kind): "text", "yes or no", "number" ... */
const char *option_kind_name(enum popper_option_kind);

/* The value in ${conf}, by the kind of the option. */
const char **option_text(const struct popper_option *, void *conf);
bool *option_bool(const struct popper_option *, void *conf);
uint64_t *option_number(const struct popper_option *, void *conf);

#endif
