/*
 * mbox_header.h - how a message begins.
 */
#ifndef MBOX_HEADER_H
#define MBOX_HEADER_H

#include "mbox.h"

/**
 * mbox_head_sum(text, len, from_len):
 * A quick fingerprint of how a message begins: of its separator line and of its
 * header, which begins at ${from_len}, without private fields, as far as that
 * lies in the first MBOX_HEAD_MAX octets of ${text}, its pad not counted.
 * ${len}: octets there are, at least ${from_len}; not more than the file has.
 */
uint32_t mbox_head_sum(const char *text, size_t len, size_t from_len);

/**
 * mbox_header(text, len, from_len, sum, seen):
 * The same, in ${sum}.  In ${seen}: how many octets of ${text} were looked at.
 * True: they end with the empty line behind the header.
 */
bool mbox_header(const char *text, size_t len, size_t from_len, uint32_t *sum,
    size_t *seen);

/**
 * mbox_body(text, len):
 * The first empty line that ends in ${text}: where the next line begins, or 0.
 * Two octets before ${text} are looked at as well.
 */
size_t mbox_body(const char *text, size_t len);

/** mbox_head_len(record, end): what its head_len is if its header, with the
 * empty line, ends at octet ${end} of the file. */
uint16_t mbox_head_len(const struct mbox_record *, uint64_t end);

#endif
