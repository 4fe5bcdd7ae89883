/* options.h - the command line of popper(8). */
#ifndef MASTER_OPTIONS_H
#define MASTER_OPTIONS_H

#include <stdbool.h>

#include "base/settings.h"

struct options {
	const char *config; /* the usual file */
	bool config_given; /* -f: another one is read */
	char idle_flag; /* 'M', 'x', 'Z', or NUL */
	const char *pid_file; /* or NULL */
	bool list; /* --modules */
	bool check; /* --check */
	bool print; /* --print */
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
 * Fill ${s}: defaults, then what the command line says, from left to right,
 * each -f at its place.  Without -f the usual file comes first, if there is
 * one.
 */
int options_apply(
    const struct options *, struct settings *, struct popper_error *);

#endif
