/*
 * mbox_scene.h - something that is done to an mbox, to be killed and failed at
 * each system call, and what must be true whatever came of it.
 */
#ifndef MBOX_SCENE_H
#define MBOX_SCENE_H

#include "mbox_rig.h"

#define MOST 32
#define ROOM 40000
#define NEW FROM_B "New: mail\n\nIt came meanwhile\n\n"
#define NEW_TEXT "New: mail\n\nIt came meanwhile\n"

struct text {
	struct popper_slice text; /* to be freed */
	char uid[POPPER_UID_MAX + 1];
};

/* What is swept, and what it is about. */
struct scene {
	struct rig *r;
	void (*set)(struct scene *); /* make all as it was in the beginning */
	int (*run)(void *); /* in the child; ${arg} is the scene */
	const char *marks; /* 'D', or 'S': was fetched; NULL: no commit */
	struct text was[MOST]; /* the messages, without notes */
	size_t count;
	int news; /* delivered since */
	bool other_ids; /* may be there: of equal messages that were not read */
};

extern long scene_points; /* that were tried in all */

/** scene_start(s, count): take its ${count} messages as an undisturbed session
 * sees them.  scene_end(s): forget them. */
void scene_start(struct scene *, size_t count);
void scene_end(struct scene *);

/** scene_deliver(s): a message comes. */
void scene_deliver(struct scene *);

/**
 * scene_is_shown(s, all, errors):
 * Does the open session show those messages (without the marked ones unless
 * ${all}), and then the new ones?  An error that is told counts as right if
 * ${errors}.
 */
bool scene_is_shown(struct scene *, bool all, bool errors);

/** What may be run: a session that looks at everything; one that looks at
 * nothing, so that the next one finds what it has left; one that commits. */
int scene_visit(void *);
int scene_enter(void *);
int scene_commit(void *);

/** scene_sweep(s): every call of it, killed, failed, and killed once more. */
void scene_sweep(struct scene *);

#endif
