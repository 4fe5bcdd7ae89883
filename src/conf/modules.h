/* modules.h - modules.conf: which modules, in which order, how. */
#ifndef CONF_MODULES_H
#define CONF_MODULES_H

#include <stddef.h>

#include <popper/module.h>

#define MODULES_MAX 16 /* of one kind */

/* A module in use. */
struct used_module {
	const struct popper_module *module;
	void *conf; /* filled; lives as long as the process */
};

struct used_modules {
	size_t count;
	struct used_module used[MODULES_MAX];
};

/* Where to read of them. */
struct modules_source {
	const char *path; /* of modules.conf */
	const char *overlay; /* text of conf/overlay.h, or NULL */
};

/**
 * modules_read(source, kind, load, out, error):
 * Read modules.conf; for each section of ${kind} ("auth", "drop" or "ext")
 * call ${load} for the module and set its options, then those of the overlay.
 * Sections of the other kinds are only looked over: whose they are checks
 * them.  The same module may be used twice with other options.  -1: the error
 * names file, line, the wrong word and the right one.
 */
int modules_read(const struct modules_source *, const char *kind,
    const struct popper_module *(*load)(
	const char *kind, const char *name, struct popper_error *),
    struct used_modules *, struct popper_error *);

#endif
