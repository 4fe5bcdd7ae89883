/*
 * template.c - commands, a filter and a wrapped drop: the ext module one
 * copies.
 *
 * Runs in: popper-session, as the user.
 *
 * It shows what most extensions do (popper/ext.h), each in its smallest form;
 * not lines from the client (go_ahead), attendants and hooks around UPDATE.  To
 * make your own:
 *
 *   1. Copy this file and choose a name; it is the file's name without suffix,
 *      the first argument of POPPER_MODULE at the end, and the word after
 *      "ext" in modules.conf.  Delete what you do not need.
 *   2. State your options: a struct, and a table that says which line of
 *      modules.conf fills which field.
 *   3. Write commands: a row in the table and a function that answers exactly
 *      once, or returns -1 and lets the server say -ERR.
 *   4. Write a filter: a sink in front of a sink.  It sees octets in pieces of
 *      any length, so what it knows about lines must last between two pieces.
 *   5. Write a wrapper: a drop that shows another drop with more or fewer
 *      messages.  It passes on what is not its own, and never loses a mark.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <popper/bulk.h>
#include <popper/ext.h>

/* --- Step 2: options. --- */

struct template_conf {
	const char *greeting;
	bool upper; /* the filter */
	bool extra; /* the wrapper */
};

static const struct popper_option template_options[] = {
	POPPER_OPTION(TEXT, struct template_conf, greeting, "greeting", "hello",
	    "what XTND HELLO says"),
	POPPER_OPTION(BOOL, struct template_conf, upper, "upper", "no",
	    "take the argument X-UPPER behind RETR, TOP and LIST"),
	POPPER_OPTION(BOOL, struct template_conf, extra, "extra", "no",
	    "show one message more"),
	POPPER_OPTIONS_END,
};

/* One session's instance; ${conf} lives as long as the process. */
struct template
{
	const struct popper_host *host;
	const struct template_conf *conf;
};

static int
template_start(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *error)
{
	struct template *t;

	(void)place;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return host->fail_system(error, POPPER_TEMPORARY, "template");
	t->host = host;
	t->conf = conf;
	*self = t;
	return 0;
}

static void
template_stop(void *self)
{
	free(self);
}

/* --- Step 3: commands. --- */

/* XTND HELLO name: one line.  What the client sent is never a format. */
static int
hello(void *self, const struct popper_call *call, struct popper_error *error)
{
	const struct template *t = self;
	const struct popper_slice name = call->args[0];

	if (name.len > 64)
		return t->host->fail(
		    error, POPPER_INVALID, "template: the name is too long");
	return call->talk->ok(
	    call->talk, "%s, %.*s", t->conf->greeting, (int)name.len, name.ptr);
}

/* XTND MARKED: several lines, "number octets" of what QUIT will remove. */
static int
marked(void *self, const struct popper_call *call, struct popper_error *error)
{
	struct popper_view *view = call->view;
	struct popper_message message;
	char line[64];
	size_t i;
	int len;

	(void)self;
	if (call->talk->open(call->talk, "messages marked deleted") == -1)
		return -1;
	for (i = 0; i < view->count(view); i++) {
		if (!view->deleted(view, i))
			continue;
		if (view->describe(
			view, i, POPPER_WANT_OCTETS, &message, error) == -1)
			return -1;
		len = snprintf(line, sizeof(line), "%zu %llu", i + 1,
		    (unsigned long long)message.octets);
		if (call->talk->line(
			call->talk, popper_slice(line, (size_t)len)) == -1)
			return -1;
	}
	return call->talk->end(call->talk);
}

static const struct popper_command template_commands[] = {
	{ "XTND HELLO", 1, 1, hello },
	{ "XTND MARKED", 0, 0, marked },
	{ NULL, 0, 0, NULL },
};

static const char *const template_capabilities[] = { "X-TEMPLATE", NULL };

/* --- Step 4: a filter. --- */

/* Makes the letters of the body upper case; the header stays. */
struct upper {
	struct popper_sink sink; /* first: a sink is cast to its filter */
	struct popper_sink *next;
	bool body; /* the empty line has passed */
	bool empty; /* nothing but CR in this line so far */
};

static char
upper_octet(struct upper *u, char c)
{
	if (u->body)
		return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	if (c == '\n') {
		u->body = u->empty;
		u->empty = true;
	} else if (c != '\r') {
		u->empty = false;
	}
	return c;
}

/* A slice is not ours to change: work on a copy, piece by piece. */
static int
upper_put(struct popper_sink *sink, struct popper_slice s)
{
	struct upper *u = (struct upper *)sink;
	char piece[1024];
	size_t len, i;
	int said = 0;

	while (s.len > 0 && said == 0) {
		len = s.len < sizeof(piece) ? s.len : sizeof(piece);
		for (i = 0; i < len; i++)
			piece[i] = upper_octet(u, s.ptr[i]);
		said = u->next->put(u->next, popper_slice(piece, len));
		s = popper_slice(s.ptr + len, s.len - len);
	}
	return said; /* "enough" and "failed" go back to who reads */
}

static bool
template_accepts(const void *self, struct popper_slice argument)
{
	const struct template *t = self;

	return t->conf->upper && argument.len == strlen("X-UPPER") &&
	    strncasecmp(argument.ptr, "X-UPPER", argument.len) == 0;
}

static struct popper_sink *
template_filter(void *self, const struct popper_request *request,
    struct popper_sink *next, struct popper_error *error)
{
	const struct template *t = self;
	struct upper *u;

	if (!template_accepts(t, request->argument))
		return next; /* stay out */
	if ((u = calloc(1, sizeof(*u))) == NULL) {
		(void)t->host->fail_system(error, POPPER_TEMPORARY, "template");
		return NULL;
	}
	u->sink.put = upper_put;
	u->next = next;
	u->empty = true;
	return &u->sink;
}

/* This filter holds nothing back, so there is nothing more to put. */
static int
template_finish(struct popper_sink *filter, struct popper_error *error)
{
	(void)error;
	free(filter);
	return 0;
}

/* --- Step 5: a drop that wraps a drop. --- */

#define EXTRA_UID "template-extra" /* no drop may use it for a message */

static const char extra_text[] = "Subject: One more\n"
				 "\n"
				 "This message was added by ext_template.\n";
#define EXTRA_LENGTH (sizeof(extra_text) - 1)
#define EXTRA_LINES 3

struct outer {
	const struct popper_host *host;
	const struct popper_drop *inner;
	void *inner_self;
	size_t count; /* of the inner drop; ours is the message behind */
};

static size_t
outer_count(const void *self)
{
	const struct outer *o = self;

	return o->count + 1;
}

static void
describe_extra(unsigned want, struct popper_message *message)
{
	if (want & POPPER_WANT_OCTETS)
		message->octets = EXTRA_LENGTH + EXTRA_LINES;
	if (want & POPPER_WANT_UID)
		memcpy(message->uid, EXTRA_UID, sizeof(EXTRA_UID));
	if (want & POPPER_WANT_FLAGS)
		message->flags = 0;
}

static int
outer_describe(void *self, size_t i, unsigned want,
    struct popper_message *message, struct popper_error *error)
{
	struct outer *o = self;

	if (i < o->count)
		return o->inner->describe(
		    o->inner_self, i, want, message, error);
	describe_extra(want, message);
	return 0;
}

/* Without the next three the server asks for one message after the other, and
 * has all of them measured before the login is answered. */
static int
outer_total(void *self, uint64_t *octets, struct popper_error *error)
{
	struct outer *o = self;

	if (popper_drop_total(o->inner, o->inner_self, octets, error) == -1)
		return -1;
	*octets += EXTRA_LENGTH + EXTRA_LINES;
	return 0;
}

/* Stands in front of the lister, to see when it has had enough. */
struct between {
	struct popper_lister lister;
	struct popper_lister *next;
	bool enough;
};

static int
between_put(struct popper_lister *lister, size_t i, uint64_t octets,
    struct popper_slice uid)
{
	struct between *c = (struct between *)lister;

	c->enough = c->next->put(c->next, i, octets, uid) != 0;
	return c->enough ? 1 : 0;
}

static int
outer_list(void *self, unsigned want, struct popper_lister *lister,
    struct popper_error *error)
{
	struct outer *o = self;
	struct between c = { .lister = { .put = between_put }, .next = lister };
	struct popper_message extra = { .octets = 0 };

	if (popper_drop_list(o->inner, o->inner_self, want, &c.lister, error) ==
	    -1)
		return -1;
	describe_extra(want, &extra);
	if (!c.enough)
		(void)lister->put(lister, o->count, extra.octets,
		    popper_slice_text(extra.uid));
	return 0;
}

static bool
outer_is_measured(const void *self)
{
	const struct outer *o = self;

	return popper_drop_is_measured(o->inner, o->inner_self);
}

static int
outer_read(void *self, size_t i, uint64_t offset, struct popper_sink *sink,
    struct popper_error *error)
{
	struct outer *o = self;

	if (i < o->count)
		return o->inner->read(o->inner_self, i, offset, sink, error);
	if (offset >= EXTRA_LENGTH)
		return 0;
	if (sink->put(sink,
		popper_slice(extra_text + offset, EXTRA_LENGTH - offset)) == -1)
		return o->host->fail(
		    error, POPPER_TEMPORARY, "template: the reader failed");
	return 0;
}

/* TOP: a drop may put more than was asked for, never less. */
static int
outer_top(void *self, size_t i, uint64_t lines, struct popper_sink *sink,
    struct popper_error *error)
{
	struct outer *o = self;

	if (i < o->count)
		return popper_drop_top(
		    o->inner, o->inner_self, i, lines, sink, error);
	return outer_read(o, i, 0, sink, error);
}

/* The inner drop gets its own marks.  Ours has nothing to remove: a message
 * that is to stay away needs a note in the state folder. */
static enum popper_outcome
outer_commit(void *self, const struct popper_changes *changes,
    struct popper_error *error)
{
	struct outer *o = self;
	struct popper_changes mine = *changes;

	assert(changes->count == o->count + 1);
	mine.count = o->count;
	return o->inner->commit(o->inner_self, &mine, error);
}

static void
outer_close(void *self)
{
	struct outer *o = self;

	if (o == NULL)
		return;
	o->inner->close(o->inner_self);
	free(o);
}

static int
outer_lease(void *self, struct popper_error *error)
{
	struct outer *o = self;

	return o->inner->lease == NULL ? 0
				       : o->inner->lease(o->inner_self, error);
}

/* There is no open: wrap makes the instance. */
static const struct popper_drop outer_drop = {
	.size = sizeof(struct popper_drop),
	.count = outer_count,
	.describe = outer_describe,
	.read = outer_read,
	.commit = outer_commit,
	.close = outer_close,
	.lease = outer_lease,
	.total = outer_total,
	.list = outer_list,
	.is_measured = outer_is_measured,
	.top = outer_top,
};

static const struct popper_drop *
template_wrap(void *self, const struct popper_drop *inner, void *inner_self,
    void **outer, struct popper_error *error)
{
	const struct template *t = self;
	struct outer *o;

	if (!t->conf->extra) {
		*outer = inner_self; /* stay out */
		return inner;
	}
	if ((o = calloc(1, sizeof(*o))) == NULL) {
		(void)t->host->fail_system(error, POPPER_TEMPORARY, "template");
		return NULL;
	}
	o->host = t->host;
	o->inner = inner;
	o->inner_self = inner_self;
	o->count = inner->count(inner_self);
	*outer = o;
	return &outer_drop;
}

/* --- Step 1: the name. --- */

static const struct popper_ext template_ext = {
	.size = sizeof(struct popper_ext),
	.start = template_start,
	.stop = template_stop,
	.commands = template_commands,
	.capabilities = template_capabilities,
	.accepts = template_accepts,
	.filter = template_filter,
	.finish = template_finish,
	.wrap = template_wrap,
};

POPPER_MODULE(ext_template, .version = "1",
    .summary = "commands, a filter, one message more; an example to copy",
    .conf_size = sizeof(struct template_conf), .options = template_options,
    .ext = &template_ext);
