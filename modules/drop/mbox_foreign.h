/*
 * mbox_foreign.h - unique-ids that other servers gave to an mbox's messages.
 */
#ifndef MBOX_FOREIGN_H
#define MBOX_FOREIGN_H

#include "mbox.h"

/* The words of option unique-id, "popper" being the default. */
#define MBOX_SCHEMES                                                   \
	"popper native qpopper x-uidl dovecot mailutils popa3d solid " \
	"tpop3d uw"
/* The words of option dovecot-format: what pop3_uidl_format was. */
#define MBOX_FORMATS                                     \
	"%08Xu%08Xv %{uid|hex(8)}%{uidvalidity|hex(8)} " \
	"%08Xv%08Xu %{uidvalidity|hex(8)}%{uid|hex(8)} " \
	"%v.%u %{uidvalidity}.%{uid} %v-%u "             \
	"%{uidvalidity}-%{uid} %u %{uid}"

/* --- mbox_foreign.c: what other servers make of a message --- */

/** mbox_foreign_scheme(conf): of the options. */
enum mbox_scheme mbox_foreign_scheme(const struct mbox_conf *);

/**
 * mbox_foreign_md5(scheme, text, from_len, uid):
 * The id of a message by popa3d, solid-pop3d or tpop3d.  ${text} begins with
 * the separator line, which has ${from_len} octets, and goes at least to the
 * end of the header and of the first MBOX_FOREIGN_LEAST octets, if there are
 * so many.
 */
#define MBOX_FOREIGN_LEAST 512
void mbox_foreign_md5(enum mbox_scheme, struct popper_slice text,
    size_t from_len, char uid[POPPER_UID_MAX + 1]);

/* What IMAP servers write into the header: the first message has X-IMAPbase or
 * X-IMAP with validity and the last uid that was given out, each has X-UID. */
struct mbox_imap {
	uint32_t validity, last, uid; /* or 0 */
};

/** mbox_foreign_imap(header, imap): set what the fields in ${header} say. */
void mbox_foreign_imap(struct popper_slice header, struct mbox_imap *);

/** mbox_foreign_uid(scheme, imap, uid): as text, in the form of ${scheme}. */
void mbox_foreign_uid(
    enum mbox_scheme, const struct mbox_imap *, char uid[POPPER_UID_MAX + 1]);

/** mbox_foreign_header(text): the length of the header that ${text} begins
 * with, up to its empty line, which may be missing. */
size_t mbox_foreign_header(struct popper_slice text);

/* --- mbox_given.c: which message has which of them --- */

struct mbox_given;

/** mbox_given_new(m, error): before all messages are looked at. */
struct mbox_given *mbox_given_new(struct mbox *, struct popper_error *);

/** mbox_given_is_over(g): is nothing to be taken over now, so that messages
 * need not be looked at whose ids are known? */
bool mbox_given_is_over(const struct mbox_given *);

/** mbox_given_known(g, count): the ids of the first ${count} are in m->uids, so
 * no other message gets their pins.  0, or -1 with errno. */
int mbox_given_known(struct mbox_given *, size_t count);

/**
 * mbox_given_pick(g, record, hash, text):
 * Put into ${text} the id that the message brought along; "": none.  ${hash} is
 * popper's own of it, ${text} what its X-UIDL says.  To be called in the
 * messages' order.  0, or -1 with errno.
 */
int mbox_given_pick(struct mbox_given *, const struct mbox_record *,
    const unsigned char hash[MBOX_HASH_SIZE], char text[POPPER_UID_MAX + 1]);

/** mbox_given_end(g): all were looked at; keep what must be kept. */
void mbox_given_end(struct mbox_given *);
void mbox_given_free(struct mbox_given *);

/** mbox_given_forget(m, changes): those marked are gone; a message that is
 * equal to one of them must not get its id. */
void mbox_given_forget(struct mbox *, const struct popper_changes *);

/* --- mbox_changed.c --- */

/** mbox_warn_changed(m): m->uids were computed, and the state file may still
 * be the last session's: tell the log if too many are others now. */
void mbox_warn_changed(const struct mbox *);

/** mbox_uid_string(texts, uid, text): as mbox_uid_text; in mbox_text.c. */
void mbox_uid_string(const struct mbox_texts *, const struct mbox_uid *,
    char text[POPPER_UID_MAX + 1]);

/* --- mbox_exchange.c: see popper/drop.h --- */

int mbox_export_uids(void *self, struct popper_sink *, struct popper_error *);
int mbox_import_uids(void *self, struct popper_slice, struct popper_error *);

#endif
