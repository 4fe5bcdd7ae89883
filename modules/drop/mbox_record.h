/*
 * mbox_record.h - what the two records of work under way have in common: the
 * backup of a removal and the pieces of a rewriting.
 */
#ifndef MBOX_RECORD_H
#define MBOX_RECORD_H

#include "mbox.h"

/** mbox_copy(m, from, at, len, to, place): copy ${len} octets that are at
 * ${at} of one file to ${place} of another; the lock is kept.  0, or -1 with
 * errno. */
int mbox_copy(
    struct mbox *, int from, uint64_t at, uint64_t len, int to, uint64_t place);

/** mbox_record_sum(fd, head, summed, size, sum): the SHA-256 of the first
 * ${summed} octets of ${head} and of the file behind its first ${size}.  0 or
 * -1. */
int mbox_record_sum(int fd, const void *head, size_t summed, size_t size,
    unsigned char sum[32]);

#endif
