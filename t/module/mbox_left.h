/*
 * mbox_left.h - what the tests of remains of another server's crash share.
 */
#ifndef MBOX_LEFT_H
#define MBOX_LEFT_H

#include "mbox_dying.h"

#define A FROM_A "Subject: A\nDate: x\n\nText of A\n\nand more\n\n"
#define B FROM_B "Subject: B\n\nText of B\n\n"
#define C "From carol@example.org Sat Jan  3 00:00:00 1970\nSubject: C\n\n\n"
#define N "From dan@example.org Sun Jan  4 00:00:00 1970\nSubject: N\n\nNew\n\n"
/* The same as Qpopper writes them back. */
#define A2                                                                   \
	FROM_A "X-UIDL: *a*\nSubject: A\nDate: x\nStatus: RO\n\nText of A\n" \
	       "\nand more\n\n"
#define B2 FROM_B "X-UIDL: *b*\nSubject: B\nStatus: U\n\nText of B\n\n"
#define C2                                                               \
	"From carol@example.org Sat Jan  3 00:00:00 1970\nX-UIDL: *c*\n" \
	"Subject: C\nStatus: U\n\n\n"
#define N2                                                             \
	"From dan@example.org Sun Jan  4 00:00:00 1970\nX-UIDL: *n*\n" \
	"Subject: N\nStatus: U\n\nNew\n\n"
#define NOTES(text)                                                \
	FROM_A "From: Mail System Internal Data <m@example.org>\n" \
	       "Subject: DON'T DELETE THIS MESSAGE\n\n" text "\n\n"
#define SEP "\1\1\1\1\n"

extern char left_path[160]; /* of ".user.pop", once it was put */

/** put_left(r, text, len): make ".user.pop" hold this. */
void put_left(struct rig *, const char *text, size_t len);
/** expect_merged(r, left, mbox, text): a login finds ${left} beside ${mbox},
 * and makes ${text} of it. */
void expect_merged(
    struct rig *, const char *left, const char *mbox, const char *text);
/** expect_left_alone(r, mbox): a login leaves both as they are. */
void expect_left_alone(struct rig *, const char *mbox);

#endif
