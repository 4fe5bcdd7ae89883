/*
 * messages.h - numbers, sizes and deletion marks of one session.
 *
 * Clients count messages from 1, modules from 0; it is converted here.
 */
#ifndef SESSION_MESSAGES_H
#define SESSION_MESSAGES_H

#include "session/maildrop.h"

struct messages {
	const struct maildrop *maildrop;
	unsigned char *marks; /* POPPER_MARK_ bits, one octet a message */
	bool marked; /* there may be marks */
	size_t deleted; /* messages with POPPER_MARK_DELETED */
	uint64_t octets; /* of the others, if ${counted} */
	bool counted;
	size_t highest; /* number of the highest one accessed, for LAST */
	/* Octets the client had sent when RETR was done, plus 1; 0: it was not
	 * sent whole.  NULL without auto-delete. */
	uint64_t *fetched;
};

/** messages_start(m, maildrop, error): no message is marked (RFC 1939 section
 * 4).  0, or -1 if there is no memory. */
int messages_start(
    struct messages *, const struct maildrop *, struct popper_error *);

void messages_free(struct messages *);

/**
 * messages_pick(m, word, i, error):
 * Store in ${i} the index of the message whose number ${word} is.  -1 with a
 * reply for the client if there is none or it is marked deleted.
 */
int messages_pick(const struct messages *, struct popper_slice word, size_t *i,
    struct popper_error *);

bool messages_is_deleted(const struct messages *, size_t i);
/** messages_delete(m, i), messages_touch(m, i): DELE; RETR. */
void messages_delete(struct messages *, size_t i);
void messages_touch(struct messages *, size_t i);
/** messages_reset(m): RSET: no message is marked deleted or was fetched, LAST
 * is 0. */
void messages_reset(struct messages *);

/** messages_watch(m, error): take note of messages_fetched.  0, or -1 if there
 * is no memory. */
int messages_watch(struct messages *, struct popper_error *);

/** messages_fetched(m, i, heard): RETR has sent it as it is stored; the client
 * has sent ${heard} octets so far. */
void messages_fetched(struct messages *, size_t i, uint64_t heard);

/**
 * messages_delete_fetched(m, heard):
 * Mark what was fetched, if the client has sent something since: one that asks
 * ahead may be gone before it gets the message.  Returns how many were not
 * marked before.
 */
size_t messages_delete_fetched(struct messages *, uint64_t heard);

/** messages_octets(m, i, octets, error), messages_uid(m, i, uid, error): what
 * LIST and UIDL say.  0 or -1. */
int messages_octets(
    const struct messages *, size_t i, uint64_t *octets, struct popper_error *);
int messages_uid(const struct messages *, size_t i,
    char uid[POPPER_UID_MAX + 1], struct popper_error *);

/**
 * messages_list(m, want, lister, error):
 * Put sizes (POPPER_WANT_OCTETS) or unique-ids (POPPER_WANT_UID) of all
 * messages, marked ones too, in order, until the lister says "enough".  0, or
 * -1, perhaps after some were put.  Unique-ids are not looked at.
 */
int messages_list(const struct messages *, unsigned want,
    struct popper_lister *, struct popper_error *);

/** messages_uid_check(i, uid, error): is it fit for the wire?  0 or -1. */
int messages_uid_check(
    size_t i, struct popper_slice uid, struct popper_error *);

/** messages_are_measured(m): does the driver know all sizes without reading
 * mail?  If not, ask for them only if somebody wants to know. */
bool messages_are_measured(const struct messages *);

/**
 * messages_total(m, deleted, count, octets, error):
 * Number and size of the messages that are (or are not) marked deleted.
 */
int messages_total(struct messages *, bool deleted, size_t *count,
    uint64_t *octets, struct popper_error *);

#endif
