/*
 * mbox_rig.h - an mbox driver with a host, a user and folders around it.
 *
 * Each test has a rig of its own, in a folder of its own under $TMPDIR.
 */
#ifndef MBOX_RIG_H
#define MBOX_RIG_H

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <popper/drop.h>

#include "mbox.h"

extern const struct popper_module mbox_LTX_popper_module;

struct rig {
	char top[64]; /* the folder that holds everything */
	char spool[96];
	char path[128]; /* of the mbox */
	char lock[160]; /* of its dot lock */
	int state;
	struct mbox_conf conf;
	struct popper_identity identity;
	struct popper_place place;
	struct popper_error error;
	const struct popper_drop *drop;
	void *self; /* or NULL: not open */
};

#define FROM_A "From alice@example.org Thu Jan  1 00:00:00 1970\n"
#define FROM_B "From bob@example.org Fri Jan  2 00:00:00 1970\n"

int rig_setup(void **state);
int rig_teardown(void **state);

/** rig_log(): the last line that was logged, or "". */
const char *rig_log(void);

/** rig_put(r, text): make the mbox hold ${text}, mode 0600. */
void rig_put(struct rig *, const char *text);
void rig_put_slice(struct rig *, struct popper_slice);
/** rig_deliver(r, text): append ${text}. */
void rig_deliver(struct rig *, const char *text);
/** rig_get(path): all of a file; to be freed. */
struct popper_slice rig_get(const char *path);
/** rig_expect(r, text): the mbox holds exactly ${text}. */
void rig_expect(struct rig *, const char *text);

/** rig_open(r): open, which must succeed.  rig_refused(r, status): which must
 * fail so, leaving nothing. */
void rig_open(struct rig *);
void rig_refused(struct rig *, enum popper_status);
void rig_close(struct rig *);

/** rig_read(r, i, offset): the message as read pours it; to be freed. */
struct popper_slice rig_read(struct rig *, size_t i, uint64_t offset);
/** rig_uid(r, i, uid): its unique-id. */
void rig_uid(struct rig *, size_t i, char uid[POPPER_UID_MAX + 1]);
/** rig_commit(r, marks): commit; ${marks} has a "D" per message to remove and
 * another character per message to keep. */
enum popper_outcome rig_commit(struct rig *, const char *marks);

/** rig_undelete(r, since, count): the slot; what it returns. */
int rig_undelete(struct rig *, uint64_t since, uint64_t *count);

/** rig_exists(r, name): is there such a file in the state folder? */
bool rig_exists(const struct rig *, const char *name);

/* In a child assertions would go on with the other tests: there, a failed
 * check returns. */
#define MUST(condition)                            \
	do {                                       \
		if (!(condition))                  \
			return __LINE__ % 250 + 1; \
	} while (0)

/** rig_recover(r, sink): what popperctl recover asks for; 0 or -1. */
int rig_recover(struct rig *, struct popper_sink *);

/** rig_try_open(r): open; 0 or -1. */
int rig_try_open(struct rig *);

/**
 * rig_child(function, r):
 * Run it in a child; if we are root, as nobody, who is given mbox and state
 * folder.  Returns what it returned, or 255.
 */
int rig_child(int (*)(struct rig *), struct rig *);

#endif
