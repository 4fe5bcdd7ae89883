/*
 * overlay.h - options of modules that stand outside of modules.conf.
 *
 * Flags of the command line, Qpopper's configuration file and the build may
 * set options of modules.  The master gathers them as a text, which goes to
 * the services with the settings; who reads modules.conf lays it over.
 */
#ifndef CONF_OVERLAY_H
#define CONF_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/error.h>

#define OVERLAY_MAX 16384 /* octets of the text, with its NUL */

enum overlay_mode {
	OVERLAY_NO_FILE = 'n', /* modules.conf is not read */
	OVERLAY_DEFAULT = 'd', /* another default */
	OVERLAY_USE = 'u', /* use the module; nothing is set */
	OVERLAY_OPEN = 'o', /* set, and use the module for that */
	OVERLAY_SET = 's' /* set if the module is used */
};

struct overlay {
	size_t len;
	char text[OVERLAY_MAX];
};

/* One line, taken apart; it dies when the function that gets it returns. */
struct overlay_line {
	enum overlay_mode mode;
	const char *origin; /* "FILE:LINE", "-b": for messages */
	const char *kind, *name; /* of the module */
	const char *option, *value;
};

/** overlay_clear(o): nothing is laid over. */
void overlay_clear(struct overlay *);

/** overlay_add(o, line, error): add a line; texts that are NULL are "".  0, or
 * -1 if there is no room. */
int overlay_add(
    struct overlay *, const struct overlay_line *, struct popper_error *);

struct overlay_walk {
	void *context;
	int (*take)(
	    void *context, const struct overlay_line *, struct popper_error *);
};

/**
 * overlay_walk(text, walk, error):
 * Call ${take} for each line, until it returns -1.  The line's origin is put
 * in front of its error.  ${text} may be NULL.
 */
int overlay_walk(
    const char *text, const struct overlay_walk *, struct popper_error *);

/** overlay_replaces(text): is modules.conf not to be read? */
bool overlay_replaces(const char *text);

#endif
