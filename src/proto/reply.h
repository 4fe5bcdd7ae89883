/*
 * reply.h - one place talks.
 *
 * Handlers decide; only these functions write to the client.  Every line ends
 * in CRLF and has at most 512 octets with it; text that is too long is cut.
 *
 * The text of reply_ok, reply_refuse and reply_error is for people: it is
 * translated if LANG was given (language.h).  Programs read the others.
 * Only translations go beyond ASCII; such octets in data become "?".
 *
 * No text may begin with "[" unless it is a response code (RFC 2449 section
 * 6.4), which the functions see to: codes come from enum popper_status only.
 */
#ifndef PROTO_REPLY_H
#define PROTO_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <popper/drop.h>
#include <popper/error.h>
#include <popper/module.h>

#include "base/stream.h"
#include "proto/command.h"
#include "proto/stuff.h"

#define REPLY_LINE_MAX 512

struct reply {
	struct stream *stream;
	struct stuff stuff; /* the sink of reply_body */
	bool answered; /* since reply_begin */
	bool failed; /* the answer was -ERR */
};

/** reply_watch(told, context): from now on each -ERR of this process is told,
 * without its line end, beside being sent.  NULL: no more. */
void reply_watch(void (*told)(void *context, const char *line), void *context);

/** reply_start(r, stream): ${stream} stays the caller's. */
void reply_start(struct reply *, struct stream *);

/** reply_begin(r): a new command: it has not been answered yet. */
void reply_begin(struct reply *);

/** reply_ok(r, format, ...): "+OK text".  OUTCOME_DONE; never fails (a broken
 * stream is noticed at the next read). */
enum outcome reply_ok(struct reply *, const char *format, ...)
    POPPER_PRINTF(2, 3);

/** reply_exact(r, format, ...): the same, for programs to read: never
 * translated. */
enum outcome reply_exact(struct reply *, const char *format, ...)
    POPPER_PRINTF(2, 3);

/** reply_tagged(r, tag, text): "+OK tag text", ${text} translated. */
enum outcome reply_tagged(struct reply *, const char *tag, const char *text);

/** reply_refuse(r, status, format, ...): "-ERR [CODE] text".  OUTCOME_REFUSED.
 */
enum outcome reply_refuse(struct reply *, enum popper_status,
    const char *format, ...) POPPER_PRINTF(3, 4);

/** reply_error(r, error): "-ERR" with the error's code and its reply, which is
 * translated if it is marked N_(), or the usual text of its status; never its
 * log text.  OUTCOME_REFUSED. */
enum outcome reply_error(struct reply *, const struct popper_error *);

/** reply_challenge(r, octets): "+ base64" (RFC 5034 section 4). */
void reply_challenge(struct reply *, struct popper_slice);

/** reply_line(r, format, ...): one line of a multi-line reply, stuffed. */
void reply_line(struct reply *, const char *format, ...) POPPER_PRINTF(2, 3);
/** reply_pair(r, number, text): the line "number text", as LIST and UIDL have
 * many of.  ${text} is printable ASCII, at most 70 octets: the caller knows. */
void reply_pair(struct reply *, uint64_t number, struct popper_slice text);

/** reply_octets(r, s): the same for given octets without a line end, whole:
 * these are data, not cut and not cleaned. */
void reply_octets(struct reply *, struct popper_slice);

/** reply_body(r): a sink for a message: CRLF and dots are seen to.  One at a
 * time; dies with reply_end. */
struct popper_sink *reply_body(struct reply *);

/** reply_end(r): end the last line of the body if it is open, then ".". */
enum outcome reply_end(struct reply *);

/** reply_status_code(status): "[AUTH] ", "[SYS/TEMP] " ... or "". */
const char *reply_status_code(enum popper_status);
/** reply_status_name(status): "AUTH", "SYS/TEMP" ... or "". */
const char *reply_status_name(enum popper_status);
/** reply_status_text(status): the usual words for it, in English. */
const char *reply_status_text(enum popper_status);

#endif
