/*
 * command.h - the table is the protocol.
 *
 * Pure text: no descriptor, no state of its own.  RFC 1939 section 3,
 * RFC 2449 section 3.
 */
#ifndef PROTO_COMMAND_H
#define PROTO_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/slice.h>

/* Octets in a command line with its CRLF (RFC 2449 section 4). */
#define COMMAND_LINE_MAX 255
#define COMMAND_ARGS_MAX 6

struct reply;

/* What a handler has done.  The dialog acts on it. */
enum outcome {
	OUTCOME_DONE, /* answered; go on */
	OUTCOME_REFUSED, /* answered -ERR; go on, and count it */
	OUTCOME_QUIT, /* QUIT was received; its answer is the caller's */
	OUTCOME_CLOSE, /* answered, or not: close the connection now */
	OUTCOME_HANDED_OVER /* the connection is somebody else's now */
};

struct arguments {
	size_t count;
	struct popper_slice word[COMMAND_ARGS_MAX]; /* without the keyword */
	struct popper_slice rest; /* all after the keyword and one space */
};

struct command {
	const char *keyword; /* upper case; NULL ends a table */
	unsigned least, most; /* arguments */
	/* REST: one argument, all after the first space, spaces included */
	bool rest;
	enum outcome (*run)(
	    void *context, const struct arguments *, struct reply *);
};

enum command_fault {
	COMMAND_FINE,
	COMMAND_UNKNOWN,
	COMMAND_SYNTAX, /* spaces or control characters where none may be */
	COMMAND_ARGUMENTS /* too few, too many */
};

/**
 * command_split(line, keyword, args):
 * Cut ${line} (without line end) at single spaces.  COMMAND_SYNTAX if the
 * line is empty, begins or ends with a space, has two in a row, a control
 * character (NUL included), or more words than fit.  The words point into
 * ${line}.  ${args->rest} is set even then, if there is a space at all, so
 * that a command with REST works for any octets but NUL.
 */
enum command_fault command_split(struct popper_slice line,
    struct popper_slice *keyword, struct arguments *args);

/**
 * command_find(table, line, found, args):
 * Split ${line}, find its keyword in ${table} in any case, check the number of
 * arguments.  ${found} is set for COMMAND_FINE and COMMAND_ARGUMENTS (and for
 * COMMAND_SYNTAX if the keyword is known), else NULL.
 */
enum command_fault command_find(const struct command *table,
    struct popper_slice line, const struct command **found,
    struct arguments *args);

#endif
