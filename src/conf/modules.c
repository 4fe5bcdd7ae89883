/*
 * modules.c - modules.conf: which modules, in which order, how.
 *
 * Runs in: popper-auth and popper-session, at start, as root.
 */
#include "conf/modules.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/option.h"
#include "conf/file.h"
#include "conf/nearest.h"

struct reading {
	const char *kind;
	bool ours; /* the last section is of our kind */
	const struct popper_module *(*load)(
	    const char *, const char *, struct popper_error *);
	struct used_modules *out;
};

static bool
known_kind(const char *kind)
{
	return strcmp(kind, "auth") == 0 || strcmp(kind, "drop") == 0 ||
	    strcmp(kind, "ext") == 0;
}

static bool
has_kind(const struct popper_module *m, const char *kind)
{
	if (strcmp(kind, "auth") == 0)
		return m->auth != NULL;
	return strcmp(kind, "drop") == 0 ? m->drop != NULL : m->ext != NULL;
}

static int
section(void *context, const char *kind, const char *name,
    struct popper_error *e)
{
	struct reading *r = context;
	struct used_module *u;

	if (!known_kind(kind))
		return error_set(e, POPPER_PERMANENT,
		    "\"%.40s\": must be auth, drop or ext", kind);
	if (!(r->ours = strcmp(kind, r->kind) == 0))
		return 0;
	if (r->out->count == MODULES_MAX)
		return error_set(e, POPPER_PERMANENT,
		    "more than %d modules of kind %s", MODULES_MAX, kind);
	u = &r->out->used[r->out->count];
	if ((u->module = r->load(kind, name, e)) == NULL)
		return -1;
	if (!has_kind(u->module, kind))
		return error_set(e, POPPER_PERMANENT,
		    "module \"%s\" is of another kind than %s", name, kind);
	u->conf = calloc(1, u->module->conf_size + 1);
	if (u->conf == NULL)
		return error_system(e, POPPER_TEMPORARY, "%s", name);
	option_defaults(u->module->options, u->conf);
	r->out->count++;
	return 0;
}

static int
setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	struct reading *r = context;
	struct used_module *u;
	const struct popper_option *o;
	const char *meant;

	if (!inside)
		return error_set(e, POPPER_PERMANENT,
		    "\"%.80s\" stands in no module's section", name);
	if (!r->ours)
		return 0;
	u = &r->out->used[r->out->count - 1];
	if ((o = option_find(u->module->options, name)) != NULL)
		return option_set(o, u->conf, value, e);
	if ((meant = nearest_option(u->module->options, name)) != NULL)
		return error_set(e, POPPER_PERMANENT,
		    "%s has no option \"%.80s\"; it has \"%s\"",
		    u->module->name, name, meant);
	return error_set(e, POPPER_PERMANENT,
	    "%s has no option \"%.80s\"; popper --modules lists them",
	    u->module->name, name);
}

int
modules_read(const char *path, const char *kind,
    const struct popper_module *(*load)(
	const char *, const char *, struct popper_error *),
    struct used_modules *out, struct popper_error *e)
{
	struct reading r = { .kind = kind, .load = load, .out = out };
	struct conf_reader reader = { .context = &r,
		.section = section,
		.setting = setting };

	out->count = 0;
	return conf_read(path, &reader, e);
}
