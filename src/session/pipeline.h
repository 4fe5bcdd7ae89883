/*
 * pipeline.h - a message on its way out.
 *
 *	maildrop -> filters -> TOP's limit -> CRLF and dots -> client
 */
#ifndef SESSION_PIPELINE_H
#define SESSION_PIPELINE_H

#include "proto/reply.h"
#include "session/session.h"

#define PIPELINE_ALL UINT64_MAX /* request->lines: the whole message */

/**
 * pipeline_send(s, request, r):
 * Answer RETR or TOP: the header and request->lines lines of the body of a
 * message.
 * A message that cannot be read at all is a clean -ERR; one that breaks off
 * closes the connection without the last line, so that no client takes it for
 * whole.
 */
enum outcome pipeline_send(
    struct session *, const struct popper_request *, struct reply *);

/** pipeline_measure(s, request, octets, error): the size of what RETR would
 * send.  0 or -1. */
int pipeline_measure(struct session *, const struct popper_request *,
    uint64_t *octets, struct popper_error *);

#endif
