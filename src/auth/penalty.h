/*
 * penalty.h - sources whose logins fail wait longer and longer.
 *
 * A source is an IPv4 address or an IPv6 /64.  Its first failures cost nothing
 * but failure-delay.  After that each of its attempts gets a time at which it
 * is judged, one behind the other, however many connections it has: nobody
 * sleeps, the gate says WAIT and the worker comes again.  The table is shared
 * by all gates.  See doc/why/penalties.md.
 */
#ifndef AUTH_PENALTY_H
#define AUTH_PENALTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/deadline.h"
#include "base/settings.h"
#include "base/source.h"

#define PENALTY_FREE 5 /* failures that cost nothing */
#define PENALTY_DECAY 60000 /* ms of quiet that undo one failure */
#define PENALTY_QUEUE 60000 /* ms an attempt waits at most; then refused */

/* One connection's place in the queue of its source; zeroed to begin with. */
struct penalty {
	bool counts; /* the source is known and not exempt */
	unsigned char key[SOURCE_LEN];
	bool waits; /* the next message is a repeat */
	deadline_t turn; /* when it may be judged; 0: it has no turn yet */
	int64_t paid; /* ms that this exchange has waited for */
	unsigned crowded; /* times it found too many others being judged */
	int place; /* of the source's attempts being judged */
	deadline_t until; /* when that place is given up; 0: it has none */
};

enum penalty_word {
	PENALTY_GO, /* judge it; then say how it ended */
	PENALTY_WAIT, /* ask again in ${wait} ms */
	PENALTY_REFUSE /* too many are waiting */
};

/** penalty_start(s): make the table; in the warm parent. */
void penalty_start(const struct settings *);

/** penalty_enter(p, from): a connection from this address begins. */
void penalty_enter(struct penalty *, const struct sockaddr_storage *from);

/**
 * penalty_ask(p, begins, now, wait):
 * May this message of the connection's (the first of an exchange if ${begins})
 * be judged at ${now}?
 */
enum penalty_word penalty_ask(
    struct penalty *, bool begins, deadline_t now, uint64_t *wait);

/**
 * penalty_pause(p): it was not the last message of the exchange, or failed by
 * our own trouble.
 * penalty_failed(p, digest, now): the attempt failed; ${digest} (8 octets at
 * least, or NULL) stands for user and password: one that failed lately is not
 * counted again.
 * penalty_passed(p, now): the attempt was right.
 */
void penalty_pause(struct penalty *);
void penalty_failed(
    struct penalty *, const unsigned char *digest, deadline_t now);
void penalty_passed(struct penalty *, deadline_t now);

/** penalty_slowest(ms): the longest delay that a module has asked for so far,
 * this ${ms} included: refusals wait so long whichever module they are of. */
uint64_t penalty_slowest(uint64_t ms);

#endif
