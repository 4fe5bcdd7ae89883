/*
 * mangle_macros.h - MDEF name(value): short names for what a client says often.
 */
#ifndef MANGLE_MACROS_H
#define MANGLE_MACROS_H

#include <stdbool.h>

#include <popper/slice.h>

#define MANGLE_MACROS_MAX 16
#define MANGLE_MACRO_NAME_MAX 31
#define MANGLE_MACRO_VALUE_MAX 400

struct mangle_macro {
	char name[MANGLE_MACRO_NAME_MAX + 1];
	char value[MANGLE_MACRO_VALUE_MAX + 1];
};

struct mangle_macros {
	size_t count;
	struct mangle_macro macro[MANGLE_MACROS_MAX];
};

enum mangle_define {
	MANGLE_DEFINED,
	MANGLE_SYNTAX, /* not name(value), or a character that cannot be */
	MANGLE_TOO_LONG,
	MANGLE_TOO_MANY
};

/**
 * mangle_macros_define(m, s, macro):
 * Keep the definition "name(value)" in ${s} and store it in ${macro}.  A name
 * that is known gets the new value.
 */
enum mangle_define mangle_macros_define(
    struct mangle_macros *, struct popper_slice, const struct mangle_macro **);

/** mangle_macros_find(m, name): its value, or NULL.  Case does not matter. */
const char *mangle_macros_find(
    const struct mangle_macros *, struct popper_slice name);

#endif
