/*
 * arguments.h - the words behind a sub-command.
 *
 * What is wrong is told with the wrong word and the right ones, then how the
 * sub-command is called.
 */
#ifndef POPPERCTL_ARGUMENTS_H
#define POPPERCTL_ARGUMENTS_H

#include <stdbool.h>

#include "tools/popperctl/popperctl.h"

enum argument_kind {
	ARGUMENT_FLAG, /* stands alone */
	ARGUMENT_VALUE, /* "--since 2d", "--since=2d", "-d folder", "-dfolder"
	                 */
	ARGUMENT_MAY /* "--wait" or "--wait=60" */
};

/* An option: "--word", or "-l"; of those several may follow one "-". */
struct argument_option {
	const char *name; /* NULL ends a table */
	enum argument_kind kind;
	const char *needs; /* what the value is: "a time, as 3h" */
	/* Where the value goes; "" for an option without one.  The last one
	 * counts. */
	const char **value;
};

/* A word that is no option; they come in this order. */
struct argument_word {
	const char *what; /* "a user"; NULL ends a table */
	bool may; /* it may be missing */
	const char **value;
};

/**
 * arguments_parse(family, name, args, options, words):
 * Sort the arguments ${args} of sub-command ${name}, which end in NULL, into
 * ${options} and ${words}; what is not given is left as it is.  Behind "--"
 * nothing is an option, "-" never is one.  False: told.
 */
bool arguments_parse(const struct family *, const char *name, char **args,
    const struct argument_option *, const struct argument_word *);

#endif
