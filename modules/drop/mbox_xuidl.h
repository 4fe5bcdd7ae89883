/*
 * mbox_xuidl.h - unique-ids of other servers.
 */
#ifndef MBOX_XUIDL_H
#define MBOX_XUIDL_H

#include "mbox.h"

/* --- mbox_xuidl.c: unique-ids that another server has given --- */

/** mbox_xuidl(line, text): the value of the header line ${line}, if it is a
 * unique-id (RFC 1939 section 7). */
bool mbox_xuidl(struct popper_slice line, char text[POPPER_UID_MAX + 1]);

/**
 * mbox_own_form(text, hash, ordinal):
 * Does ${text} look like an id that mbox_uid_text makes of a hash?  Then store
 * what it is made of.
 */
bool mbox_own_form(
    const char *text, unsigned char hash[MBOX_HASH_SIZE], uint32_t *ordinal);

/** mbox_text_hash(text, hash): a hash for messages with the id ${text}. */
void mbox_text_hash(const char *text, unsigned char hash[MBOX_HASH_SIZE]);

/** mbox_texts_add(texts, text, uid): add it, for ${uid}.  0, or -1 with
 * errno. */
int mbox_texts_add(struct mbox_texts *, const char *text, struct mbox_uid *uid);

/** mbox_refuse_lookalikes(m, count): take no id from a header that popper
 * could make for another of the ${count} messages.  0, or -1 with errno. */
int mbox_refuse_lookalikes(struct mbox *, size_t count);

/* --- mbox_qpopper.c: unique-ids as Qpopper computes them --- */

#define MBOX_QPOPPER_LINE 1023 /* octets of a line that count */
#define MBOX_MD5_SIZE 16

/** mbox_qpopper_is_hashed(line): does this header line count? */
bool mbox_qpopper_is_hashed(struct popper_slice line);

/** mbox_qpopper_text(md5, old, text): the digest as Qpopper writes it. */
void mbox_qpopper_text(const unsigned char md5[MBOX_MD5_SIZE], bool old,
    char text[POPPER_UID_MAX + 1]);

#endif
