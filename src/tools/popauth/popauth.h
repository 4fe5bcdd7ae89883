/*
 * popauth.h - what the sub-commands of popauth share.
 *
 * A new sub-command is a function and a line in a table of its file; a new
 * file's table is named in main.c and its sources in src/Makefile.inc.
 */
#ifndef POPAUTH_POPAUTH_H
#define POPAUTH_POPAUTH_H

#include <stdbool.h>
#include <sys/types.h>

#include <popper/auth.h>

/* Exit statuses. */
#define POPAUTH_DONE 0
#define POPAUTH_FAILED 1
#define POPAUTH_USAGE 2

/* Who called, and about what. */
struct popauth {
	const char *program; /* popauth or mailauth */
	const char *file; /* of -f, or the sub-command's default */
	uid_t uid; /* the caller, whatever the process runs as */
	char user[POPPER_USER_MAX + 1]; /* and his name, or "" if he has none */
	/* Set-user-id: we run as the file's owner for somebody else, who may
	 * see and change nothing but his own entry. */
	bool borrowed;
};

struct subcommand {
	const char *name; /* NULL ends a table */
	const char *file; /* what -f replaces */
	const char *arguments; /* for the usage text */
	const char *help; /* one line */
	int least, most; /* arguments; a password is never one */
	bool everybody; /* also for callers of a set-user-id popauth */
	/* ${args} has ${count} arguments and a NULL.  Returns an exit status
	 * and has said on standard error what was wrong. */
	int (*run)(const struct popauth *, char *const *args, int count);
};

/* One table for each file of sub-commands; main.c lists them. */
extern const struct subcommand mailauth_subcommands[];
extern const struct subcommand users_subcommands[];
extern const struct subcommand app_subcommands[];

/** popauth_fail(p, e): tell ${e} on standard error.  POPAUTH_FAILED. */
int popauth_fail(const struct popauth *, const struct popper_error *);

/** popauth_say(p, format, ...): a line on standard error. */
void popauth_say(const struct popauth *, const char *format, ...)
    POPPER_PRINTF(2, 3);

/**
 * popauth_log(p, format, ...):
 * A line to syslog, facility auth, behind the caller's name; escaped.  Every
 * change calls it, and it never holds a secret.
 */
void popauth_log(const struct popauth *, const char *format, ...)
    POPPER_PRINTF(2, 3);

/**
 * popauth_check_name(name, e):
 * Can ${name} be a user's?  1 to 255 octets and no control character.
 * Returns 0, or -1 with the error filled.
 */
int popauth_check_name(const char *name, struct popper_error *);

#endif
