/*
 * mangle_engine.h - a whole message, cut down to headers and one text.
 *
 * GMime finds the structure; mangle_text.h makes the text.  Runs in the child
 * of a session, which may crash or be killed at any time.
 */
#ifndef MANGLE_ENGINE_H
#define MANGLE_ENGINE_H

#include <gmime/gmime.h>

#include "mangle_arguments.h"

struct mangle_limits {
	unsigned parts; /* of a message, at all depths */
	unsigned depth; /* multiparts and messages inside each other */
	size_t text; /* octets: of one part, and of what comes out */
};

/* One message being mangled. */
struct mangle_work {
	const struct mangle_arguments *want;
	const struct mangle_limits *limits;
	bool headers_only; /* TOP n 0: no MIME headers, no body */
	GMimeParserOptions *options;
	unsigned parts; /* seen so far */
	struct mangle_buffer text; /* the body, UTF-8 */
	/* The charset of what comes out: the one wanted, if iconv has it and
	 * writes ASCII as ASCII. */
	const char *charset;
};

/** mangle_engine_warm(): once, in the warm parent: what GMime and iconv need
 * to load. */
void mangle_engine_warm(void);

/**
 * mangle_engine_run(fd, want, limits, headers_only, out):
 * Read the message from the start of the file ${fd} and append to ${out} the
 * headers wanted, MIME headers, an empty line and the text.  Line ends are LF.
 * 0, or -1: not one message, or beyond the limits.
 */
int mangle_engine_run(int fd, const struct mangle_arguments *want,
    const struct mangle_limits *, bool headers_only, struct mangle_buffer *out);

/* --- The parts of the engine. --- */

/** mangle_headers(w, headers, out): append those headers that are wanted, in
 * their order, decoded to UTF-8; no line end in them but those of folding. */
int mangle_headers(
    const struct mangle_work *, GMimeHeaderList *, struct mangle_buffer *out);

/** mangle_line(text, out): append ${text} without control characters. */
int mangle_line(const char *text, struct mangle_buffer *out);

/** mangle_walk(w, object, depth): append to w->text what ${object} has to
 * say. 0 or -1. */
int mangle_walk(struct mangle_work *, GMimeObject *, unsigned depth);

/** mangle_alternative(w, multipart, i): which part of multipart/alternative
 * comes ${i}th by what is wanted, counted from 0; NULL: no more. */
GMimeObject *mangle_alternative(
    const struct mangle_work *, GMimeMultipart *, int i);

/** mangle_related_root(multipart): the part of multipart/related that the
 * others belong to (RFC 2387), or NULL. */
GMimeObject *mangle_related_root(GMimeMultipart *);

/** mangle_leaf(w, object): append to w->text what a part without parts has to
 * say: its text, or a note that it was left out. */
int mangle_leaf(struct mangle_work *, GMimeObject *);

/** mangle_note(w, lines): append, behind an empty line, lines of our own, as
 * UTF-8. */
int mangle_note(struct mangle_work *, struct popper_slice lines);

/** mangle_gap(w): an empty line, if there is something before it. */
int mangle_gap(struct mangle_work *);

#endif
