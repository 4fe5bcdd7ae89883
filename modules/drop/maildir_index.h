/*
 * maildir_index.h - the state file "maildir.index": doc/index-format.md says
 * what is in it.
 */
#ifndef MAILDIR_INDEX_H
#define MAILDIR_INDEX_H

#include "maildir.h"

#define MAILDIR_INDEX_FILE "maildir.index"
/* Also tells the byte order.  If the unique-ids of a name ever come out
 * differently it must be another one. */
#define MAILDIR_INDEX_MAGIC 0x3331786469646d70u

/* The first octets of the file; then come ${totals.count} struct maildir_record
 * in the order of the snapshot, the names, and parts (uid_parts.h) of popper's
 * own unique-ids as text. */
struct maildir_head {
	uint64_t magic;
	uint64_t device, inode; /* of the Maildir */
	int64_t changed[2 * MAILDIR_FOLDERS]; /* ctimes: seconds, ns; or 0 */
	struct maildir_totals totals; /* count is that of the records */
	uint64_t length; /* octets of names */
	uint64_t lists; /* octets of parts */
	uint64_t body; /* checksum of records and names */
	uint64_t checksum; /* of the head, this being 0 */
};

_Static_assert(sizeof(struct maildir_record) == 32, "no hidden octets");
_Static_assert(sizeof(struct maildir_head) == 112, "no hidden octets");

/** maildir_head_sum(head): what head.checksum must be. */
uint64_t maildir_head_sum(struct maildir_head);

/** maildir_body_sum(list): what head.body must be. */
uint64_t maildir_body_sum(const struct maildir_list *);

#endif
