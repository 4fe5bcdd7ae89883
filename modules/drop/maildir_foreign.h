/*
 * maildir_foreign.h - unique-ids that other servers gave to a Maildir's
 * messages.
 */
#ifndef MAILDIR_FOREIGN_H
#define MAILDIR_FOREIGN_H

#include "maildir.h"

/* The words of option unique-id, "popper" being the default. */
#define MAILDIR_SCHEMES "popper native courier dovecot qmail solid tpop3d"
/* The words of option dovecot-format: what pop3_uidl_format was. */
#define MAILDIR_FORMATS                                  \
	"%08Xu%08Xv %{uid|hex(8)}%{uidvalidity|hex(8)} " \
	"%08Xv%08Xu %{uidvalidity|hex(8)}%{uid|hex(8)} " \
	"%v.%u %{uidvalidity}.%{uid} %v-%u "             \
	"%{uidvalidity}-%{uid} %u %{uid} %f %{filename} %g %{guid}"

/* --- maildir_foreign.c: what other servers make of names and lists --- */

/** maildir_foreign_name(scheme, base, uid): the id of a message whose file name
 * begins with ${base}, if ${scheme} makes it of that; it may be too long or
 * have wrong octets (then ${uid} is "").  False: not of this scheme. */
bool maildir_foreign_name(
    const char *scheme, struct popper_slice base, char uid[POPPER_UID_MAX + 1]);

/* Takes what a list says: 0 to go on, -1 to stop. */
struct maildir_taker {
	int (*take)(
	    struct maildir_taker *, struct popper_slice base, const char *uid);
	unsigned bad; /* lines that made no sense, or ids that are none */
};

/** maildir_courier(text, taker), maildir_dovecot(text, format, taker):
 * All lines of a courierpop3dsizelist or dovecot-uidlist.  Returns 0, 1: it is
 * of a version that has no ids, or -1: the taker stopped. */
int maildir_courier(const char *text, struct maildir_taker *);
int maildir_dovecot(
    const char *text, const char *format, struct maildir_taker *);

/* --- maildir_given.c: which message has which of them --- */

/** maildir_given_none(m, none, error): does it go without saying, before any
 * message is looked at, that nobody has one?  0 or -1. */
int maildir_given_none(struct maildir *, bool *none, struct popper_error *);

/** maildir_given_find(m, error): look for them, once.  0 or -1. */
int maildir_given_find(struct maildir *, struct popper_error *);

/** maildir_given_uid(m, i): the id that message ${i} brought along, or NULL: it
 * has popper's own. */
const char *maildir_given_uid(const struct maildir *, size_t i);

void maildir_given_free(struct maildir *);

/** maildir_key(m, i, key): what tells message ${i} from others, as text. */
#define MAILDIR_KEY_ROOM (3 * 256) /* a name, all of it escaped */
void maildir_key(const struct maildir *, size_t i, char key[MAILDIR_KEY_ROOM]);

/* --- maildir_changed.c --- */

/** maildir_note_scheme(m, pins, kept): is option unique-id what it was the last
 * time?  Tell the log if not, and note it in ${pins} and their file.
 * ${kept}: per message, 1 if a pin has its id; or NULL. */
struct pins;
void maildir_note_scheme(
    const struct maildir *, struct pins *, const unsigned char *kept);

/* --- maildir_exchange.c --- */

/* See popper/drop.h. */
int maildir_export_uids(
    void *self, struct popper_sink *, struct popper_error *);
int maildir_import_uids(void *self, struct popper_slice, struct popper_error *);

#endif
