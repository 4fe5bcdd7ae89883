/*
 * file.h - the syntax of popper.conf and modules.conf.
 *
 *	# comment
 *	name = value
 *	name = { value, value }
 *	kind name { name = value ... }
 *
 * A value is a word or a "text in quotes" (\" and \\ inside).  Whatever is
 * wrong is told with file, line, the wrong word and what would be right.
 */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <stdbool.h>

#include <popper/error.h>

/* Called for what is found, in the file's order; texts die at return.  Each
 * returns 0, or -1 with ${error} filled (the file and line are put in front).
 */
struct conf_reader {
	void *context;
	/* NULL: the file must have no sections. */
	int (*section)(void *context, const char *kind, const char *name,
	    struct popper_error *);
	/* The values of a list come joined by spaces.  ${inside}: in the last
	 * section that was told. */
	int (*setting)(void *context, bool inside, const char *name,
	    const char *value, struct popper_error *);
};

/**
 * conf_load(path, error):
 * The text of the file, to be freed by the caller.  It must be regular, at
 * most 1 MiB, without a NUL, and written by nobody but root and us.  NULL: the
 * error's status is POPPER_ABSENT if there is no such file.
 */
char *conf_load(const char *path, struct popper_error *);

/** conf_read(path, reader, error): load a file and parse it.  0, or -1. */
int conf_read(
    const char *path, const struct conf_reader *, struct popper_error *);

/**
 * conf_parse(name, text, reader, error): the same for ${text}, which is
 * changed; ${name} stands in messages.
 */
int conf_parse(const char *name, char *text, const struct conf_reader *,
    struct popper_error *);

#endif
