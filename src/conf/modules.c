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
#include "conf/overlay.h"

struct reading {
	const char *kind;
	const char *overlay;
	bool ours; /* the last section is of our kind */
	const struct popper_module *(*load)(
	    const char *, const char *, struct popper_error *);
	struct used_modules *out;
};

static int section(
    void *, const char *kind, const char *name, struct popper_error *);

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
set_option(struct used_module *u, const char *name, const char *value,
    struct popper_error *e)
{
	const struct popper_option *o = option_find(u->module->options, name);
	const char *meant;

	if (o != NULL)
		return option_set(o, u->conf, value, e);
	if ((meant = nearest_option(u->module->options, name)) != NULL)
		return error_set(e, POPPER_PERMANENT,
		    "%s has no option \"%.80s\"; it has \"%s\"",
		    u->module->name, name, meant);
	return error_set(e, POPPER_PERMANENT,
	    "%s has no option \"%.80s\"; popper --modules lists them",
	    u->module->name, name);
}

/* --- What is laid over. --- */

static bool
is_for(const struct overlay_line *l, const char *kind, const char *name)
{
	return strcmp(l->kind, kind) == 0 && strcmp(l->name, name) == 0;
}

/* Defaults of the build, for the section that was just begun. */
static int
set_default(void *context, const struct overlay_line *l, struct popper_error *e)
{
	struct reading *r = context;
	struct used_module *u = &r->out->used[r->out->count];

	if (l->mode != OVERLAY_DEFAULT || !is_for(l, r->kind, u->module->name))
		return 0;
	return set_option(u, l->option, l->value, e);
}

/* A module that modules.conf does not name. */
static int
use(void *context, const struct overlay_line *l, struct popper_error *e)
{
	struct reading *r = context;

	if ((l->mode != OVERLAY_USE && l->mode != OVERLAY_OPEN) ||
	    strcmp(l->kind, r->kind) != 0)
		return 0;
	for (size_t i = 0; i < r->out->count; i++)
		if (strcmp(r->out->used[i].module->name, l->name) == 0)
			return 0;
	return section(r, l->kind, l->name, e);
}

static int
set_over(void *context, const struct overlay_line *l, struct popper_error *e)
{
	struct reading *r = context;

	if (l->mode != OVERLAY_OPEN && l->mode != OVERLAY_SET)
		return 0;
	for (size_t i = 0; i < r->out->count; i++)
		if (is_for(l, r->kind, r->out->used[i].module->name) &&
		    set_option(&r->out->used[i], l->option, l->value, e) == -1)
			return -1;
	return 0;
}

static int
walk(struct reading *r,
    int (*take)(void *, const struct overlay_line *, struct popper_error *),
    struct popper_error *e)
{
	struct overlay_walk w = { .context = r, .take = take };

	return overlay_walk(r->overlay, &w, e);
}

/* --- modules.conf. --- */

static int
section(
    void *context, const char *kind, const char *name, struct popper_error *e)
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
	if (walk(r, set_default, e) == -1)
		return -1;
	r->out->count++;
	return 0;
}

static int
setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	struct reading *r = context;

	if (!inside)
		return error_set(e, POPPER_PERMANENT,
		    "\"%.80s\" stands in no module's section", name);
	if (!r->ours)
		return 0;
	return set_option(&r->out->used[r->out->count - 1], name, value, e);
}

int
modules_read(const struct modules_source *source, const char *kind,
    const struct popper_module *(*load)(
	const char *, const char *, struct popper_error *),
    struct used_modules *out, struct popper_error *e)
{
	struct reading r = { .kind = kind,
		.overlay = source->overlay,
		.load = load,
		.out = out };
	struct conf_reader reader = {
		.context = &r, .section = section, .setting = setting
	};

	out->count = 0;
	if (!overlay_replaces(source->overlay) &&
	    conf_read(source->path, &reader, e) == -1)
		return -1;
	return walk(&r, use, e) == -1 ? -1 : walk(&r, set_over, e);
}
