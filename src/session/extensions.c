/*
 * extensions.c - the ext modules of one session.
 *
 * Runs in: a session, as the user.
 */
#include "session/extensions.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "mod/host.h"
#include "session/talk.h"

static const struct popper_ext *
driver(const struct extensions *x, size_t i)
{
	return x->modules->used[i].module->ext;
}

static int
wrap(const struct popper_ext *ext, void *self, struct maildrop *m,
    struct popper_error *e)
{
	const struct popper_drop *outer;
	void *outer_self = m->self;

	if (ext->wrap == NULL)
		return 0;
	outer = ext->wrap(self, m->driver, m->self, &outer_self, e);
	if (outer == NULL)
		return -1;
	m->driver = outer;
	m->self = outer_self;
	m->count = outer->count(outer_self);
	return 0;
}

int
extensions_start(struct extensions *x, const struct used_modules *modules,
    const struct popper_place *place, struct maildrop *m,
    struct popper_error *e)
{
	const struct popper_ext *ext;

	x->modules = modules;
	x->started = 0;
	memset(x->self, 0, sizeof(x->self));
	for (size_t i = 0; i < modules->count; i++) {
		ext = driver(x, i);
		if (ext->start != NULL &&
		    ext->start(&host_services, modules->used[i].conf, place,
			&x->self[i], e) == -1)
			return -1;
		x->started = i + 1;
		if (wrap(ext, x->self[i], m, e) == -1)
			return -1;
	}
	return 0;
}

void
extensions_stop(struct extensions *x)
{
	while (x->started > 0) {
		x->started--;
		if (driver(x, x->started)->stop != NULL)
			driver(x, x->started)->stop(x->self[x->started]);
	}
}

bool
extensions_attends(const struct popper_ext *ext)
{
	return ext->size >=
	    offsetof(struct popper_ext, attend) + sizeof(ext->attend) &&
	    ext->attend != NULL;
}

bool
extensions_capabilities(
    const struct used_modules *modules, char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < modules->count; i++) {
		const char *const *line =
		    modules->used[i].module->ext->capabilities;

		for (; line != NULL && *line != NULL; line++) {
			if (!text_print(out + len, size - len, "%s\n", *line))
				return false;
			len += strlen(out + len);
		}
	}
	return true;
}

/* Cut the first word off ${line}; what is left has no space in front. */
static struct popper_slice
cut_word(struct popper_slice *line)
{
	const char *space = memchr(line->ptr, ' ', line->len);
	size_t n = space == NULL ? line->len : (size_t)(space - line->ptr);
	struct popper_slice word = popper_slice(line->ptr, n);

	if (n < line->len)
		n++;
	*line = popper_slice(line->ptr + n, line->len - n);
	return word;
}

/* Does ${line} begin with the one or two words of ${keyword}?  ${words} says
 * how many. */
static bool
matches(const char *keyword, struct popper_slice line, size_t *words)
{
	struct popper_slice rest = popper_slice_text(keyword), a, b;

	for (*words = 0; rest.len > 0; (*words)++) {
		a = cut_word(&rest);
		b = cut_word(&line);
		if (a.len != b.len || strncasecmp(a.ptr, b.ptr, a.len) != 0)
			return false;
	}
	return *words > 0;
}

static bool
find(const struct extensions *x, struct popper_slice line, struct part *part,
    size_t *words)
{
	const struct popper_command *c;

	for (size_t i = 0; i < x->started; i++) {
		c = driver(x, i)->commands;
		for (; c != NULL && c->keyword != NULL; c++)
			if (matches(c->keyword, line, words)) {
				*part = (struct part){ .command = c,
					.self = x->self[i],
					.module =
					    x->modules->used[i].module->name,
					.attendant = x->attendant };
				return true;
			}
	}
	return false;
}

bool
extensions_command(struct extensions *x, struct messages *m,
    struct popper_slice line, struct reply *r, enum outcome *outcome)
{
	struct popper_slice keyword;
	struct arguments args;
	struct part part;
	size_t words;

	if (!find(x, line, &part, &words))
		return false;
	if (command_split(line, &keyword, &args) != COMMAND_FINE) {
		*outcome = reply_refuse(r, POPPER_INVALID, "malformed command");
		return true;
	}
	words--; /* the keyword's first word is no argument */
	if (args.count < words + part.command->least ||
	    args.count > words + part.command->most) {
		*outcome = reply_refuse(
		    r, POPPER_INVALID, "wrong number of arguments");
		return true;
	}
	*outcome = talk_run(&part, args.word + words, args.count - words, m, r);
	return true;
}

bool
extensions_accept(const struct extensions *x, struct popper_slice argument)
{
	for (size_t i = 0; i < x->started; i++)
		if (driver(x, i)->accepts != NULL &&
		    driver(x, i)->accepts(x->self[i], argument))
			return true;
	return false;
}

struct popper_sink *
extensions_filter(struct extensions *x, const struct popper_request *request,
    struct popper_sink *next, struct filters *f, struct popper_error *e)
{
	struct popper_sink *sink;

	f->count = 0;
	/* From the end of the chain to its beginning. */
	for (size_t i = x->started; i-- > 0;) {
		const struct popper_ext *ext = driver(x, i);

		if (ext->filter == NULL)
			continue;
		sink = ext->filter(x->self[i], request, next, e);
		if (sink == NULL)
			return NULL;
		if (sink != next) {
			f->ext[f->count] = ext;
			f->sink[f->count++] = sink;
		}
		next = sink;
	}
	return next;
}

int
extensions_finish(struct filters *f, int result, struct popper_error *e)
{
	struct popper_error more;

	/* The last one that was added is the first of the chain. */
	while (f->count > 0) {
		f->count--;
		if (f->ext[f->count]->finish == NULL)
			continue;
		more = *e; /* the first one is told */
		if (f->ext[f->count]->finish(f->sink[f->count], &more) == 0)
			continue;
		if (result == 0)
			*e = more;
		result = -1;
	}
	return result;
}

int
extensions_before_update(struct extensions *x, const struct popper_changes *c,
    struct popper_error *e)
{
	for (size_t i = 0; i < x->started; i++)
		if (driver(x, i)->before_update != NULL &&
		    driver(x, i)->before_update(x->self[i], c, e) == -1)
			return -1;
	return 0;
}

void
extensions_after_update(struct extensions *x, enum popper_outcome o)
{
	for (size_t i = 0; i < x->started; i++)
		if (driver(x, i)->after_update != NULL)
			driver(x, i)->after_update(x->self[i], o);
}
