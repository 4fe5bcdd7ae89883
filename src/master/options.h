/* options.h - the command line of popper(8). */
#ifndef MASTER_OPTIONS_H
#define MASTER_OPTIONS_H

#include <stdbool.h>

#include "base/settings.h"

struct options {
	const char *config; /* -f, or the usual path */
	bool config_given;
	const char *pid_file; /* or NULL */
	bool list; /* --modules */
	bool check; /* --check */
	bool inetd; /* --inetd */
	bool daemon; /* --daemon */
	bool to_stderr; /* --log-to stderr */
};

/** options_parse(o, argc, argv): ends the process for --help, --version and
 * anything it does not know.  What sets an option of popper.conf is kept for
 * options_apply. */
void options_parse(struct options *, int argc, char **argv);

/**
 * options_apply(o, s, error):
 * Fill ${s}: defaults, then the file, then the command line.  A missing file
 * is an error only if -f named it.
 */
int options_apply(
    const struct options *, struct settings *, struct popper_error *);

#endif
