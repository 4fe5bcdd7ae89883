/*
 * extensions.h - the ext modules of one session.
 */
#ifndef SESSION_EXTENSIONS_H
#define SESSION_EXTENSIONS_H

#include <popper/ext.h>

#include "conf/modules.h"
#include "proto/reply.h"
#include "session/maildrop.h"

struct messages;

struct extensions {
	const struct used_modules *modules;
	int attendant; /* channel to the session's, or -1 */
	size_t started; /* the first so many are */
	void *self[MODULES_MAX];
};

/**
 * extensions_start(x, modules, place, maildrop, error):
 * Start them in order and let each wrap ${maildrop}, which is changed.
 * ${x->attendant} is the caller's to set.
 */
int extensions_start(struct extensions *, const struct used_modules *,
    const struct popper_place *, struct maildrop *, struct popper_error *);

/** extensions_stop(x): those that were started, last first. */
void extensions_stop(struct extensions *);

/** extensions_attends(ext): has it a function attend? */
bool extensions_attends(const struct popper_ext *);

/** extensions_capabilities(modules, out, size): all lines for CAPA, each ended
 * by LF.  False if they do not fit. */
bool extensions_capabilities(
    const struct used_modules *, char *out, size_t size);

/**
 * extensions_command(x, messages, line, r, outcome):
 * If ${line} is a command of an extension run it and store in ${outcome} what
 * it did.  False if it is none.
 */
bool extensions_command(struct extensions *, struct messages *,
    struct popper_slice line, struct reply *, enum outcome *);

/** extensions_accept(x, argument): does one understand this argument behind
 * RETR, TOP or LIST? */
bool extensions_accept(const struct extensions *, struct popper_slice argument);

#define FILTERS_MAX MODULES_MAX

/* The filters in front of a sink, the first one first. */
struct filters {
	size_t count;
	const struct popper_ext *ext[FILTERS_MAX];
	struct popper_sink *sink[FILTERS_MAX];
};

/**
 * extensions_filter(x, request, next, f, error):
 * Put all filters in front of ${next}.  Returns the first sink of the chain
 * (${next} itself if nobody wants to filter), or NULL with ${error} filled.
 * Must be followed by extensions_finish.
 */
struct popper_sink *extensions_filter(struct extensions *,
    const struct popper_request *, struct popper_sink *next, struct filters *,
    struct popper_error *);

/**
 * extensions_finish(f, result, error):
 * The message is over, or could not be read if ${result} is -1, with ${error}
 * filled; frees the filters.  ${result}, or -1 if one of them could not finish.
 */
int extensions_finish(struct filters *, int result, struct popper_error *);

int extensions_before_update(
    struct extensions *, const struct popper_changes *, struct popper_error *);
void extensions_after_update(struct extensions *, enum popper_outcome);

#endif
