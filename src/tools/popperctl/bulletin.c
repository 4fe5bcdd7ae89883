/*
 * bulletin.c - the sub-commands of "popperctl bulletin", and their options.
 *
 * Runs as:  whoever calls popperctl.
 */
#include "tools/popperctl/bulletin.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/option.h"
#include "base/settings.h"
#include "conf/file.h"
#include "conf/qpopper.h"
#include "conf/server.h"

static const struct subcommand subcommands[] = {
	{ "post", "[-8cl] [-d DIRECTORY] [-g GROUP] [-n NAME] [FILE]",
	    "check a message (standard input) and send it to all; -c: only "
	    "check,\n      -8, -l: allow 8-bit characters, long lines",
	    bulletin_post },
	{ "list", "[-d DIRECTORY]", "number, date, size and subject of each",
	    bulletin_list },
	{ "retract", "[-d DIRECTORY] NUMBER|FILE",
	    "remove one that not all have fetched yet", bulletin_retract },
	{ "status", "[-d DIRECTORY] USER", "how far a user is",
	    bulletin_status },
	{ "init", "[FOLDER]", "make the database bulldb, or mend its rights",
	    bulletin_init },
	{ NULL, NULL, NULL, NULL },
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
	POPPER_OPTION(BOOL, struct bulletin_conf, group_bulletins,
	    "group-bulletins", "no", ""),
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

/* A statement of Qpopper's, of the file or the build. */
static int
statement(void *context, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value, struct popper_error *e)
{
	const struct popper_option *known = option_find(options, o->option);

	(void)s;
	if (known == NULL || strcmp(o->section, "ext bulletins") != 0)
		return 0;
	return option_set(known, context, value, e);
}

/* ${text} of Qpopper's file ${path}, or of the build if that is NULL. */
static int
read_qpopper(struct bulletin_conf *conf, char *text, const char *path,
    struct popper_error *e)
{
	const struct qpopper_events events = { .context = conf,
		.set = statement };
	struct qpopper q;

	qpopper_init(&q, &events);
	q.building = path == NULL;
	return qpopper_apply(&q, text, path == NULL ? "configure" : path, e);
}

static int
read_built(struct bulletin_conf *conf, struct popper_error *e)
{
	char *text = strdup(qpopper_built);
	int result;

	if (text == NULL)
		return error_system(e, POPPER_TEMPORARY, "defaults");
	result = read_qpopper(conf, text, NULL, e);
	free(text);
	return result;
}

/* modules.conf, or the file that is Qpopper's and stands in its place. */
static int
read_modules(const struct popperctl *p, struct bulletin_conf *conf,
    struct popper_error *e)
{
	struct reading r = { .conf = conf };
	const struct conf_reader reader = {
		.context = &r, .section = section, .setting = setting
	};
	struct settings s;
	char *text = conf_load(p->conf, e);
	int result = 0;

	if (text == NULL && e->status != POPPER_ABSENT)
		return -1;
	option_defaults(settings_options, &s);
	if (read_built(conf, e) == -1)
		result = -1;
	else if (text != NULL && qpopper_written(text))
		result = read_qpopper(conf, text, p->conf, e);
	else if ((text != NULL && server_read(&s, p->conf, e) == -1) ||
	    conf_read(s.modules, &reader, e) == -1)
		result = -1;
	free(text);
	conf->state_folder = s.state_folder;
	conf->mail_group = s.mail_group;
	return result;
}

int
bulletin_conf_read(const struct popperctl *p, const char *directory,
    struct bulletin_conf *conf, struct popper_error *e)
{
	option_defaults(options, conf);
	conf->state_folder = conf->mail_group = "";
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
