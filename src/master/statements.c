/*
 * statements.c - what files, flags and the build say, put together.
 *
 * Runs in: the master, at start and at SIGHUP, as root.
 */
#include "master/statements.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/option.h"
#include "base/text.h"
#include "conf/file.h"
#include "conf/overlay.h"
#include "conf/qpopper.h"
#include "conf/server.h"

#define NOTES_MAX 128
#define BUILT_MAX 8

static int set_event(void *, const struct qpopper_statement *,
    const struct qpopper_option *, const char *value, struct popper_error *);
static void note_event(void *, const struct qpopper_statement *,
    bool does_nothing, const char *text);

static const struct qpopper_events events = { .set = set_event,
	.note = note_event };

static struct {
	struct settings *settings;
	struct qpopper qpopper;
	struct overlay overlay;
	const char *usual_modules; /* the path, if nobody sets another */
	const char *file; /* the last that was Qpopper's, or NULL */
	bool passwords; /* clear-text-password was set */
	size_t built; /* modules that the build wants with Qpopper's file */
	const char *built_sections[BUILT_MAX];
	size_t noted;
	char *notes[NOTES_MAX];
} said;

/* --- What the administrator should know. --- */

void
statements_note(const char *format, ...)
{
	va_list arguments;
	char *text;
	int n;

	va_start(arguments, format);
	n = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (n == -1)
		return;
	if (said.noted < NOTES_MAX)
		said.notes[said.noted++] = text;
	else
		free(text);
}

void
statements_tell(enum popper_level level)
{
	for (size_t i = 0; i < said.noted; i++)
		log_write(level, "%s", said.notes[i]);
}

static void
forget(void)
{
	while (said.noted > 0)
		free(said.notes[--said.noted]);
}

/* "FILE:LINE", or what stands for it. */
static void
place(const struct qpopper_statement *s, char *out, size_t size)
{
	if (s->line == 0)
		text_copy(out, size, s->file);
	else
		text_print(out, size, "%.200s:%u", s->file, s->line);
}

static void
note_event(void *context, const struct qpopper_statement *s, bool does_nothing,
    const char *text)
{
	char origin[256];
	const char *verb = does_nothing ? " does nothing" : "";

	(void)context;
	if (said.qpopper.building)
		return;
	place(s, origin, sizeof(origin));
	if (s->line == 0)
		statements_note("%s%s: %s", origin, verb, text);
	else
		statements_note("%s: %s%s: %s", origin, s->name, verb, text);
}

/* --- What is set. --- */

int
statements_set(const char *name, const char *value, struct popper_error *e)
{
	if (strcmp(name, "clear-text-password") == 0)
		said.passwords = true;
	return server_set(said.settings, name, value, e);
}

static int
add(enum overlay_mode mode, const char *origin, const char *section,
    const char *option, const char *value, struct popper_error *e)
{
	char kind[64], *name;
	const struct overlay_line l = { .mode = mode,
		.origin = origin,
		.kind = kind,
		.name = strchr(section, ' ') + 1,
		.option = option,
		.value = value };

	text_copy(kind, sizeof(kind), section);
	if ((name = strchr(kind, ' ')) != NULL)
		*name = '\0';
	return overlay_add(&said.overlay, &l, e);
}

static int
set_event(void *context, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value, struct popper_error *e)
{
	char origin[256];
	enum overlay_mode mode = o->opens ? OVERLAY_OPEN : OVERLAY_SET;

	(void)context;
	if (o->section[0] == '\0')
		return statements_set(o->option, value, e);
	place(s, origin, sizeof(origin));
	if (said.qpopper.building) {
		mode = OVERLAY_DEFAULT;
		if (o->opens && said.built < BUILT_MAX)
			said.built_sections[said.built++] = o->section;
	}
	return add(mode, origin, o->section, o->option, value, e);
}

int
statements_say(const char *flag, const char *name, const char *value,
    struct popper_error *e)
{
	return qpopper_say(&said.qpopper, flag, name, value, e);
}

/* --- From the first to the last. --- */

static int
take_built(struct popper_error *e)
{
	char *text = strdup(qpopper_built);
	int result;

	if (text == NULL)
		return error_system(e, POPPER_TEMPORARY, "defaults");
	said.qpopper.building = true;
	result = qpopper_apply(&said.qpopper, text, "configure", e);
	said.qpopper.building = false;
	free(text);
	return result;
}

int
statements_begin(struct settings *s, struct popper_error *e)
{
	forget();
	overlay_clear(&said.overlay);
	said.settings = s;
	qpopper_init(&said.qpopper, &events);
	said.file = NULL;
	said.passwords = false;
	said.built = 0;
	option_defaults(settings_options, s);
	s->overlay = NULL;
	said.usual_modules = s->modules;
	return take_built(e);
}

static int
take_setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	(void)context;
	(void)inside;
	return statements_set(name, value, e);
}

static int
set_always(struct popper_error *e)
{
	for (size_t i = 0; qpopper_always[i].option != NULL; i++)
		if (statements_set(qpopper_always[i].option,
			qpopper_always[i].value, e) == -1)
			return -1;
	return 0;
}

int
statements_file(const char *path, struct popper_error *e)
{
	static const struct conf_reader reader = { .setting = take_setting };
	char *text = conf_load(path, e);
	int result;

	if (text == NULL)
		return -1;
	if (qpopper_written(text)) {
		said.file = path;
		said.qpopper.files = 1;
		result = set_always(e);
		if (result == 0)
			result = qpopper_apply(&said.qpopper, text, path, e);
	} else
		result = conf_parse(path, text, &reader, e);
	free(text);
	return result;
}

/* The modules of a host that has no modules.conf, but Qpopper's file. */
static int
use_modules(struct popper_error *e)
{
	static const struct overlay_line replace = { .mode = OVERLAY_NO_FILE };

	if (said.settings->modules != said.usual_modules) {
		statements_note("%s is read as Qpopper's configuration, and "
				"%s with it",
		    said.file, said.settings->modules);
		return 0;
	}
	statements_note("%s is read as Qpopper's configuration; modules.conf "
			"is not read: accounts are those of PAM, mail lies in "
			"mbox files, XLST and X-MANGLE are served",
	    said.file);
	if (overlay_add(&said.overlay, &replace, e) == -1)
		return -1;
	for (size_t i = 0; i < said.built; i++)
		if (add(OVERLAY_USE, "configure", said.built_sections[i], NULL,
			NULL, e) == -1)
			return -1;
	for (const char *const *m = qpopper_modules; *m != NULL; m++)
		if (add(OVERLAY_USE, said.file, *m, NULL, NULL, e) == -1)
			return -1;
	return 0;
}

int
statements_end(struct popper_error *e)
{
	if (said.file != NULL && use_modules(e) == -1)
		return -1;
	if (said.file != NULL && !said.passwords)
		statements_note(
		    "%s: passwords that are not encrypted are taken from the "
		    "loopback address only; \"set clear-text-password = "
		    "always\" takes them from everywhere, as Qpopper did",
		    said.file);
	if (said.overlay.len > 0 &&
	    (said.settings->overlay = strdup(said.overlay.text)) == NULL)
		return error_system(e, POPPER_TEMPORARY, "options of modules");
	return server_check(said.settings, e);
}
