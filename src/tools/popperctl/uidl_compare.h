/* uidl_compare.h - two exports of unique-ids. */
#ifndef POPPERCTL_UIDL_COMPARE_H
#define POPPERCTL_UIDL_COMPARE_H

#include "tools/popperctl/output.h"

/**
 * uidl_compare(file, now):
 * Compare lines "uid SP octets SP key" (popper/drop.h) by their keys; in
 * ${file} a key "-" is that of the next message, octets "-" are any.  What
 * differs goes to standard error, a summary to standard output.  Both texts are
 * changed.  0 if each message of ${file} that is there has its unique-id, 1 if
 * not, or if ${file} is no such text.
 */
int uidl_compare(struct keeper *file, struct keeper *now);

#endif
