/* mbox_reference.h - what a scan of an mbox must find, worked out slowly. */
#ifndef MBOX_REFERENCE_H
#define MBOX_REFERENCE_H

#include <popper/slice.h>

#include "mbox.h"

/**
 * reference_scan(file, index):
 * Split ${file} octet by octet into ${index}.  Returns 0, or -1: it does not
 * begin with a separator.
 */
int reference_scan(struct popper_slice file, struct mbox_index *);

/** reference_check(file, window): scan ${file} both ways; abort if they
 * differ. */
void reference_check(struct popper_slice file, size_t window);

#endif
