/*
 * bulletins.h - what the files of the module bulletins share.
 *
 * A bulletin is a file of a folder that all users have in common; its number
 * is at the start of its name.  A user gets each once.  What is known of a
 * user:
 *
 *   number	the highest that he has got: in ~/.popbull, in a file of a
 *		folder, or in the database bulldb, as the first poppers had it
 *   list	those that he has got and not deleted, in his state folder, with
 *		the number once more, in case the first one cannot be had
 */
#ifndef BULLETINS_H
#define BULLETINS_H

#include <popper/ext.h>

#include "bulletins_folder.h"

struct bulletins_conf {
	const char *directory;
	const char *popbull_directory; /* or "": ~/.popbull */
	const char *bulldb; /* folder of the database, or "" */
	uint64_t max_bulletins; /* that a new user gets */
	uint64_t max_size; /* octets */
	uint64_t bulldb_max_tries;
	bool bulldb_nonfatal;
	bool group_bulletins;
};

/* One that the user has got and not deleted. */
struct bulletins_held {
	int64_t number;
	uint64_t tag; /* of the file's name */
};

/* The list in the state folder. */
struct bulletins_list {
	bool known; /* there is such a file */
	bool stored; /* the number has gone to its place too */
	int64_t last; /* the number */
	size_t count;
	struct bulletins_held *held; /* numbers ascend */
};

/* One that the client sees. */
struct bulletins_shown {
	const struct bulletins_entry *entry;
	uint64_t octets;
	/* The file as it was when it was measured. */
	uint64_t device, inode, size;
	int64_t mtime[2];
};

/* What one session knows. */
struct bulletins {
	const struct popper_host *host;
	const struct bulletins_conf *conf;
	const struct popper_place *place;
	char to[2 * POPPER_USER_MAX + 512]; /* the user's address */
	struct bulletins_folder folder;
	struct bulletins_list list;
	bool dirty; /* the list is not as in its file */
	bool unreachable; /* where the number is kept */
	bool advance; /* list or number must be written */
	size_t count;
	struct bulletins_shown *shown;
	/* The maildrop behind. */
	const struct popper_drop *inner;
	void *inner_self;
	size_t inner_count;
};

/* --- bulletins_list.c --- */

/** bulletins_tag(name): stands for the name of a file. */
uint64_t bulletins_tag(const char *name);

/**
 * bulletins_list_read(b, e): fill b->list from the state folder; a list that
 * is not there, or damaged (told in the log), is not known.  -1: it cannot be
 * read.
 */
int bulletins_list_read(struct bulletins *, struct popper_error *);

/** bulletins_list_has(l, entry): is it in the list? */
bool bulletins_list_has(
    const struct bulletins_list *, const struct bulletins_entry *);

/** bulletins_list_add(l, entry): behind all others.  -1 with errno. */
int bulletins_list_add(struct bulletins_list *, const struct bulletins_entry *);

/**
 * bulletins_list_prepare(b, l, e): write ${l} beside the file in use, on
 * stable storage.  bulletins_list_adopt(b, e): put it in its place.
 */
int bulletins_list_prepare(const struct bulletins *,
    const struct bulletins_list *, struct popper_error *);
int bulletins_list_adopt(const struct bulletins *, struct popper_error *);

/* --- bulletins_number.c --- */

/* Where is the user's number? */
enum bulletins_found {
	BULLETINS_ERROR = -1,
	BULLETINS_NONE, /* nowhere: a new user */
	BULLETINS_EMPTY, /* a file that lost its number: he has had all */
	BULLETINS_NUMBER
};

/**
 * bulletins_number_paths(b, allow, e):
 * Make the file in which the number is kept if it is not there, and name it,
 * as popper/drop.h says.  ${allow} may be NULL.
 */
int bulletins_number_paths(
    const struct bulletins *, struct popper_allow *, struct popper_error *);

/** bulletins_number_get(b, number, e): where it is now. */
enum bulletins_found bulletins_number_get(
    const struct bulletins *, int64_t *number, struct popper_error *);

/**
 * bulletins_number_before(b, number, e): where it was kept before the folder
 * or the database was.
 */
enum bulletins_found bulletins_number_before(
    const struct bulletins *, int64_t *number, struct popper_error *);

/** bulletins_number_put(b, number, e): store it.  -1: it is not stored. */
int bulletins_number_put(
    const struct bulletins *, int64_t number, struct popper_error *);

/* --- bulletins_group.c --- */

/** bulletins_groups_learn(place): which groups the user is in; may ask the
 * system's databases, so it comes before the session is shut off.  Once. */
void bulletins_groups_learn(const struct popper_place *);

/** bulletins_is_for(name): is the group in the file's ${name} one of them? */
bool bulletins_is_for(const char *name);

/* --- bulletins_text.c --- */

/**
 * bulletins_address(out, size, user, host): what stands behind "To: ".
 */
void bulletins_address(
    char *out, size_t size, const char *user, const char *host);

/** bulletins_measure(b, shown, e): its octets, and how the file is now. */
int bulletins_measure(
    struct bulletins *, struct bulletins_shown *, struct popper_error *);

/** bulletins_pour(b, shown, offset, sink, e): as a drop's read. */
int bulletins_pour(struct bulletins *, const struct bulletins_shown *,
    uint64_t offset, struct popper_sink *, struct popper_error *);

/* --- bulletins_open.c --- */

/**
 * bulletins_open(b, e):
 * Find out what the user gets and note it.  -1 only if the configuration says
 * that he must not get on without.
 */
int bulletins_open(struct bulletins *, struct popper_error *);

/** bulletins_settle(b, l, e): write the list ${l} and the number, in an order
 * in which nothing is lost wherever it ends. */
int bulletins_settle(
    struct bulletins *, struct bulletins_list *, struct popper_error *);

/* --- bulletins_drop.c --- */

extern const struct popper_drop bulletins_drop;

#endif
