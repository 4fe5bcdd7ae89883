/*
 * mangle_enriched.c - text/enriched (RFC 1896) and text/richtext (RFC 1341).
 *
 * Commands are names in angle brackets; "<<" is one.  A single line end is a
 * space, and of several one is lost, except in <nofill>.
 *
 * Runs in: the child of a session that mangles one message, as the user.
 */
#include "mangle_text.h"

#include <glib.h>

#include "mangle_lines.h"
#include "mangle_page.h"

#define COMMAND_MAX 60 /* RFC 1896: at most 60 octets between < and > */
#define EXCERPTS_MAX 20

struct enriched {
	struct mangle_buffer *out;
	struct mangle_buffer line; /* the paragraph, not filled yet */
	unsigned columns;
	unsigned nofill, excerpt, parameter; /* how deep */
	bool rich; /* text/richtext: line ends mean nothing at all */
};

static int
end_line(struct enriched *e)
{
	static const char quotes[] = ">>>>>>>>>>>>>>>>>>>> ";
	size_t depth = e->excerpt < EXCERPTS_MAX ? e->excerpt : EXCERPTS_MAX;
	struct mangle_fill f = {
		.columns = e->nofill > 0 ? 0 : e->columns,
		.first = popper_slice(
		    quotes + EXCERPTS_MAX - depth, depth == 0 ? 0 : depth + 1),
	};
	int result;

	f.rest = f.first;
	result = mangle_fill(&f, mangle_buffer_view(&e->line), e->out);
	e->line.len = 0;
	return result;
}

static int
end_line_if_any(struct enriched *e)
{
	return e->line.len > 0 ? end_line(e) : 0;
}

static void
count(unsigned *n, bool closing)
{
	if (!closing)
		++*n;
	else if (*n > 0)
		--*n;
}

static int
command(struct enriched *e, const char *name)
{
	bool closing = name[0] == '/';
	int result = 0;

	name += closing;
	if (g_ascii_strcasecmp(name, "param") == 0) {
		count(&e->parameter, closing);
	} else if (g_ascii_strcasecmp(name, "nofill") == 0) {
		result = end_line_if_any(e);
		count(&e->nofill, closing);
	} else if (g_ascii_strcasecmp(name, "excerpt") == 0) {
		result = end_line_if_any(e);
		count(&e->excerpt, closing);
	} else if (g_ascii_strcasecmp(name, "nl") == 0) {
		e->rich = true;
		result = end_line(e);
	} else if (g_ascii_strcasecmp(name, "paragraph") == 0) {
		result = end_line_if_any(e);
	} else if (g_ascii_strcasecmp(name, "lt") == 0) {
		result = mangle_buffer_add_text(&e->line, "<");
	}
	return result;
}

/* A command at ${s}: its length with the brackets, or 0: it is none. */
static size_t
command_length(struct popper_slice s, char name[COMMAND_MAX + 1])
{
	size_t n = 0;

	while (n + 1 < s.len && n < COMMAND_MAX &&
	    (g_ascii_isalnum(s.ptr[n + 1]) ||
		strchr("-/", s.ptr[n + 1]) != NULL) &&
	    s.ptr[n + 1] != '\0') {
		name[n] = s.ptr[n + 1];
		n++;
	}
	name[n] = '\0';
	if (n == 0 || n + 1 >= s.len || s.ptr[n + 1] != '>')
		return 0;
	return n + 2;
}

/* ${n} line ends in a row. */
static int
line_ends(struct enriched *e, size_t n)
{
	if (e->nofill > 0) {
		while (n-- > 0)
			if (end_line(e) == -1)
				return -1;
		return 0;
	}
	if (n == 1 || e->rich)
		return e->line.len == 0 ? 0
					: mangle_buffer_add_text(&e->line, " ");
	while (n-- > 1)
		if (end_line(e) == -1)
			return -1;
	return 0;
}

static int
step(struct enriched *e, struct popper_slice s, size_t *at)
{
	char name[COMMAND_MAX + 1];
	size_t n = 1;

	s = popper_slice(s.ptr + *at, s.len - *at);
	if (s.ptr[0] == '\n') {
		while (n < s.len && s.ptr[n] == '\n')
			n++;
		*at += n;
		return e->parameter > 0 ? 0 : line_ends(e, n);
	}
	if (s.len > 1 && s.ptr[0] == '<' && s.ptr[1] == '<') {
		*at += 2;
		return e->parameter > 0 ? 0
					: mangle_buffer_add_text(&e->line, "<");
	}
	if (s.ptr[0] == '<' && (n = command_length(s, name)) > 0) {
		*at += n;
		return command(e, name);
	}
	n = 1;
	while (n < s.len && s.ptr[n] != '\n' && s.ptr[n] != '<')
		n++;
	*at += n;
	if (e->parameter > 0)
		return 0;
	return mangle_buffer_add(&e->line, popper_slice(s.ptr, n));
}

int
mangle_text_enriched(const struct mangle_text_job *job,
    struct popper_slice utf8, struct mangle_buffer *out)
{
	struct enriched e = { .out = out,
		.columns = job->wrap == 0 ? MANGLE_COLUMNS : job->wrap };
	size_t at = 0;
	int result = 0;

	mangle_buffer_start(&e.line, out->limit);
	while (at < utf8.len && result == 0)
		result = step(&e, utf8, &at);
	if (result == 0)
		result = end_line_if_any(&e);
	mangle_buffer_free(&e.line);
	return result;
}

/* Doubled: "<" is a command else, and a line end a space; of n + 1 line ends
 * the reader sees n. */
static int
double_signs(struct popper_slice text, struct mangle_buffer *out)
{
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '<' && text.ptr[i] != '\n')
			continue;
		if (mangle_buffer_add(
			out, popper_slice(text.ptr + from, i + 1 - from)) == -1)
			return -1;
		from = i;
		if (text.ptr[i] == '\n' && i + 1 < text.len &&
		    text.ptr[i + 1] == '\n')
			from = i + 1;
	}
	return mangle_buffer_add(
	    out, popper_slice(text.ptr + from, text.len - from));
}

int
mangle_page_enriched(struct popper_slice text, struct mangle_buffer *out)
{
	/* None is too long for a mail when it is doubled. */
	const struct mangle_fill f = { .octets = MANGLE_LINE_OCTETS / 2 };
	struct mangle_buffer lines;
	struct popper_slice line;
	int result = 0;

	mangle_buffer_start(&lines, out->limit);
	while (result == 0 && mangle_next_line(&text, &line))
		if (line.len > f.octets)
			result = mangle_fill(&f, line, &lines);
		else if ((result = mangle_buffer_add(&lines, line)) == 0)
			result = mangle_buffer_add_text(&lines, "\n");
	if (result == 0)
		result = double_signs(mangle_buffer_view(&lines), out);
	mangle_buffer_free(&lines);
	return result;
}
