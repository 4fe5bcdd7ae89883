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
	unsigned char *gone; /* POPPER_MARK_DELETED for each that is, else 0 */
	uint32_t *shown; /* the messages that are not gone */
	size_t messages, count; /* of all, and how many are gone */
	uint64_t octets; /* of those that are gone, as LIST says */
	int64_t since; /* Unix time: the first of them is gone */
};

/* --- mbox_waste.c --- */

/**
 * mbox_waste_load(m, error):
 * After open: find the messages that are gone, m->waste.  One that is not
 * certainly there is shown.  0 or -1.
 */
int mbox_waste_load(struct mbox *, struct popper_error *);

/**
 * mbox_waste_write(m, marks, proven):
 * Write down which messages of the mbox are gone: those that are marked as
 * deleted.  Needs its records; ${proven}: it is as m->seen says.  POPPER_DONE:
 * that is on stable storage.  Else errno says why.
 */
enum popper_outcome mbox_waste_write(
    struct mbox *, const unsigned char *marks, bool proven);

/** mbox_waste_drop(m): nothing is gone that is still there. */
void mbox_waste_drop(const struct mbox *);

/** mbox_waste_free(m): takes m->waste away. */
void mbox_waste_free(struct mbox *);

/* --- mbox_waste_list.c --- */

#define MBOX_ANCHORS 64 /* in a note, at most */

/* What is gone, as it is written down; or an anchor: a message that is not. */
struct mbox_wasted {
	uint64_t octets;
	uint64_t offset; /* of its separator line */
	unsigned char hash[MBOX_HASH_SIZE]; /* popper's own */
	uint32_t head; /* head_sum */
	uint32_t number; /* among all messages, from 0 */
	uint32_t place; /* among those with this hash and head, from 1 */
	uint32_t copies; /* of these, it included */
};

/**
 * mbox_waste_list(m, marks, count, anchors):
 * Those that are marked, by number, and then anchors, the last one first; to be
 * freed.  Needs records.  NULL with errno.
 */
struct mbox_wasted *mbox_waste_list(struct mbox *, const unsigned char *marks,
    uint64_t *count, uint64_t *anchors);

/* A message with what tells it from others. */
struct mbox_item {
	unsigned char hash[MBOX_HASH_SIZE];
	uint32_t head; /* as in struct mbox_wasted */
	uint32_t i; /* its number */
};

struct mbox_items {
	struct mbox_item *list; /* sorted */
	size_t count;
};

/** mbox_waste_hash(m, i, hash): popper's own of message ${i}.  Needs records.
 * 0, or -1 with errno. */
int mbox_waste_hash(
    const struct mbox *, size_t i, unsigned char hash[MBOX_HASH_SIZE]);

/** mbox_waste_hashes(m, n): so many will be asked for. */
void mbox_waste_hashes(struct mbox *, size_t n);

/** mbox_items_gather(m, list, n, items): all messages that begin like one of
 * ${n} of ${list}; items->list is to be freed in any case.  0, or -1 with
 * errno. */
int mbox_items_gather(struct mbox *, const struct mbox_wasted *list, size_t n,
    struct mbox_items *);

/** mbox_items_find(items, w, n): where those that equal ${w} begin, and in ${n}
 * how many they are. */
size_t mbox_items_find(
    const struct mbox_items *, const struct mbox_wasted *, size_t *n);

/* --- mbox_waste_match.c --- */

/**
 * mbox_waste_match(m, list, count, anchors, gone):
 * The mbox has changed: mark in ${gone} the messages that are certainly those
 * of the list, which comes back in another order.  Needs records.  Returns how
 * many, or -1 with errno.
 */
long mbox_waste_match(struct mbox *, struct mbox_wasted *list, size_t count,
    size_t anchors, unsigned char *gone);

/* --- mbox_purge.c: when is it time to remove them? --- */

/** See configured in popper/drop.h: is purge-time what it must be? */
int mbox_configured(
    const struct popper_host *, const void *conf, struct popper_error *);

/**
 * mbox_purge_is_due(m, changes):
 * Shall all that is marked be removed now, rather than noted?  Needs records.
 */
bool mbox_purge_is_due(const struct mbox *, const struct popper_changes *);

/** mbox_purge_is_overdue(m): the same where nothing is marked anew; it costs
 * nothing. */
bool mbox_purge_is_overdue(const struct mbox *);

/** mbox_purge_hours(text, first, end): "2-5".  False: it is no such thing. */
bool mbox_purge_hours(const char *text, unsigned *first, unsigned *end);

/* --- mbox_view.c: the driver, without what is gone; see popper/drop.h --- */

size_t mbox_view_count(const void *self);
int mbox_view_describe(void *self, size_t i, unsigned want,
    struct popper_message *, struct popper_error *);
int mbox_view_read(void *self, size_t i, uint64_t offset, struct popper_sink *,
    struct popper_error *);
int mbox_view_top(void *self, size_t i, uint64_t lines, struct popper_sink *,
    struct popper_error *);
enum popper_outcome mbox_view_commit(
    void *self, const struct popper_changes *, struct popper_error *);
int mbox_view_total(void *self, uint64_t *octets, struct popper_error *);
int mbox_view_list(
    void *self, unsigned want, struct popper_lister *, struct popper_error *);
int mbox_view_export(void *self, struct popper_sink *, struct popper_error *);

int mbox_view_tidy(void *self, struct popper_error *);

/** mbox_view_purge(m, error): remove now what is gone.  0 or -1. */
int mbox_view_purge(struct mbox *, struct popper_error *);

/* --- mbox.c --- */

/** See describe in popper/drop.h. */
int mbox_describe(void *self, size_t i, unsigned want, struct popper_message *,
    struct popper_error *);

#endif
