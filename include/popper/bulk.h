/*
 * popper/bulk.h - all messages of a maildrop, in one call if it can.
 *
 * For those who use a drop, as the server and modules that wrap one do.  A
 * drop without total or list, perhaps since it was built for an older
 * interface, is asked for one message after the other; one without top, to
 * read.
 */
#ifndef POPPER_BULK_H
#define POPPER_BULK_H

#include <stdbool.h>
#include <stddef.h>

#include <popper/drop.h>

/** POPPER_DROP_HAS(drop, slot): does it have the function?  One that was built
 * for an older interface ends before the newest slots. */
#define POPPER_DROP_HAS(drop, slot)                                          \
	((drop)->size >=                                                     \
		offsetof(struct popper_drop, slot) + sizeof((drop)->slot) && \
	    (drop)->slot != NULL)

/** popper_drop_is_measured(drop, self): can it say all sizes without reading
 * mail first? */
static inline bool
popper_drop_is_measured(const struct popper_drop *drop, const void *self)
{
	return !POPPER_DROP_HAS(drop, is_measured) || drop->is_measured(self);
}

/** popper_drop_tidy(drop, self, error): 0 or -1. */
static inline int
popper_drop_tidy(
    const struct popper_drop *drop, void *self, struct popper_error *error)
{
	return POPPER_DROP_HAS(drop, tidy) ? drop->tidy(self, error) : 0;
}

/** popper_drop_total(drop, self, octets, error): of all messages together.
 * Returns 0 or -1. */
static inline int
popper_drop_total(const struct popper_drop *drop, void *self, uint64_t *octets,
    struct popper_error *error)
{
	struct popper_message m;
	size_t count;

	if (POPPER_DROP_HAS(drop, total))
		return drop->total(self, octets, error);
	count = drop->count(self);
	*octets = 0;
	for (size_t i = 0; i < count; i++) {
		m.octets = 0;
		if (drop->describe(self, i, POPPER_WANT_OCTETS, &m, error) ==
		    -1)
			return -1;
		*octets += m.octets;
	}
	return 0;
}

/** popper_drop_list(drop, self, want, lister, error): as list in
 * popper/drop.h. */
static inline int
popper_drop_list(const struct popper_drop *drop, void *self, unsigned want,
    struct popper_lister *lister, struct popper_error *error)
{
	struct popper_message m;
	size_t count;

	if (POPPER_DROP_HAS(drop, list))
		return drop->list(self, want, lister, error);
	count = drop->count(self);
	m.octets = 0;
	for (size_t i = 0; i < count; i++) {
		m.uid[0] = '\0';
		if (drop->describe(self, i, want, &m, error) == -1)
			return -1;
		m.uid[POPPER_UID_MAX] = '\0';
		if (lister->put(
			lister, i, m.octets, popper_slice_text(m.uid)) != 0)
			break;
	}
	return 0;
}

/** popper_drop_top(drop, self, i, lines, sink, error): as top in
 * popper/drop.h. */
static inline int
popper_drop_top(const struct popper_drop *drop, void *self, size_t i,
    uint64_t lines, struct popper_sink *sink, struct popper_error *error)
{
	if (POPPER_DROP_HAS(drop, top))
		return drop->top(self, i, lines, sink, error);
	return drop->read(self, i, 0, sink, error);
}

#endif
