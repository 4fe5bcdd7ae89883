/*
 * popperctl.h - what the sub-commands of popperctl share.
 *
 * "popperctl bulletin list": a family of sub-commands and one of them;
 * "popperctl recover": one without sub-commands.  A new sub-command is a
 * function and a line in its family's table; a new family is named in main.c
 * and its sources in src/Makefile.inc.
 */
#ifndef POPPERCTL_POPPERCTL_H
#define POPPERCTL_POPPERCTL_H

#include <stdbool.h>

#include <popper/module.h>

/* Exit statuses. */
#define POPPERCTL_DONE 0
#define POPPERCTL_FAILED 1
#define POPPERCTL_USAGE 2

struct popperctl {
	const char *conf; /* popper.conf: -f, or the usual one */
	bool given; /* by -f */
};

struct subcommand {
	/* NULL ends a table; "": the family is itself the command, and has
	 * no other. */
	const char *name;
	const char *arguments; /* for the usage text */
	const char *help; /* one line */
	/* ${args} ends in NULL; see arguments.h.  Returns an exit status and
	 * has said on standard error what was wrong. */
	int (*run)(const struct popperctl *, char **args);
};

struct family {
	const char *name;
	const char *help; /* one line */
	const struct subcommand *subcommands;
};

extern const struct family bulletin_family;
extern const struct family import_family;
extern const struct family index_family;
extern const struct family recover_family;
extern const struct family uidl_family;
extern const struct family undelete_family;

/** popperctl_say(format, ...): a line on standard error, as output_text of
 * output.h writes it: whatever is in it, it is fit for a terminal. */
void popperctl_say(const char *format, ...) POPPER_PRINTF(1, 2);

/** popperctl_fail(e): tell ${e} on standard error.  POPPERCTL_FAILED. */
int popperctl_fail(const struct popper_error *);

/**
 * popperctl_misused(family, name):
 * Tell how sub-command ${name} of ${family} is called.  POPPERCTL_USAGE.
 */
int popperctl_misused(const struct family *, const char *name);

/**
 * popperctl_unknown(what, word, names):
 * ${word} is none of ${names}, a table that ends in NULL: tell which is near,
 * and which there are.  ${what}: "command".  POPPERCTL_USAGE.
 */
int popperctl_unknown(
    const char *what, const char *word, const struct popper_option *names);

/** popperctl_is_alone(family): a command without sub-commands? */
bool popperctl_is_alone(const struct family *);

#endif
