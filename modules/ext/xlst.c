/*
 * xlst.c - XTND XLST: one header field of one message or of all.
 *
 * Runs in: popper-session, as the user.
 *
 * The manual pages of the popper line call it XLIST, its programs and its
 * clients XLST; both are taken, with XTND before them or not.
 *
 *	C: XTND XLST Message-Id
 *	S: +OK xlst command accepted; headers coming.
 *	S: 1 Message-Id: <a@example.org>
 *	S: .
 *
 * One field is one line, whatever it was in the message: clients cut it at its
 * spaces.  Messages are read only up to the field, and only ${VALUE_MAX} octets
 * of it are kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <popper/ext.h>

#define NAME_MAX_OCTETS 128
#define VALUE_MAX 8192
#define NUMBER_MAX 24

/* One session's instance. */
struct xlst {
	const struct popper_host *host;
};

enum where {
	LINE_START, /* of a line that does not belong to the field */
	BLANK, /* a CR is all there is in this line */
	NAME, /* so far it is the name we look for */
	GAP, /* white space between name and colon */
	OTHER, /* in a line that is not ours */
	VALUE,
	VALUE_START /* of the line behind one of the value */
};

/* Looks for one field in one message. */
struct scan {
	struct popper_sink sink; /* first: a sink is cast to its scan */
	struct popper_slice wanted; /* name without colon */
	enum where where;
	bool found;
	bool joint; /* white space at a fold, or before the value */
	char name[NAME_MAX_OCTETS]; /* as the message writes it */
	size_t matched; /* octets of it */
	char value[VALUE_MAX];
	size_t len;
};

static int
xlst_start(const struct popper_host *host, const void *conf,
    const struct popper_place *place, void **self, struct popper_error *error)
{
	struct xlst *x;

	(void)conf;
	(void)place;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return host->fail_system(error, POPPER_TEMPORARY, "xlst");
	x->host = host;
	*self = x;
	return 0;
}

static void
xlst_stop(void *self)
{
	free(self);
}

/* --- Looking for the field. --- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static enum where
name_octet(struct scan *s, char c)
{
	if (s->matched < s->wanted.len) {
		if (lower(c) != lower(s->wanted.ptr[s->matched]))
			return OTHER;
		s->name[s->matched++] = c;
		return NAME;
	}
	if (c != ':')
		return is_blank(c) ? GAP : OTHER;
	s->joint = true;
	return VALUE;
}

/* The first octet of a line that is no part of the value. */
static enum where
first_octet(struct scan *s, char c)
{
	s->matched = 0;
	if (c == '\r')
		return BLANK;
	return is_blank(c) ? OTHER : name_octet(s, c);
}

/* Control characters have no business in a line of a reply. */
static void
value_octet(struct scan *s, char c)
{
	if (s->joint && is_blank(c))
		return;
	if (s->joint && s->len > 0 && s->len < VALUE_MAX)
		s->value[s->len++] = ' ';
	s->joint = false;
	if (s->len < VALUE_MAX)
		s->value[s->len++] = (c >= 0 && c < ' ') || c == 0x7f ? ' ' : c;
}

static void
cut_blanks(struct scan *s)
{
	while (s->len > 0 && s->value[s->len - 1] == ' ')
		s->len--;
}

/* The line ends.  True: so does the search. */
static bool
line_end(struct scan *s)
{
	switch (s->where) {
	case LINE_START:
	case BLANK:
		return true; /* the header ends */
	case VALUE_START:
		return true; /* so does it here */
	case VALUE:
		cut_blanks(s);
		s->joint = true;
		s->where = VALUE_START;
		return s->len == VALUE_MAX;
	case NAME:
	case GAP:
	case OTHER:
		break;
	}
	s->where = LINE_START;
	return false;
}

/* True: the search is over. */
static bool
octet(struct scan *s, char c)
{
	if (c == '\n')
		return line_end(s);
	switch (s->where) {
	case LINE_START:
		s->where = first_octet(s, c);
		break;
	case BLANK:
		s->where = OTHER;
		break;
	case NAME:
		s->where = name_octet(s, c);
		break;
	case GAP:
		if (c == ':')
			s->joint = true;
		s->where = c == ':' ? VALUE : is_blank(c) ? GAP : OTHER;
		break;
	case OTHER:
		break;
	case VALUE_START:
		if (c != ' ' && c != '\t')
			return true;
		s->where = VALUE;
		break;
	case VALUE:
		value_octet(s, c);
		break;
	}
	return s->len == VALUE_MAX;
}

static int
scan_put(struct popper_sink *sink, struct popper_slice piece)
{
	struct scan *s = (struct scan *)sink;

	for (size_t i = 0; i < piece.len; i++)
		if (octet(s, piece.ptr[i]))
			return 1;
	return 0;
}

/* Look for the field in message ${i}.  0 or -1. */
static int
scan(struct scan *s, const struct popper_call *call, size_t i,
    struct popper_error *error)
{
	s->sink.put = scan_put;
	s->where = LINE_START;
	s->len = s->matched = 0;
	if (call->view->read(call->view, i, 0, &s->sink, error) == -1)
		return -1;
	s->found = s->where == VALUE || s->where == VALUE_START;
	cut_blanks(s);
	return 0;
}

/* --- The command. --- */

/* Octets that RFC 5322 section 3.6.8 allows in the name of a field; a colon
 * at its end is not part of it. */
static int
take_name(const struct xlst *x, struct popper_slice arg,
    struct popper_slice *name, struct popper_error *error)
{
	bool good;

	if (arg.len > 0 && arg.ptr[arg.len - 1] == ':')
		arg.len--;
	good = arg.len > 0 && arg.len <= NAME_MAX_OCTETS;
	for (size_t i = 0; good && i < arg.len; i++)
		good =
		    arg.ptr[i] > ' ' && arg.ptr[i] < 0x7f && arg.ptr[i] != ':';
	*name = arg;
	if (good)
		return 0;
	x->host->fail(error, POPPER_INVALID, "xlst: not a header name");
	(void)snprintf(error->reply, sizeof(error->reply),
	    "that is not the name of a header field");
	return -1;
}

static int
say_open(const struct popper_call *call, bool *open)
{
	if (*open)
		return 0;
	*open = true;
	return call->talk->open(
	    call->talk, "xlst command accepted; headers coming.");
}

static int
say_field(const struct scan *s, const struct popper_call *call, size_t i)
{
	char line[NUMBER_MAX + NAME_MAX_OCTETS + 2 + VALUE_MAX];
	size_t len;

	len = (size_t)snprintf(line, NUMBER_MAX, "%zu ", i + 1);
	memcpy(line + len, s->name, s->matched);
	len += s->matched;
	line[len++] = ':';
	if (s->len > 0)
		line[len++] = ' ';
	memcpy(line + len, s->value, s->len);
	return call->talk->line(call->talk, popper_slice(line, len + s->len));
}

/* The line of the message that was scanned, if it has the field. */
static int
say(const struct scan *s, const struct popper_call *call, size_t i, bool *open)
{
	if (say_open(call, open) == -1)
		return -1;
	return s->found ? say_field(s, call, i) : 0;
}

/* A message that cannot be read is left out: another program may have removed
 * it.  If it is so with all of them it is an error. */
static int
list_all(const struct xlst *x, struct scan *s, const struct popper_call *call,
    struct popper_error *error)
{
	struct popper_view *view = call->view;
	bool open = false, failed = false;

	for (size_t i = 0; i < view->count(view); i++) {
		if (view->deleted(view, i))
			continue;
		if (scan(s, call, i, error) == 0) {
			if (say(s, call, i, &open) == -1)
				return -1;
			continue;
		}
		failed = true;
		x->host->log(POPPER_LOG_WARNING,
		    "xlst: message %zu left out: %s", i + 1, error->text);
	}
	if (failed && !open)
		return -1;
	if (say_open(call, &open) == -1)
		return -1;
	return call->talk->end(call->talk);
}

static int
list_one(
    struct scan *s, const struct popper_call *call, struct popper_error *error)
{
	bool open = false;
	size_t i;

	if (call->view->pick(call->view, call->args[1], &i, error) == -1 ||
	    scan(s, call, i, error) == -1 || say(s, call, i, &open) == -1)
		return -1;
	return call->talk->end(call->talk);
}

static int
xlst_run(void *self, const struct popper_call *call, struct popper_error *error)
{
	const struct xlst *x = self;
	struct scan s = { .found = false };

	if (take_name(x, call->args[0], &s.wanted, error) == -1)
		return -1;
	return call->count == 2 ? list_one(&s, call, error)
				: list_all(x, &s, call, error);
}

static const struct popper_command xlst_commands[] = {
	{ "XTND XLST", 1, 2, xlst_run },
	{ "XTND XLIST", 1, 2, xlst_run },
	{ "XLST", 1, 2, xlst_run },
	{ "XLIST", 1, 2, xlst_run },
	{ NULL, 0, 0, NULL },
};

static const char *const xlst_capabilities[] = { "X-XLST", NULL };

static const struct popper_ext xlst_ext = {
	.size = sizeof(struct popper_ext),
	.start = xlst_start,
	.stop = xlst_stop,
	.commands = xlst_commands,
	.capabilities = xlst_capabilities,
};

POPPER_MODULE(xlst, .version = "1",
    .summary = "XTND XLST: one header field of all messages", .ext = &xlst_ext);
