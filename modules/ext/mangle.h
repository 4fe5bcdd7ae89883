/*
 * mangle.h - what the parts of the mangle module share in a session.
 *
 *	drop -> filter -> spool -> child (mangle_engine.h) -> kept -> client
 *
 * A message is stored in the spool first: whatever goes wrong later, it can
 * still be sent as it is.
 */
#ifndef MANGLE_H
#define MANGLE_H

#include <stdio.h>

#include <popper/ext.h>

#include "mangle_arguments.h"

struct mangle_conf {
	uint64_t parts, depth; /* of a message */
	uint64_t text; /* octets of one part, and of a result */
	uint64_t memory; /* octets that a child may use; 0: no limit */
	uint64_t time; /* seconds of processor time for a message */
	uint64_t largest; /* octets of a message that is looked at */
	uint64_t keep; /* octets of results in the state folder */
};

/* --- mangle_file.c: a file without a name in the state folder. --- */

struct mangle_file {
	int rw, ro; /* the same file twice, or -1 */
	uint64_t len;
};

/** mangle_file_add(f, state, s): append; makes the file if there is none.
 * 0, or -1 with errno. */
int mangle_file_add(struct mangle_file *, int state, struct popper_slice);

/** mangle_file_cut(f, len): keep the first ${len} octets. */
void mangle_file_cut(struct mangle_file *, uint64_t len);

/** mangle_file_pour(f, from, len, sink): 0 (all, or the sink had enough), or
 * -1: it cannot be read, or the sink failed. */
int mangle_file_pour(const struct mangle_file *, uint64_t from, uint64_t len,
    struct popper_sink *);

void mangle_file_close(struct mangle_file *);

/* --- mangle_kept.c: results, so that RETR, TOP and LIST agree. --- */

enum mangle_state {
	MANGLE_NOT_YET,
	MANGLE_KEPT, /* ${len} octets at ${from} */
	MANGLE_MEASURED, /* there is no room for it: only ${octets} is known */
	MANGLE_UNTOUCHED /* goes out as it is */
};

struct mangle_result {
	enum mangle_state state;
	uint64_t from, len;
	uint64_t octets; /* with CRLF */
};

struct mangle_wish {
	struct mangle_arguments arguments;
	bool headers_only;
};

#define MANGLE_SETS 8 /* kinds of wishes whose results are kept */

struct mangle_set {
	struct mangle_wish wish;
	size_t count; /* room for so many messages */
	struct mangle_result *results;
};

struct mangle_kept {
	struct mangle_file file;
	size_t count;
	struct mangle_set set[MANGLE_SETS];
};

/** mangle_kept_find(k, wish, i): what is known of message ${i}. */
struct mangle_result mangle_kept_find(
    const struct mangle_kept *, const struct mangle_wish *, size_t i);

/** mangle_kept_note(k, wish, i, result): remember it, if there is memory. */
void mangle_kept_note(struct mangle_kept *, const struct mangle_wish *,
    size_t i, const struct mangle_result *);

void mangle_kept_free(struct mangle_kept *);

/* --- mangle_sizes.c: the sizes of the plain texts, from session to session,
 * in the state folder. --- */

struct mangle_size {
	const char *uid;
	uint64_t octets;
	bool untouched;
};

struct mangle_sizes {
	size_t count;
	struct mangle_size *sizes; /* by uid */
	char *text; /* what they point into */
};

/** mangle_sizes_warm(): once, in the warm parent: what makes them. */
void mangle_sizes_warm(void);

/** mangle_sizes_load(s, state, conf): none, if they were not made by the same
 * programs with the same limits. */
void mangle_sizes_load(
    struct mangle_sizes *, int state, const struct mangle_conf *);

/** mangle_sizes_find(s, uid): or NULL. */
const struct mangle_size *mangle_sizes_find(
    const struct mangle_sizes *, const char *uid);

void mangle_sizes_free(struct mangle_sizes *);

/**
 * mangle_sizes_start(state, conf), mangle_sizes_add(file, uid, result),
 * mangle_sizes_end(file, state): write a new file of them, which takes the old
 * one's place at the end.  NULL, or -1: there will be no new one.
 */
FILE *mangle_sizes_start(int state, const struct mangle_conf *);
void mangle_sizes_add(
    FILE *, struct popper_slice uid, const struct mangle_result *);
int mangle_sizes_end(FILE *, int state);

/* --- mangle.c --- */

/* One session's instance. */
struct mangle {
	const struct popper_host *host;
	const struct mangle_conf *conf; /* lives as long as the process */
	int state; /* the user's state folder */
	bool always; /* the name ended in "-no-mime" */
	bool past; /* the wrapper stays out: the client says what it wants */
	unsigned slow; /* messages that took too long */
	bool weak; /* the trouble was ours: no size is worth keeping */
	struct mangle_macros macros;
	struct mangle_file spool; /* the message under work */
	struct mangle_kept kept;
};

/* --- mangle_child.c --- */

/**
 * mangle_child_run(m, wish, result):
 * Let a child mangle the message in the spool and append what it makes of it
 * to m->kept.file.  MANGLE_KEPT or MANGLE_UNTOUCHED in ${result}; why it is
 * untouched is in the log, with ${i}.
 */
void mangle_child_run(struct mangle *, const struct mangle_wish *, size_t i,
    struct mangle_result *);

/* --- mangle_confine.c --- */

/** mangle_confine_folder(): where iconv's modules are, or "". */
const char *mangle_confine_folder(void);

/**
 * mangle_confine(conf, in, out):
 * In the child: give up all descriptors but ${in} and ${out}, which become 0
 * and 1, all paths but iconv's modules, and what conf limits.  0 or -1.
 */
int mangle_confine(const struct mangle_conf *, int in, int out);

/* --- mangle_filter.c --- */

/** mangle_filter(self, request, next, error), mangle_finish(filter, error): as
 * in popper/ext.h. */
struct popper_sink *mangle_filter(void *self, const struct popper_request *,
    struct popper_sink *next, struct popper_error *);
int mangle_finish(struct popper_sink *, struct popper_error *);

/**
 * mangle_make(m, wish, i, result):
 * The spool holds message ${i}: mangle and remember it.
 */
void mangle_make(struct mangle *, const struct mangle_wish *, size_t i,
    struct mangle_result *);

/* --- mangle_outer.c --- */

/** mangle_wrap_drop(self, inner, inner_self, outer, error): as wrap in
 * popper/ext.h: every message as X-MANGLE(text=plain) shows it. */
const struct popper_drop *mangle_wrap_drop(void *self,
    const struct popper_drop *inner, void *inner_self, void **outer,
    struct popper_error *);

#endif
