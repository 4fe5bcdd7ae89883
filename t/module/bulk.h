/*
 * bulk.h - a drop that counts how it is asked, for tests of those that wrap it.
 */
#ifndef MODULE_BULK_H
#define MODULE_BULK_H

#include "ext_bed.h"

/* Message ${i} has bulk_octets(i) octets and a unique-id of bulk_uid. */
struct bulk {
	size_t count;
	bool measured;
	bool fails; /* after half of the list, and instead of a total */
	unsigned described, listed, totals, tops; /* calls */
	bool readable; /* by read, too */
};

extern struct bulk bulk;
/* The same without the slots of 1.3, as a module of 1.2 has it. */
extern const struct popper_drop bulk_drop, bulk_old_drop;

uint64_t bulk_octets(size_t i);
/** bulk_uid(i, uid): the first ones look like those of bulletins. */
void bulk_uid(size_t i, char uid[POPPER_UID_MAX + 1]);

#define BULK_TEXT "A: b\n\nText\n" /* of each message */

/** bulk_top(drop, self, i): asked for the first 9 lines of message ${i}, a
 * message comes; returns if it is BULK_TEXT. */
bool bulk_top(const struct popper_drop *, void *self, size_t i);

/** bulk_agrees(drop, self): total and list of ${drop} are what describe says,
 * and list stops where it is told to. */
void bulk_agrees(const struct popper_drop *, void *self);

#endif
