/*
 * lines.h - a text file with a line for each user or device, changed as a
 * whole: what is not meant stays as it is, octet for octet.
 */
#ifndef POPAUTH_LINES_H
#define POPAUTH_LINES_H

#include <popper/slice.h>

#include "tools/popauth/replace.h"

/* What is read here. */
struct lines_form {
	const char *fields; /* for messages: "user:hash:uid:gid:maildrop" */
	size_t least; /* so many colons */
	size_t line_max; /* octets in a line */
	size_t file_max; /* octets in the file */
};

struct lines {
	const struct lines_form *form;
	const char *path;
	char *octets; /* NULL: there is no file */
	size_t len;
};

/* One of them. */
struct line {
	struct popper_slice text; /* without its end */
	unsigned long number;
	bool torn; /* the last, and not ended: not used by anybody */
	const char *problem; /* why modules do not use it; NULL: they do */
	bool comment; /* or blank */
};

/**
 * lines_load(l, form, path, e): read the file to look at it.  Returns 0, or -1
 * with the error filled; POPPER_ABSENT if there is none.
 */
int lines_load(struct lines *, const struct lines_form *, const char *path,
    struct popper_error *);

/** lines_begin(l, form, r, path, e): replace_begin(), and read the old file. */
int lines_begin(struct lines *, const struct lines_form *, struct replacement *,
    const char *path, struct popper_error *);

/** lines_free(l): wipe and free. */
void lines_free(struct lines *);

/**
 * lines_next(l, at, line):
 * The next line; ${at} is 0 before the first.  False at the end.
 */
bool lines_next(const struct lines *, size_t *at, struct line *);

/** lines_warn(p, l): tell of lines that nobody uses, 20 at most. */
void lines_warn(const struct popauth *, const struct lines *);

/** lines_field(line, n): field number ${n} from 0, empty if there is none; the
 * form's last field holds all that follows. */
struct popper_slice lines_field(struct popper_slice, size_t n, size_t least);

/** lines_put(r, s, e): append ${s} to the new file. */
int lines_put(struct replacement *, struct popper_slice, struct popper_error *);

/**
 * lines_commit(l, r, e): give the new file the old one's owner and mode and
 * replace_commit().
 */
int lines_commit(
    const struct lines *, struct replacement *, struct popper_error *);

#endif
