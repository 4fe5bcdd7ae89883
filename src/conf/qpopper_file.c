/*
 * qpopper_file.c - the syntax of Qpopper's configuration file.
 *
 * Runs in: the master, at start and at SIGHUP, as root; popperctl.
 */
#include "conf/qpopper_file.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"

#define BLANKS " \t\r\v\f"

int
qpopper_located(const struct qpopper_statement *s, struct popper_error *e)
{
	struct popper_error inner = *e;

	if (s->line == 0)
		return error_set(
		    e, POPPER_PERMANENT, "%.80s: %.400s", s->file, inner.text);
	return error_set(e, POPPER_PERMANENT, "%.200s:%u: %.300s", s->file,
	    s->line, inner.text);
}

static char *
skip(char *at)
{
	return at + strspn(at, BLANKS);
}

static bool
is_blank(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

static bool
is_over(const char *at)
{
	return *at == '\0' || *at == '#';
}

/* End the word at ${at} with a NUL, and go on behind it: what stood there is
 * stored in ${next}. */
static char *
cut(char *at, const char *ends, char *next)
{
	char *end = at + strcspn(at, ends);

	*next = *end;
	if (*end == '\0')
		return end;
	*end = '\0';
	return end + 1;
}

/* Behind the value in quotes that begins at ${at}; NULL if it does not end. */
static char *
end_of_quoted(char *at, char quote)
{
	for (; *at != quote; at++) {
		if (*at == '\0')
			return NULL;
		if (*at == '\\' && at[1] == quote)
			at++;
	}
	return at + 1;
}

/* Take the backslashes away, and the quote at the end. */
static void
unquote(char *at, char quote)
{
	char *out = at;

	for (; *at != quote; at++) {
		if (*at == '\\' && at[1] == quote)
			at++;
		*out++ = *at;
	}
	*out = '\0';
}

/* Behind "=": the value, and nothing but a comment after it. */
static int
value(struct qpopper_statement *s, char *at, struct popper_error *e)
{
	char next = '\0', quote = *at;

	if (is_over(at))
		return error_set(e, POPPER_PERMANENT,
		    "a value must follow \"%.60s =\"", s->name);
	if (strchr("\"'`", quote) != NULL) {
		char *start = at + 1;

		s->value = start;
		if ((at = end_of_quoted(start, quote)) == NULL)
			return error_set(e, POPPER_PERMANENT,
			    "%.60s = %c%.60s does not end on its line: a %c "
			    "is missing",
			    s->name, quote, s->value, quote);
		unquote(start, quote);
	} else {
		s->value = at;
		at = cut(at, BLANKS, &next);
	}
	at = skip(at);
	if (!is_over(at))
		return error_set(e, POPPER_PERMANENT,
		    "\"%.60s\" behind the value of %.60s: write a value with "
		    "blanks in quotes",
		    at, s->name);
	return 0;
}

static int
verb(struct qpopper_statement *s, const char *word, struct popper_error *e)
{
	s->reset = strcasecmp(word, "reset") == 0;
	if (s->reset || strcasecmp(word, "set") == 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "\"%.60s\" where \"set\" or \"reset\" must be", word);
}

/* One line that is not empty. */
static int
statement(struct qpopper_statement *s, char *at, struct popper_error *e)
{
	char next, *word = at;

	at = cut(at, BLANKS "=#", &next);
	if (verb(s, word, e) == -1)
		return -1;
	at = is_blank(next) ? skip(at) : strchr(word, '\0');
	s->name = at;
	at = cut(at, BLANKS "=#", &next);
	if (s->name[0] == '\0')
		return error_set(e, POPPER_PERMANENT,
		    "the name of an option must follow \"%s\"", word);
	if (is_blank(next)) {
		at = skip(at);
		next = is_over(at) ? '\0' : *at++;
	}
	if (next == '\0' || next == '#')
		return 0;
	if (next != '=')
		return error_set(e, POPPER_PERMANENT,
		    "\"%.60s\" where \"=\" must be", at - 1);
	if (s->reset)
		return error_set(e, POPPER_PERMANENT,
		    "reset %.60s takes no value: it is \"set %.60s = false\"",
		    s->name, s->name);
	return value(s, skip(at), e);
}

int
qpopper_parse(const char *file, char *text,
    int (*take)(
	void *, const struct qpopper_statement *, struct popper_error *),
    void *context, struct popper_error *e)
{
	struct qpopper_statement s = { .file = file };
	char *end;

	for (; *text != '\0'; text = end) {
		s.line++;
		s.name = s.value = NULL;
		end = text + strcspn(text, "\n");
		s.cut = *end == '\0';
		if (!s.cut)
			*end++ = '\0';
		text = skip(text);
		if (is_over(text))
			continue;
		if (statement(&s, text, e) == -1 || take(context, &s, e) == -1)
			return qpopper_located(&s, e);
	}
	return 0;
}

/* Behind blanks, lines and comments. */
static const char *
skip_lines(const char *text)
{
	for (;;) {
		text += strspn(text, BLANKS "\n");
		if (*text != '#')
			return text;
		text += strcspn(text, "\n");
	}
}

bool
qpopper_written(const char *text)
{
	size_t len;

	text = skip_lines(text);
	len = strcspn(text, BLANKS "\n");
	if (!is_blank(text[len]) ||
	    !((len == 3 && strncasecmp(text, "set", len) == 0) ||
		(len == 5 && strncasecmp(text, "reset", len) == 0)))
		return false;
	text += len;
	text += strspn(text, BLANKS);
	if (*text == '\0' || strchr("={#\n", *text) != NULL)
		return false;
	/* A section of popper.conf's syntax may be called "set". */
	text += strcspn(text, BLANKS "={#\n");
	return *skip_lines(text) != '{';
}
