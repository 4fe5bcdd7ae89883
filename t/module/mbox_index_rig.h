/*
 * mbox_index_rig.h - what the tests of the mbox's kept index share.
 *
 * They are linked with a clock of their own (-Wl,--wrap=clock_gettime), since
 * nothing is kept of a file that has just changed.
 */
#ifndef MBOX_INDEX_RIG_H
#define MBOX_INDEX_RIG_H

#include <time.h>

#include "mbox_rig.h"

#define INDEX "mbox.index"
#define ONE FROM_A "Subject: one\nStatus: RO\n\nText\nand more\n\n"
#define TWO FROM_B "Subject: two\n\nText\n\n"
#define TWIN FROM_B "Subject: twin\n\nTwin\n\n"
#define INTERNAL                                                   \
	FROM_A "From: Mail System Internal Data <m@example.org>\n" \
	       "Subject: DON'T DELETE THIS MESSAGE\n"              \
	       "X-IMAP: 0123456789 0000000001\n\nIt is not mail.\n\n"

#define XUIDL(id) FROM_A "X-UIDL: " id "\n\nStored\n\n"
#define MMDF "\1\1\1\1\n"

/* Seconds that our clock is before the kernel's: 10 when a test begins. */
extern time_t index_clock_ahead;

int index_setup(void **state);

/**
 * index_is_used(r):
 * Open the mbox while another program has it locked: that works only if it
 * need not be read.  If true it is open.
 */
bool index_is_used(struct rig *);

/**
 * index_answers(r, full):
 * All that a session tells, as text; to be freed.  Without ${full} no
 * unique-ids are asked for.
 */
char *index_answers(struct rig *, bool full);

/** index_expect_scanned(r, expected): a session that scans must tell
 * ${expected}; it leaves its index. */
void index_expect_scanned(struct rig *, const char *expected);

#endif
