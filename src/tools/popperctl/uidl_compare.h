/* uidl_compare.h - two exports of unique-ids. */
#ifndef POPPERCTL_UIDL_COMPARE_H
#define POPPERCTL_UIDL_COMPARE_H

#include "tools/popperctl/output.h"

struct uidl_counts {
	size_t same; /* as in the file */
	size_t differ; /* there, but with another unique-id or size */
	size_t new; /* not in the file */
	size_t gone; /* in the file only */
};

/**
 * uidl_compare(file, now, tells, counts):
 * Compare lines "uid SP octets SP key" (popper/drop.h) by their keys; in
 * ${file} a key "-" is that of the next message, octets "-" are any.  What
 * differs goes to standard error if ${tells}.  Both texts are changed.  0, or
 * 1 if ${file} is no such text (told).
 */
int uidl_compare(
    struct keeper *file, struct keeper *now, bool tells, struct uidl_counts *);

#endif
