/*
 * power.h - what a power cut may leave of the changes that a function made to
 * files and folders.
 *
 * The changes are recorded where the function makes them: who uses this is
 * linked with the calls of POWER (Makefile.inc) wrapped.  A sweep then builds
 * every state that the disk may be in, one after the other, below the same
 * folder, and asks of each whether it is good.  doc/why/power-loss.md states
 * the model.
 */
#ifndef MODULE_POWER_H
#define MODULE_POWER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <sys/types.h>

#define POWER_NODES 256
#define POWER_NAME 64

enum power_kind {
	POWER_WRITE, /* one block, or a part of it */
	POWER_GROW, /* the size that goes with it */
	POWER_CUT, /* ftruncate */
	POWER_HOLE, /* blocks are taken out, the first step to cut them out */
	POWER_SHIFT, /* what is behind the hole moves, the hole to ${end} */
	POWER_ADD, /* a name that is new: open, mknod, mkdir, link */
	POWER_REMOVE, /* a name: unlink, rmdir */
	POWER_MOVE, /* both at once: rename */
	POWER_SYNC /* fsync: nothing changes, but is there from now on */
};

struct power_op {
	enum power_kind kind;
	int node; /* what is written, named or synced */
	int from, to; /* folders: a name is taken from one, put into one */
	char old[POWER_NAME], new[POWER_NAME];
	size_t at, len; /* len: the new size, too */
	size_t end;
	bool chained; /* never without the operation before it */
	char *data;
};

struct power_node {
	ino_t inode; /* a later node may have the same: the last one counts */
	bool folder;
	char *data; /* at the beginning */
	size_t size; /* at the beginning */
	size_t now; /* size while recording */
	size_t room; /* the most that it ever had */
};

struct power_entry {
	int folder, node;
	char name[POWER_NAME];
};

/* A state: names, and the content of each node. */
struct power_image {
	struct power_entry entries[POWER_NODES];
	size_t count;
	char *data[POWER_NODES];
	size_t size[POWER_NODES];
};

struct power {
	char root[128];
	dev_t device;
	size_t block; /* what a disk writes at once, in octets */
	struct power_node nodes[POWER_NODES]; /* the first is the root */
	size_t node_count;
	struct power_entry entries[POWER_NODES]; /* at the beginning */
	size_t entry_count;
	struct power_op *ops;
	size_t count, room;
	size_t said; /* operations before the client was told "done" */
};

/** power_start(p, root, block): record what happens below ${root}. */
void power_start(struct power *, const char *root, size_t block);
/** power_said(p): from here on the client knows that it is done. */
void power_said(struct power *);
/** power_stop(p): no more; checks that nothing has escaped the record. */
void power_stop(struct power *);
void power_free(struct power *);

enum power_order {
	POWER_JOURNAL, /* names and sizes reach the disk in order */
	POWER_POSIX /* what was not synced is there or not */
};

struct power_sweep {
	enum power_order order;
	size_t limit; /* of subsets between two fsyncs; more are sampled */
	/* Is it good?  NULL, or what is wrong.  ${said}: the client knew. */
	const char *(*judge)(void *arg, bool said);
	void *arg;
};

/** power_sweep(p, sweep): fails the test at the first bad state.  Returns the
 * number of different states. */
long power_sweep(const struct power *, const struct power_sweep *);

/* No file may have room beyond this (fallocate); 0: as much as it wants. */
extern off_t power_full;

/** power_deep(): is there time for all of it (make check-deep)? */
bool power_deep(void);

/* --- Between power.c, power_record.c and power_disk.c --- */

/** power_record(p, op): add it; ${op->data} is copied. */
void power_record(struct power *, const struct power_op *);

/** power_image_new(p): to be folded into; power_image_free() ends it. */
struct power_image *power_image_new(const struct power *);
void power_image_free(struct power_image *);
/** power_fold(p, there, count, image): the state that those of the first
 * ${count} operations lead to that are ${there}; NULL: all. */
void power_fold(const struct power *, const unsigned char *there, size_t count,
    struct power_image *);
/** power_find(image, folder, name): the node of that name, or -1. */
int power_find(const struct power_image *, int folder, const char *name);

/** power_load(p): what is on the disk is the beginning. */
void power_load(struct power *);
/** power_put(p, image): make the disk be so.  A file that is there keeps its
 * inode. */
void power_put(const struct power *, const struct power_image *);
/** power_is(p, image): is the disk so? */
bool power_is(const struct power *, const struct power_image *);

#endif
