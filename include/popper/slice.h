/*
 * popper/slice.h - octets that somebody else owns.
 *
 * A slice is a pointer and a length, never NUL-terminated, good only as long
 * as the memory it points into.  Everything from the wire and from a mailbox
 * travels as slices, so a NUL octet is data and never an end.
 */
#ifndef POPPER_SLICE_H
#define POPPER_SLICE_H

#include <stddef.h>
#include <string.h>

struct popper_slice {
	const char *ptr;
	size_t len;
};

/** popper_slice(ptr, len): the ${len} octets at ${ptr}. */
static inline struct popper_slice
popper_slice(const void *ptr, size_t len)
{
	return (struct popper_slice){ .ptr = (const char *)ptr, .len = len };
}

/** popper_slice_text(text): the octets of ${text} without its NUL. */
static inline struct popper_slice
popper_slice_text(const char *text)
{
	return popper_slice(text, strlen(text));
}

#endif
