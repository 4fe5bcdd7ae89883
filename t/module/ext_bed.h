/*
 * ext_bed.h - a talk, a view and a drop for the tests of ext modules.
 */
#ifndef MODULE_EXT_BED_H
#define MODULE_EXT_BED_H

#include "bed.h"

#include <popper/ext.h>

/* What the client hears, each line with "\n"; the last line is ".". */
extern char bed_said[4096];
extern struct popper_talk bed_talk;

/* The messages "a\n", "bb\n" and "ccc\n"; the last two are marked deleted. */
extern struct popper_view bed_view;
extern const struct popper_drop bed_drop;
extern int bed_drop_self;

/* What commit and close of this drop were told. */
extern unsigned char bed_committed[4];
extern size_t bed_committed_count;
extern unsigned bed_closed;

#endif
