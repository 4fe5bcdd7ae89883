/* import.h - a configuration of Qpopper's, on its way to ours. */
#ifndef POPPERCTL_IMPORT_H
#define POPPERCTL_IMPORT_H

#include <stdio.h>

#include "conf/qpopper.h"

/* One option, and the comment on the statement that has set it. */
struct import_entry {
	const char *section; /* "" is popper.conf */
	const char *option; /* NULL: a comment, or the section alone */
	char *value;
	char *comment; /* whole lines, or "" */
	bool opens; /* the module is used only if this is set */
};

struct import {
	const char *path; /* Qpopper's file */
	const char *modules_conf; /* where modules.conf will be, or NULL */
	struct qpopper qpopper;
	size_t count;
	struct import_entry *entries;
	char *comment; /* on the statement that is read */
	bool has_set; /* it has set something */
};

/** import_popper_conf(out, m), import_modules_conf(out, m): write the file; see
 * ferror(out). */
void import_popper_conf(FILE *, const struct import *);
void import_modules_conf(FILE *, const struct import *);

#endif
