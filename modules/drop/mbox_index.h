/*
 * mbox_index.h - the state file "mbox.index": doc/index-format.md says what is
 * in it.
 */
#ifndef MBOX_INDEX_H
#define MBOX_INDEX_H

#include "mbox.h"

#define MBOX_INDEX_MAGIC 0x31786469786f626du /* also tells the byte order */
#define MBOX_INDEX_VERSION 5
#define MBOX_INDEX_FILE "mbox.index"

enum mbox_section { MBOX_RECORDS, MBOX_UIDS, MBOX_TEXTS, MBOX_SECTIONS };

/* The first octets of the file; then come the three sections, then the lists
 * of unique-ids as text. */
struct mbox_head {
	uint64_t magic;
	uint32_t version;
	uint16_t record_size, uid_size;
	uint64_t device, inode, size; /* of the mbox */
	int64_t mtime[2], ctime[2]; /* seconds, nanoseconds */
	uint32_t scheme, kludge; /* options that change what is found */
	uint64_t count; /* of records */
	uint64_t octets; /* of all messages, as STAT says */
	uint32_t internal, with_uids; /* 0 or 1 */
	uint32_t mmdf, zero; /* 0 or 1; 0 */
	uint64_t texts; /* octets of texts */
	uint64_t lists; /* octets of lists */
	uint64_t sums[MBOX_SECTIONS];
	uint64_t sum; /* of all before it */
};

/* A part of the unique-ids as text: this, then ${count} octets, each the
 * length of one id, then ${len} octets of ids, one behind the other. */
struct mbox_list {
	/* Of all behind it, begun with the sum of the unique-ids, xor the first
	 * one's number: a part of another list is none of this one. */
	uint64_t sum;
	uint32_t count, len;
};

/* Where each part begins: the last one may be shorter. */
#define MBOX_LIST_SIZE MBOX_BUFFER

_Static_assert(sizeof(struct mbox_head) == 160, "no holes on the disk");
_Static_assert(sizeof(struct mbox_list) == 16, "no holes on the disk");
_Static_assert(sizeof(struct mbox_record) == 32, "no holes on the disk");
_Static_assert(sizeof(struct mbox_uid) == 24, "no holes on the disk");

/* An index that is there, of which only the head was read. */
struct mbox_kept {
	int fd;
	struct mbox_head head;
};

/* --- mbox_index.c --- */

/**
 * mbox_index_load(m):
 * Take count, size and the rest but the records from the state file
 * "mbox.index".  Only if it is about the file as m->seen describes it and that
 * is settled, so the mail itself is not looked at and no lock is needed.
 * Returns false, with nothing taken, in every other case.
 */
bool mbox_index_load(struct mbox *);

/**
 * mbox_index_save(m):
 * Write the state file if this session found out something that it does not
 * say and the mbox has not changed since.  A failure costs only time.
 */
void mbox_index_save(struct mbox *);

/** mbox_index_write(m, head): write the state file; ${head} says about which
 * mbox it is.  A failure costs only time. */
void mbox_index_write(const struct mbox *, struct mbox_head *head);

/** See total and list in popper/drop.h. */
int mbox_total(void *self, uint64_t *octets, struct popper_error *);
int mbox_list(
    void *self, unsigned want, struct popper_lister *, struct popper_error *);

/** mbox_index_head(m): a head about the mbox as it was scanned: all before
 * ${count}. */
struct mbox_head mbox_index_head(const struct mbox *);

/* --- mbox_grown.c: mail has come since --- */

/** mbox_look(m): with the lock held: fill m->index, by reading what came, or
 * else all of the mbox.  0, or -1 with errno as of mbox_scan. */
int mbox_look(struct mbox *);

/** mbox_older_ids(m, count): allocate m->uids for ${count} messages with what
 * the older index has of them.  Returns of how many; 0: nothing is done. */
size_t mbox_older_ids(struct mbox *, size_t count);

/** mbox_number_new(m, known, count): if the messages from ${known} on are few
 * and like no other, and none ever had equals, number them.  Returns if so. */
bool mbox_number_new(struct mbox *, size_t known, size_t count);

/* --- mbox_rest.c: after a commit --- */

/**
 * mbox_index_keep_rest(m, changes):
 * Write the state file for what is left after a commit that was done.  ${m} is
 * fit only for close then.
 */
void mbox_index_keep_rest(struct mbox *, const struct popper_changes *);

/* --- mbox_kept.c: the parts of the file --- */

/** mbox_index_sum(start, p, len): finds torn and damaged files; it need not
 * withstand an attacker. */
uint64_t mbox_index_sum(uint64_t start, const void *p, size_t len);

/** mbox_head_sum_of(head): what head->sum must be. */
uint64_t mbox_head_sum_of(const struct mbox_head *);

/** mbox_section_len(head, section), mbox_section_at(head, section): octets of
 * a section, and where it begins; of MBOX_SECTIONS: where the lists begin. */
uint64_t mbox_section_len(const struct mbox_head *, enum mbox_section);
uint64_t mbox_section_at(const struct mbox_head *, enum mbox_section);

/** mbox_kept_open(m): open the state file and read its head, if it is one and
 * fits the file; about which mbox is not looked at.  Or NULL. */
struct mbox_kept *mbox_kept_open(const struct mbox *);

/** mbox_kept_close(kept): takes NULL. */
void mbox_kept_close(struct mbox_kept *);

/** mbox_kept_records(kept): all of them, allocated; NULL if they are not what
 * they ought to be. */
struct mbox_record *mbox_kept_records(const struct mbox_kept *);

/** mbox_kept_uids(kept, texts): the same for unique-ids. */
struct mbox_uid *mbox_kept_uids(
    const struct mbox_kept *, struct mbox_texts *texts);

/**
 * mbox_kept_list(kept, buffer, lister, next):
 * Put all unique-ids, with a ${buffer} of MBOX_LIST_SIZE octets.  False: from
 * number ${next} on they cannot be told.
 */
bool mbox_kept_list(const struct mbox_kept *, char *buffer,
    struct popper_lister *, size_t *next);

#endif
