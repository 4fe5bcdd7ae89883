/*
 * overlay.c - options of modules that stand outside of modules.conf.
 *
 * Runs in: the master, which writes the text; popper-auth and popper-session,
 * which read it at start, as root.
 */
#include "conf/overlay.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"

#define OVERLAY_LINE 2048 /* octets, with the newline */

void
overlay_clear(struct overlay *o)
{
	o->len = 0;
	o->text[0] = '\0';
}

static const char *
given(const char *text)
{
	return text == NULL ? "" : text;
}

int
overlay_add(
    struct overlay *o, const struct overlay_line *l, struct popper_error *e)
{
	size_t room = sizeof(o->text) - o->len;

	if (room > OVERLAY_LINE)
		room = OVERLAY_LINE;
	/* A tab may stand in the last field only, a newline nowhere. */
	if (strpbrk(given(l->origin), "\t\n") == NULL &&
	    strchr(given(l->value), '\n') == NULL &&
	    text_print(o->text + o->len, room, "%c\t%s\t%s\t%s\t%s\t%s\n",
		(char)l->mode, given(l->origin), given(l->kind), given(l->name),
		given(l->option), given(l->value))) {
		o->len += strlen(o->text + o->len);
		return 0;
	}
	o->text[o->len] = '\0';
	return error_set(e, POPPER_PERMANENT,
	    "%.80s: cannot be set outside of modules.conf: it is too much, or "
	    "holds a tab or newline",
	    given(l->origin));
}

static const char *
field(char **rest)
{
	const char *word = strsep(rest, "\t");

	return given(word);
}

static int
take_line(char *line, const struct overlay_walk *w, struct popper_error *e)
{
	struct overlay_line l;
	struct popper_error inner;

	l.mode = (enum overlay_mode)field(&line)[0];
	l.origin = field(&line);
	l.kind = field(&line);
	l.name = field(&line);
	l.option = field(&line);
	l.value = given(line);
	if (w->take(w->context, &l, e) == 0)
		return 0;
	inner = *e;
	return error_set(
	    e, POPPER_PERMANENT, "%.200s: %.300s", l.origin, inner.text);
}

/* Whoever gets a line may walk through the text again. */
int
overlay_walk(
    const char *text, const struct overlay_walk *w, struct popper_error *e)
{
	char line[OVERLAY_LINE];
	size_t len;

	for (text = given(text); *text != '\0'; text += len + 1) {
		len = strcspn(text, "\n");
		if (!text_from_slice(
			line, sizeof(line), popper_slice(text, len)) ||
		    text[len] == '\0')
			log_panic("a line of an overlay is too long");
		if (take_line(line, w, e) == -1)
			return -1;
	}
	return 0;
}

bool
overlay_replaces(const char *text)
{
	return text != NULL &&
	    (text[0] == OVERLAY_NO_FILE || strstr(text, "\nn\t") != NULL);
}
