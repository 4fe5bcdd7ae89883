/*
 * talk.c - the conversation and the maildrop as a command of an extension sees
 * them.
 *
 * Runs in: a session, as the user.
 */
#include "session/talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

/* A client that is asked for a line has this long to send it. */
#define LINE_PATIENCE (600 * 1000)

struct talk {
	struct popper_talk talk;
	struct reply *reply;
	bool open; /* a multi-line reply is */
};

struct view {
	struct popper_view view;
	struct messages *messages;
};

static int
state_of(const struct talk *t)
{
	return t->reply->stream->broken ? -1 : 0;
}

static void POPPER_PRINTF(2, 0)
    first_line(struct talk *t, const char *format, va_list ap)
{
	char text[REPLY_LINE_MAX];

	if (t->reply->answered)
		log_panic("an extension answered twice");
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		text[0] = '\0';
	reply_exact(t->reply, "%s", text);
}

static int POPPER_PRINTF(2, 3)
    talk_ok(struct popper_talk *talk, const char *format, ...)
{
	struct talk *t = (struct talk *)talk;
	va_list ap;

	va_start(ap, format);
	first_line(t, format, ap);
	va_end(ap);
	return state_of(t);
}

static int POPPER_PRINTF(2, 3)
    talk_open(struct popper_talk *talk, const char *format, ...)
{
	struct talk *t = (struct talk *)talk;
	va_list ap;

	va_start(ap, format);
	first_line(t, format, ap);
	va_end(ap);
	t->open = true;
	return state_of(t);
}

/* A line without "+OK" before it would be taken for a reply of its own. */
static void
must_be_open(const struct talk *t)
{
	if (!t->open)
		log_panic("an extension wrote into a reply that is not open");
}

static int
talk_line(struct popper_talk *talk, struct popper_slice s)
{
	struct talk *t = (struct talk *)talk;

	must_be_open(t);
	reply_octets(t->reply, s);
	return state_of(t);
}

static struct popper_sink *
talk_body(struct popper_talk *talk)
{
	struct talk *t = (struct talk *)talk;

	must_be_open(t);
	return reply_body(t->reply);
}

static int
talk_end(struct popper_talk *talk)
{
	struct talk *t = (struct talk *)talk;

	must_be_open(t);
	t->open = false;
	reply_end(t->reply);
	return state_of(t);
}

static long
talk_read_line(struct popper_talk *talk, char *buf, size_t size)
{
	struct talk *t = (struct talk *)talk;
	/* With CRLF. */
	size_t most = size < STREAM_LINE_MAX - 2 ? size + 2 : STREAM_LINE_MAX;
	struct popper_slice line;

	if (stream_read_line(t->reply->stream, most, &line,
		deadline_in(LINE_PATIENCE)) != STREAM_LINE ||
	    line.len > size)
		return -1;
	memcpy(buf, line.ptr, line.len);
	return (long)line.len;
}

static struct messages *
messages_of(struct popper_view *view)
{
	return ((struct view *)view)->messages;
}

static size_t
view_count(struct popper_view *view)
{
	return messages_of(view)->maildrop->count;
}

static bool
view_deleted(struct popper_view *view, size_t i)
{
	return messages_is_deleted(messages_of(view), i);
}

static int
view_describe(struct popper_view *view, size_t i, unsigned want,
    struct popper_message *out, struct popper_error *e)
{
	const struct maildrop *m = messages_of(view)->maildrop;

	return m->driver->describe(m->self, i, want, out, e);
}

static int
view_read(struct popper_view *view, size_t i, uint64_t offset,
    struct popper_sink *sink, struct popper_error *e)
{
	const struct maildrop *m = messages_of(view)->maildrop;

	return m->driver->read(m->self, i, offset, sink, e);
}

static int
view_pick(struct popper_view *view, struct popper_slice word, size_t *i,
    struct popper_error *e)
{
	return messages_pick(messages_of(view), word, i, e);
}

enum outcome
talk_run(const struct popper_command *c, void *self,
    const struct popper_slice *args, size_t count, struct messages *m,
    struct reply *r)
{
	struct talk t = {
		.talk = { .size = sizeof(t.talk),
		    .ok = talk_ok,
		    .open = talk_open,
		    .line = talk_line,
		    .body = talk_body,
		    .end = talk_end,
		    .read_line = talk_read_line },
		.reply = r,
	};
	struct view v = {
		.view = { .size = sizeof(v.view),
		    .count = view_count,
		    .deleted = view_deleted,
		    .describe = view_describe,
		    .read = view_read,
		    .pick = view_pick },
		.messages = m,
	};
	struct popper_call call = { .size = sizeof(call),
		.count = count,
		.args = args,
		.talk = &t.talk,
		.view = &v.view };
	struct popper_error e;
	int result;

	error_clear(&e);
	result = c->run(self, &call, &e);
	if (result == 0 && r->answered && !t.open)
		return OUTCOME_DONE;
	if (result == 0)
		error_set(&e, POPPER_PERMANENT, "the module left its reply %s",
		    t.open ? "open" : "out");
	if (e.status != POPPER_INVALID)
		log_failure(c->keyword, &e);
	if (r->answered)
		return OUTCOME_CLOSE;
	return reply_error(r, &e);
}
