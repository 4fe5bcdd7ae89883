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
#include "base/number.h"
#include "proto/language.h"

#define PAIR_TEXT_MAX POPPER_UID_MAX

static struct {
	void (*told)(void *context, const char *line);
	void *context;
} watch;

void
reply_watch(void (*told)(void *context, const char *line), void *context)
{
	watch.told = told;
	watch.context = context;
}

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

static size_t
count_foreign(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += (unsigned char)*text >> 7;
	return n;
}

/*
 * Nothing in ${text} may end the line or move a terminal's cursor.  Of octets
 * above 127 there are ${foreign} in the format, which is ours; if there are
 * others some came with the data, and none is let through.
 */
static void
clean(char *text, size_t foreign)
{
	bool ascii = count_foreign(text) != foreign;

	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f ||
		    (ascii && (unsigned char)*text > 0x7f))
			*text = '?';
}

/*
 * The first line of an answer.  ${start} is the status and perhaps a code; a
 * text that looks like a code is none.  ${foreign}: see clean().
 */
static void POPPER_PRINTF(4, 0) answer(struct reply *r, const char *start,
    size_t foreign, const char *format, va_list ap)
{
	char line[REPLY_LINE_MAX];
	size_t len = strlen(start), room = sizeof(line) - 1 - len;
	char *text = line + len;
	int n;

	memcpy(line, start, len + 1);
	n = vsnprintf(text, room, format, ap);
	if (n <= 0)
		strcpy(text, start[0] == '+' ? "done" : "failed");
	/* A character may have been cut. */
	if (n > 0 && (size_t)n >= room)
		foreign = SIZE_MAX;
	clean(text, foreign);
	if (text[0] == '[')
		text[0] = '(';
	r->answered = true;
	r->failed = start[0] != '+';
	if (r->failed && watch.told != NULL)
		watch.told(watch.context, line);
	send_line(r, line);
}

/* ${text} as it is; it is no format. */
static void POPPER_PRINTF(4, 5) answer_as(
    struct reply *r, const char *start, size_t foreign, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	answer(r, start, foreign, format, ap);
	va_end(ap);
}

enum outcome
reply_ok(struct reply *r, const char *format, ...)
{
	const char *text = language_text(format);
	va_list ap;

	va_start(ap, format);
	answer(r, "+OK ", count_foreign(text), language_text(format), ap);
	va_end(ap);
	return OUTCOME_DONE;
}

enum outcome
reply_exact(struct reply *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	answer(r, "+OK ", 0, format, ap);
	va_end(ap);
	return OUTCOME_DONE;
}

enum outcome
reply_tagged(struct reply *r, const char *tag, const char *text)
{
	const char *translation = language_text(text);

	answer_as(
	    r, "+OK ", count_foreign(translation), "%s %s", tag, translation);
	return OUTCOME_DONE;
}

/* "-ERR [CODE] " */
struct start {
	char text[32];
};

static struct start
refusal(enum popper_status status)
{
	struct start s;

	snprintf(s.text, sizeof(s.text), "-ERR %s", reply_status_code(status));
	return s;
}

enum outcome
reply_refuse(
    struct reply *r, enum popper_status status, const char *format, ...)
{
	struct start start = refusal(status);
	const char *text = language_text(format);
	va_list ap;

	va_start(ap, format);
	answer(r, start.text, count_foreign(text), language_text(format), ap);
	va_end(ap);
	return OUTCOME_REFUSED;
}

enum outcome
reply_error(struct reply *r, const struct popper_error *error)
{
	struct start start = refusal(error->status);
	const char *text = error->reply, *translation;

	if (text[0] == '\0')
		text = reply_status_text(error->status);
	translation = language_text(text);
	answer_as(r, start.text,
	    translation == text ? 0 : count_foreign(translation), "%s",
	    translation);
	return OUTCOME_REFUSED;
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
	clean(line + 1, 0);
	if (line[1] == '.')
		line[0] = '.';
	else
		text = memmove(line, line + 1, strlen(line + 1) + 1);
	send_line(r, text);
}

void
reply_pair(struct reply *r, uint64_t number, struct popper_slice text)
{
	char *line;
	size_t len;

	stuff_end(&r->stuff);
	/* There may be a million of them: no copy more than is needed. */
	line = stream_room(r->stream, NUMBER_DIGITS + 1 + PAIR_TEXT_MAX + 2);
	if (line == NULL)
		return;
	len = number_print(number, line);
	if (text.len > PAIR_TEXT_MAX)
		text.len = PAIR_TEXT_MAX;
	line[len++] = ' ';
	memcpy(line + len, text.ptr, text.len);
	memcpy(line + len + text.len, "\r\n", 2);
	stream_wrote(r->stream, len + text.len + 2);
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

/* A response code, and as it stands in a line. */
#define CODE(name)                  \
	{                           \
		name, "[" name "] " \
	}

static const struct {
	const char *name, *start;
} codes[] = {
	[POPPER_OK] = { "", "" },
	[POPPER_INVALID] = { "", "" },
	[POPPER_ABSENT] = { "", "" },
	[POPPER_DENIED] = CODE("AUTH"),
	[POPPER_IN_USE] = CODE("IN-USE"),
	[POPPER_TOO_SOON] = CODE("LOGIN-DELAY"),
	[POPPER_TEMPORARY] = CODE("SYS/TEMP"),
	[POPPER_PERMANENT] = CODE("SYS/PERM"),
	[POPPER_NEEDS_UTF8] = CODE("UTF8"),
};

_Static_assert(sizeof(codes) / sizeof(codes[0]) == POPPER_STATUSES,
    "a code for every status");

const char *
reply_status_code(enum popper_status status)
{
	return status < POPPER_STATUSES ? codes[status].start : "";
}

const char *
reply_status_name(enum popper_status status)
{
	return status < POPPER_STATUSES ? codes[status].name : "";
}

const char *
reply_status_text(enum popper_status status)
{
	static const char *const text[] = {
		[POPPER_OK] = N_("no error"),
		[POPPER_INVALID] = N_("invalid argument"),
		[POPPER_ABSENT] = N_("no such thing here"),
		[POPPER_DENIED] = N_("login failed"),
		[POPPER_IN_USE] = N_("lock busy!  Is another session active?"),
		[POPPER_TOO_SOON] = N_("wait before you log in again"),
		[POPPER_TEMPORARY] = N_("trouble here, try again later"),
		[POPPER_PERMANENT] = N_("trouble here, tell the administrator"),
		[POPPER_NEEDS_UTF8] = N_("message needs UTF8"),
	};

	_Static_assert(sizeof(text) / sizeof(text[0]) == POPPER_STATUSES,
	    "a text for every status");
	return status < POPPER_STATUSES ? text[status] : "";
}
