/*
 * bulletin.c - the sub-commands of "popperctl bulletin", and their options.
 *
 * Runs as:  whoever calls popperctl.
 */
#include "tools/popperctl/bulletin.h"

#include <string.h>

#include "base/error.h"
#include "base/option.h"
#include "base/settings.h"
#include "conf/file.h"
#include "conf/server.h"

static const struct subcommand subcommands[] = {
	{ "list", "[-d DIRECTORY]", "number, date, size and subject of each", 0,
	    2, bulletin_list },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

const struct family bulletin_family = { "bulletin",
	"messages to every user, popper-bulletins(8)", subcommands };

/* Those of the module's options that matter here; it checks the others. */
static const struct popper_option options[] = {
	POPPER_OPTION(
	    TEXT, struct bulletin_conf, directory, "directory", "", ""),
	POPPER_OPTION(TEXT, struct bulletin_conf, popbull_directory,
	    "popbull-directory", "", ""),
	POPPER_OPTION(TEXT, struct bulletin_conf, bulldb, "bulldb", "", ""),
	POPPER_OPTIONS_END
};

struct reading {
	struct bulletin_conf *conf;
	bool ours; /* in a section "ext bulletins" */
};

static int
section(
    void *context, const char *kind, const char *name, struct popper_error *e)
{
	struct reading *r = context;

	(void)e;
	r->ours = strcmp(kind, "ext") == 0 && strcmp(name, "bulletins") == 0;
	return 0;
}

static int
setting(void *context, bool inside, const char *name, const char *value,
    struct popper_error *e)
{
	struct reading *r = context;
	const struct popper_option *o = option_find(options, name);

	if (!inside || !r->ours || o == NULL)
		return 0;
	return option_set(o, r->conf, value, e);
}

static int
read_modules(const struct popperctl *p, struct bulletin_conf *conf,
    struct popper_error *e)
{
	struct reading r = { .conf = conf };
	const struct conf_reader reader = {
		.context = &r, .section = section, .setting = setting
	};
	struct settings s;

	option_defaults(settings_options, &s);
	if (server_read(&s, p->conf, e) == -1 && e->status != POPPER_ABSENT)
		return -1;
	return conf_read(s.modules, &reader, e);
}

int
bulletin_conf_read(const struct popperctl *p, const char *directory,
    struct bulletin_conf *conf, struct popper_error *e)
{
	option_defaults(options, conf);
	if (read_modules(p, conf, e) == -1 &&
	    (directory == NULL || e->status != POPPER_ABSENT))
		return -1;
	if (directory != NULL)
		conf->directory = directory;
	if (conf->directory[0] == '\0')
		return error_set(e, POPPER_INVALID,
		    "no directory of bulletins: give -d DIRECTORY, or ext "
		    "bulletins { directory = ... } in modules.conf");
	return 0;
}
