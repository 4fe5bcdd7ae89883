/*
 * output.h - where popperctl writes what drop modules tell.
 *
 * What comes from mail or from a user's files must not command the terminal:
 * octets that are no printable ASCII are written as \xNN.
 */
#ifndef POPPERCTL_OUTPUT_H
#define POPPERCTL_OUTPUT_H

#include <stdio.h>

#include <popper/drop.h>

struct output {
	struct popper_sink sink;
	FILE *file;
	bool raw; /* as it is */
	uint64_t lines; /* that were ended so far */
};

/** output_to(o, file): escaped, whatever it is. */
void output_to(struct output *, FILE *);

/** output_data(o, file): as it is, for programs; escaped on a terminal. */
void output_data(struct output *, FILE *);

/** output_text(file, text): the same on one line: line ends and tabs are
 * escaped, too.  What was escaped before stays as it is. */
void output_text(FILE *, const char *text);

/* Text that is kept, with its NUL. */
struct keeper {
	struct popper_sink sink;
	char *text;
	size_t len, room;
};

/** keeper_start(k): empty.  keeper_end(k): free it. */
void keeper_start(struct keeper *);
void keeper_end(struct keeper *);

#endif
