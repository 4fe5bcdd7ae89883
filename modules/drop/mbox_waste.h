/*
 * mbox_waste.h - deleted messages that are still in the mbox.
 *
 * With purge = lazy QUIT only writes down what is gone.  The rest of the module
 * knows nothing of it: for that, the mbox has all its messages.  This is a
 * layer between it and the server, which leaves out what is gone.
 */
#ifndef MBOX_WASTE_H
#define MBOX_WASTE_H

#include "mbox.h"

#define MBOX_WASTE "waste" /* in the state folder */
#define MBOX_WASTE_NEW "waste.new"

/* A mark of a message that was gone before this session. */
#define MBOX_MARK_WASTED 0x80u

/* Of an open mbox.  None are gone: there is none. */
struct mbox_waste {
	unsigned char *gone; /* an octet for each message */
	uint32_t *shown; /* the messages that are not gone */
	size_t messages, count; /* of all, and how many are gone */
	uint64_t octets; /* of those that are gone, as LIST says */
};

/* --- mbox_waste.c --- */

/**
 * mbox_waste_load(m, error):
 * After open: find the messages that are gone, m->waste.  One that is not
 * certainly there is shown.  0 or -1.
 */
int mbox_waste_load(struct mbox *, struct popper_error *);

/**
 * mbox_waste_write(m, changes, proven):
 * Write down that all marked messages of the mbox are gone.  Needs m->uids and
 * records; ${proven}: it is as m->seen says.  POPPER_DONE: that is on stable
 * storage.  Else errno says why.
 */
enum popper_outcome mbox_waste_write(
    struct mbox *, const struct popper_changes *, bool proven);

/** mbox_waste_drop(m): nothing is gone that is still there. */
void mbox_waste_drop(const struct mbox *);

/** mbox_waste_free(m): takes m->waste away. */
void mbox_waste_free(struct mbox *);

/* --- mbox_waste_match.c --- */

/* What is gone, as it is written down. */
struct mbox_wasted {
	uint64_t octets;
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t number; /* among all messages, from 0 */
	uint32_t ordinal;
	uint32_t copies; /* with this hash and head, it included */
	uint32_t head; /* mbox_waste_head */
};

/** mbox_waste_head(m, i): the head_sum of message ${i} if its hash is that of
 * an id which it brought along, else 0.  Needs m->uids and records. */
uint32_t mbox_waste_head(const struct mbox *, size_t i);

/** mbox_waste_copies(m, list, count): fill ${copies} of each.  0, or -1 without
 * memory. */
int mbox_waste_copies(
    const struct mbox *, struct mbox_wasted *list, size_t count);

/**
 * mbox_waste_match(m, list, count, gone):
 * The mbox has changed: mark in ${gone} the messages that are certainly those
 * of the list, which comes back in another order.  Needs m->uids.  Returns how
 * many, or -1 without memory.
 */
long mbox_waste_match(const struct mbox *, struct mbox_wasted *list,
    size_t count, unsigned char *gone);

/* --- mbox_purge.c: when is it time to remove them? --- */

/** See configured in popper/drop.h: is purge-time what it must be? */
int mbox_configured(
    const struct popper_host *, const void *conf, struct popper_error *);

/**
 * mbox_purge_is_due(m, changes):
 * Shall all that is marked be removed now, rather than noted?  Needs records.
 */
bool mbox_purge_is_due(const struct mbox *, const struct popper_changes *);

/** mbox_purge_hours(text, first, end): "2-5".  False: it is no such thing. */
bool mbox_purge_hours(const char *text, unsigned *first, unsigned *end);

/* --- mbox_view.c: the driver, without what is gone; see popper/drop.h --- */

size_t mbox_view_count(const void *self);
int mbox_view_describe(void *self, size_t i, unsigned want,
    struct popper_message *, struct popper_error *);
int mbox_view_read(void *self, size_t i, uint64_t offset, struct popper_sink *,
    struct popper_error *);
enum popper_outcome mbox_view_commit(
    void *self, const struct popper_changes *, struct popper_error *);
int mbox_view_total(void *self, uint64_t *octets, struct popper_error *);
int mbox_view_list(
    void *self, unsigned want, struct popper_lister *, struct popper_error *);
int mbox_view_export(void *self, struct popper_sink *, struct popper_error *);

/** mbox_view_purge(m, error): remove now what is gone.  0 or -1. */
int mbox_view_purge(struct mbox *, struct popper_error *);

/* --- mbox.c --- */

/** See describe in popper/drop.h. */
int mbox_describe(void *self, size_t i, unsigned want, struct popper_message *,
    struct popper_error *);

#endif
