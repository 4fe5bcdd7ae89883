/*
 * reply.c - one place talks.
 *
 * Runs in: a login worker and a session.
 */
#include "proto/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"

void
reply_start(struct reply *r, struct stream *stream)
{
	r->stream = stream;
	reply_begin(r);
}

void
reply_begin(struct reply *r)
{
	stuff_start(&r->stuff, r->stream);
	r->answered = false;
	r->failed = false;
}

/* Cut the line in ${line} to what fits, and see to its end. */
static void
send_line(struct reply *r, char line[REPLY_LINE_MAX])
{
	size_t len = strlen(line);

	if (len > REPLY_LINE_MAX - 2)
		len = REPLY_LINE_MAX - 2;
	memcpy(line + len, "\r\n", 2);
	stream_put(r->stream, popper_slice(line, len + 2));
}

/* Nothing in ${text} may end the line or move a terminal's cursor. */
static void
clean(char *text)
{
	for (; *text != '\0'; text++)
		if ((*text > 0 && *text < 0x20) || *text == 0x7f)
			*text = '?';
}

/*
 * The first line of an answer.  ${start} is the status and perhaps a code; a
 * text that looks like a code is none.
 */
static void POPPER_PRINTF(3, 0)
    answer(struct reply *r, const char *start, const char *format, va_list ap)
{
	char line[REPLY_LINE_MAX];
	size_t len = strlen(start);
	char *text = line + len;

	memcpy(line, start, len + 1);
	if (vsnprintf(text, sizeof(line) - len, format, ap) <= 0)
		strcpy(text, start[0] == '+' ? "done" : "failed");
	clean(text);
	if (text[0] == '[')
		text[0] = '(';
	send_line(r, line);
	r->answered = true;
}

enum outcome
reply_ok(struct reply *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	answer(r, "+OK ", format, ap);
	va_end(ap);
	r->failed = false;
	return OUTCOME_DONE;
}

enum outcome
reply_refuse(
    struct reply *r, enum popper_status status, const char *format, ...)
{
	char start[32];
	va_list ap;

	snprintf(start, sizeof(start), "-ERR %s", reply_status_code(status));
	va_start(ap, format);
	answer(r, start, format, ap);
	va_end(ap);
	r->failed = true;
	return OUTCOME_REFUSED;
}

enum outcome
reply_error(struct reply *r, const struct popper_error *error)
{
	const char *text = error->reply;

	if (text[0] == '\0')
		text = reply_status_text(error->status);
	return reply_refuse(r, error->status, "%s", text);
}

void
reply_challenge(struct reply *r, struct popper_slice octets)
{
	char out[BASE64_LEN(768)];
	struct popper_slice piece;
	size_t at;

	stream_put(r->stream, popper_slice("+ ", 2));
	for (at = 0; at < octets.len; at += piece.len) {
		piece = popper_slice(octets.ptr + at, octets.len - at);
		if (piece.len > 768)
			piece.len = 768; /* whole groups: no padding inside */
		base64_encode(piece, out);
		stream_put(r->stream, popper_slice(out, BASE64_LEN(piece.len)));
	}
	stream_put(r->stream, popper_slice("\r\n", 2));
}

void
reply_line(struct reply *r, const char *format, ...)
{
	char line[REPLY_LINE_MAX];
	char *text = line;
	va_list ap;

	stuff_end(&r->stuff);
	va_start(ap, format);
	if (vsnprintf(line + 1, sizeof(line) - 1, format, ap) < 0)
		line[1] = '\0';
	va_end(ap);
	clean(line + 1);
	if (line[1] == '.')
		line[0] = '.';
	else
		text = memmove(line, line + 1, strlen(line + 1) + 1);
	send_line(r, text);
}

void
reply_octets(struct reply *r, struct popper_slice s)
{
	stuff_end(&r->stuff);
	r->stuff.sink.put(&r->stuff.sink, s);
	stream_put(r->stream, popper_slice("\r\n", 2));
	stuff_start(&r->stuff, r->stream);
}

struct popper_sink *
reply_body(struct reply *r)
{
	stuff_end(&r->stuff);
	return &r->stuff.sink;
}

enum outcome
reply_end(struct reply *r)
{
	stuff_end(&r->stuff);
	stream_put(r->stream, popper_slice(".\r\n", 3));
	return OUTCOME_DONE;
}

const char *
reply_status_code(enum popper_status status)
{
	static const char *const code[] = {
		[POPPER_OK] = "",
		[POPPER_INVALID] = "",
		[POPPER_ABSENT] = "",
		[POPPER_DENIED] = "[AUTH] ",
		[POPPER_IN_USE] = "[IN-USE] ",
		[POPPER_TOO_SOON] = "[LOGIN-DELAY] ",
		[POPPER_TEMPORARY] = "[SYS/TEMP] ",
		[POPPER_PERMANENT] = "[SYS/PERM] ",
		[POPPER_NEEDS_UTF8] = "[UTF8] ",
	};

	_Static_assert(sizeof(code) / sizeof(code[0]) == POPPER_STATUSES,
	    "a code for every status");
	return status < POPPER_STATUSES ? code[status] : "";
}

const char *
reply_status_text(enum popper_status status)
{
	static const char *const text[] = {
		[POPPER_OK] = "no error",
		[POPPER_INVALID] = "invalid argument",
		[POPPER_ABSENT] = "no such thing here",
		[POPPER_DENIED] = "login failed",
		[POPPER_IN_USE] = "lock busy!  Is another session active?",
		[POPPER_TOO_SOON] = "wait before you log in again",
		[POPPER_TEMPORARY] = "trouble here, try again later",
		[POPPER_PERMANENT] = "trouble here, tell the administrator",
		[POPPER_NEEDS_UTF8] = "message needs UTF8",
	};

	_Static_assert(sizeof(text) / sizeof(text[0]) == POPPER_STATUSES,
	    "a text for every status");
	return status < POPPER_STATUSES ? text[status] : "";
}
