/*
 * mbox_backup.h - what earlier versions wrote before they removed messages.
 *
 * The old octets from the first removed message on, in the state folder: it
 * needed as much room again, so it is not written any more, only undone.
 */
#ifndef MBOX_BACKUP_H
#define MBOX_BACKUP_H

#include "mbox.h"

#define MBOX_BACKUP "commit.mbox" /* in the state folder */

/* The backup file: this, then ${runs} struct mbox_run, then the octets of the
 * mbox from ${tail} to ${size}.  All zero until the rest is on the disk. */
struct mbox_backup {
	char magic[8];
	uint64_t inode; /* of the mbox */
	uint64_t size, tail, final, runs; /* as in struct mbox_plan */
	unsigned char sum[32]; /* SHA-256 of all but this member */
};
#define MBOX_BACKUP_MAGIC "POPMBOX1"

#endif
