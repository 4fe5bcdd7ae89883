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
#include <sys/socket.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "session/errand.h"

/* A client that is asked for a line has this long to send it. */
#define LINE_PATIENCE (600 * 1000)
/* A drop's lock wants to be looked after so often. */
#define MINUTE 60000

struct talk {
	struct popper_talk talk;
	struct popper_call call;
	struct reply *reply;
	const struct part *part;
	const struct messages *messages;
	bool open; /* a multi-line reply is */
	bool asked; /* the client was told to go ahead */
	bool gone; /* and has not sent all of it */
	bool crlf; /* the last line ended so */
	deadline_t beat; /* when the lock must be looked after */
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

static int POPPER_PRINTF(2, 3)
    talk_go_ahead(struct popper_talk *talk, const char *format, ...)
{
	struct talk *t = (struct talk *)talk;
	va_list ap;

	va_start(ap, format);
	first_line(t, format, ap);
	va_end(ap);
	reply_begin(t->reply); /* the answer is still to come */
	t->asked = true;
	return state_of(t);
}

/* Is the maildrop still ours?  Asked once a minute, however long a command
 * takes. */
static bool
beat(struct talk *t)
{
	const struct maildrop *m = t->messages->maildrop;
	struct popper_error e;

	if (deadline_left(t->beat) > 0)
		return true;
	t->beat = deadline_in(MINUTE);
	if (m->driver->lease == NULL || m->driver->lease(m->self, &e) == 0)
		return true;
	log_failure("the lock of the maildrop is lost", &e);
	return false;
}

static enum stream_line
next_line(struct talk *t, size_t most, struct popper_slice *line)
{
	deadline_t until = deadline_in(LINE_PATIENCE);
	enum stream_line result;

	do {
		if (!beat(t))
			return STREAM_CLOSED;
		result = stream_read_line(t->reply->stream, most, line,
		    deadline_earlier(until, t->beat));
	} while (result == STREAM_EXPIRED && deadline_left(until) > 0);
	return result;
}

/* The end of a line is where it was: behind it, or, if the line was thrown
 * away, before the next one. */
static bool
ended_in_crlf(
    const struct stream *s, enum stream_line result, struct popper_slice line)
{
	if (result == STREAM_LINE)
		return line.ptr[line.len] == '\r';
	return result == STREAM_LONG &&
	    (s->in_at < 2 || s->in[s->in_at - 2] == '\r');
}

static long
talk_read_line(struct popper_talk *talk, char *buf, size_t size)
{
	struct talk *t = (struct talk *)talk;
	/* With CRLF. */
	size_t most = size < STREAM_LINE_MAX - 2 ? size + 2 : STREAM_LINE_MAX;
	struct popper_slice line;
	enum stream_line result = next_line(t, most, &line);

	t->crlf = ended_in_crlf(t->reply->stream, result, line);
	if (result == STREAM_LONG || (result == STREAM_LINE && line.len > size))
		return POPPER_READ_LONG;
	if (result != STREAM_LINE) {
		t->gone = t->asked;
		return POPPER_READ_GONE;
	}
	memcpy(buf, line.ptr, line.len);
	return (long)line.len;
}

static bool
talk_read_crlf(struct popper_talk *talk)
{
	return ((struct talk *)talk)->crlf;
}

/* --- Errands. --- */

static int
nobody(const char *why, struct popper_error *e)
{
	return error_set(e, POPPER_TEMPORARY, "no attendant: %s", why);
}

static int
attend(const struct popper_call *call, struct popper_slice request, int fd,
    struct popper_error *e)
{
	struct talk *t = (struct talk *)call->talk;
	deadline_t until = deadline_in(ERRAND_PATIENCE);
	struct errand x = { .request = request };
	int channel = t->part->attendant, result = 0;

	if (channel == -1)
		return nobody("the module has none", e);
	if (request.len > ERRAND_REQUEST_MAX ||
	    !text_copy(x.module, sizeof(x.module), t->part->module))
		return nobody("the request is too long", e);
	/* What was said before shall not wait with the client. */
	stream_flush(t->reply->stream);
	if (errand_send(channel, &x, fd) == -1)
		return nobody("it is gone", e);
	while (result == 0 && deadline_left(until) > 0 && beat(t))
		result =
		    errand_wait(channel, deadline_earlier(until, t->beat), e);
	if (result == 1)
		return e->status == POPPER_OK ? 0 : -1;
	/* An answer that came later would be taken for the next one's. */
	shutdown(channel, SHUT_RDWR);
	return nobody(result == 0 ? "it takes too long" : "it is gone", e);
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

static void
prepare(struct talk *t, struct view *v)
{
	t->talk = (struct popper_talk){ .size = sizeof(t->talk),
		.ok = talk_ok,
		.open = talk_open,
		.line = talk_line,
		.body = talk_body,
		.end = talk_end,
		.read_line = talk_read_line,
		.go_ahead = talk_go_ahead,
		.read_crlf = talk_read_crlf };
	v->view = (struct popper_view){ .size = sizeof(v->view),
		.count = view_count,
		.deleted = view_deleted,
		.describe = view_describe,
		.read = view_read,
		.pick = view_pick };
	t->call = (struct popper_call){ .size = sizeof(t->call),
		.talk = &t->talk,
		.view = &v->view,
		.attend = attend };
}

enum outcome
talk_run(const struct part *part, const struct popper_slice *args, size_t count,
    struct messages *m, struct reply *r)
{
	struct talk t = { .reply = r,
		.part = part,
		.messages = m,
		.beat = deadline_in(MINUTE) };
	struct view v = { .messages = m };
	struct popper_error e;
	int result;

	prepare(&t, &v);
	t.call.args = args;
	t.call.count = count;
	error_clear(&e);
	result = part->command->run(part->self, &t.call, &e);
	if (t.gone) {
		log_info("%s: the client was gone before its end",
		    part->command->keyword);
		return OUTCOME_CLOSE;
	}
	if (result == 0 && r->answered && !t.open)
		return OUTCOME_DONE;
	if (result == 0)
		error_set(&e, POPPER_PERMANENT, "the module left its reply %s",
		    t.open ? "open" : "out");
	if (e.status != POPPER_INVALID)
		log_failure(part->command->keyword, &e);
	if (r->answered)
		return OUTCOME_CLOSE;
	return reply_error(r, &e);
}
