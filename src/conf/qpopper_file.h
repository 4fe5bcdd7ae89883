/*
 * qpopper_file.h - the syntax of Qpopper's configuration file.
 *
 *	# comment
 *	set name = value	# comment
 *	set name		(a boolean: true)
 *	reset name		(a boolean: false)
 *
 * One statement is one line.  A value ends at a blank, or it is in quotes of
 * one of the kinds " ' `, which a backslash makes an ordinary character.
 * What names and values mean is not known here: see conf/qpopper.h.
 */
#ifndef CONF_QPOPPER_FILE_H
#define CONF_QPOPPER_FILE_H

#include <stdbool.h>

#include <popper/error.h>

struct qpopper_statement {
	const char *file; /* or what stands for it: "-b" */
	unsigned line; /* 0: there are no lines */
	bool reset;
	bool cut; /* the last line of the file, and no newline at its end */
	const char *name;
	const char *value; /* or NULL */
};

/**
 * qpopper_parse(file, text, take, context, error):
 * Call ${take} for each statement of ${text}, which is changed; names and
 * values die when it returns.  It returns 0, or -1 with the error filled.
 * Returns 0, or -1 with an error that names file, line and the wrong word.
 */
int qpopper_parse(const char *file, char *text,
    int (*take)(
	void *context, const struct qpopper_statement *, struct popper_error *),
    void *context, struct popper_error *);

/**
 * qpopper_written(text):
 * Is ${text} a Qpopper configuration?  True if its first statement is "set" or
 * "reset", a blank and a name.  In popper.conf nothing can look so: a "=" or a
 * "{" must follow the first or the second word.
 */
bool qpopper_written(const char *text);

/** qpopper_located(s, error): put "file:line: " in front of the error's text;
 * always returns -1. */
int qpopper_located(const struct qpopper_statement *, struct popper_error *);

#endif
