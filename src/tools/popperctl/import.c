/*
 * import.c - "popperctl import qpopper": another server's configuration.
 *
 * Runs as:  whoever calls it.  Reads Qpopper's file with what popper -f reads
 * it with (src/conf/qpopper.c), and writes what came out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/option.h"
#include "base/text.h"
#include "conf/file.h"
#include "conf/qpopper.h"
#include "conf/server.h"
#include "tools/popperctl/arguments.h"
#include "tools/popperctl/import.h"
#include "tools/popperctl/output.h"

static struct settings settings; /* to see whether values are good */

static void
out_of_memory(void)
{
	popperctl_say("out of memory");
	exit(POPPERCTL_FAILED);
}

static char *
copy(const char *text)
{
	char *own = strdup(text);

	if (own == NULL)
		out_of_memory();
	return own;
}

/* --- What is read. --- */

static struct import_entry *
add(struct import *m, const char *section, const char *option,
    const char *value)
{
	struct import_entry *more =
	    realloc(m->entries, (m->count + 1) * sizeof(*more));

	if (more == NULL)
		out_of_memory();
	m->entries = more;
	more += m->count++;
	*more = (struct import_entry){ .section = section,
		.option = option,
		.value = copy(value),
		.comment = copy(m->comment == NULL ? "" : m->comment) };
	return more;
}

/* Add lines to the comment on the statement that is read. */
static void
comment(struct import *m, const char *place, const char *text)
{
	char *all;

	if (asprintf(&all, "%s# %s%s\n", m->comment == NULL ? "" : m->comment,
		place, text) == -1)
		out_of_memory();
	free(m->comment);
	m->comment = all;
}

/* A statement that has set nothing is told in popper.conf. */
static void
end_statement(struct import *m)
{
	if (m->comment != NULL && !m->has_set)
		add(m, "", NULL, "");
	free(m->comment);
	m->comment = NULL;
	m->has_set = false;
}

static void
statement(void *context, const struct qpopper_statement *s)
{
	struct import *m = context;
	char place[PATH_MAX + 32], text[1200], shown[1200];

	end_statement(m);
	if (m->qpopper.building)
		return;
	text_print(place, sizeof(place), "%s:%u: ", s->file, s->line);
	text_print(text, sizeof(text), "%s %s%s%s", s->reset ? "reset" : "set",
	    s->name, s->value == NULL ? "" : " = ",
	    s->value == NULL ? "" : s->value);
	text_escape(shown, sizeof(shown), popper_slice_text(text));
	comment(m, place, shown);
}

static int
set(void *context, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value, struct popper_error *e)
{
	struct import *m = context;
	struct import_entry *entry;

	(void)s;
	m->has_set = true;
	if (o->section[0] == '\0' &&
	    server_set(&settings, o->option, value, e) == -1)
		return -1;
	/* The build's defaults need not be written down. */
	if (!m->qpopper.building || o->opens) {
		entry = add(m, o->section,
		    m->qpopper.building ? NULL : o->option, value);
		entry->opens = o->opens;
	}
	return 0;
}

static void
note(void *context, const struct qpopper_statement *s, bool does_nothing,
    const char *text)
{
	struct import *m = context;

	(void)s;
	if (!m->qpopper.building)
		comment(m, does_nothing ? "  dropped: " : "  ", text);
}

static int
read_all(struct import *m, const char *path, struct popper_error *e)
{
	const struct qpopper_events events = {
		.context = m, .statement = statement, .set = set, .note = note
	};
	char *built = copy(qpopper_built);
	int result;

	option_defaults(settings_options, &settings);
	qpopper_init(&m->qpopper, &events);
	m->qpopper.building = m->qpopper.importing = true;
	result = qpopper_apply(&m->qpopper, built, "configure", e);
	end_statement(m);
	m->qpopper.building = false;
	if (result == 0)
		result = qpopper_read(&m->qpopper, path, e);
	end_statement(m);
	free(built);
	return result == -1 ? -1 : server_check(&settings, e);
}

/* --- What is written. --- */

static FILE *
create(const char *path, struct popper_error *e)
{
	FILE *out;
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd == -1) {
		error_system(e, POPPER_PERMANENT, "%s%s", path,
		    errno == EEXIST ? " is there, and is not written over"
				    : "");
		return NULL;
	}
	if ((out = fdopen(fd, "w")) == NULL) {
		error_system(e, POPPER_TEMPORARY, "%s", path);
		(void)close(fd);
	}
	return out;
}

/* On a terminal what a file of somebody else's holds is escaped. */
static int
show(const struct import *m, void (*write)(FILE *, const struct import *),
    struct popper_error *e)
{
	struct output o;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return error_system(e, POPPER_TEMPORARY, "standard output");
	write(out, m);
	if (fclose(out) == EOF)
		out_of_memory();
	output_data(&o, stdout);
	(void)o.sink.put(&o.sink, popper_slice(text, len));
	free(text);
	return 0;
}

/* Write with ${write} to a new file at ${path}, or to standard output. */
static int
write_to(const char *path, const struct import *m,
    void (*write)(FILE *, const struct import *), struct popper_error *e)
{
	FILE *out;
	int bad;

	if (path == NULL)
		return show(m, write, e);
	if ((out = create(path, e)) == NULL)
		return -1;
	write(out, m);
	bad =
	    ferror(out) != 0 || fflush(out) == EOF || fsync(fileno(out)) == -1;
	bad |= fclose(out) == EOF;
	if (!bad)
		return 0;
	(void)error_system(
	    e, POPPER_PERMANENT, "%s could not be written whole", path);
	(void)unlink(path);
	return -1;
}

static void
forget(struct import *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->entries[i].value);
		free(m->entries[i].comment);
	}
	free(m->entries);
}

static int
run(struct import *m, const char *path, const char *popper_conf)
{
	struct popper_error e;
	int result = POPPERCTL_DONE;

	if (read_all(m, path, &e) == -1 ||
	    write_to(popper_conf, m, import_popper_conf, &e) == -1) {
		result = popperctl_fail(&e);
	} else if (write_to(m->modules_conf, m, import_modules_conf, &e) ==
	    -1) {
		result = popperctl_fail(&e);
		if (popper_conf != NULL)
			(void)unlink(popper_conf); /* both or none */
	}
	forget(m);
	return result;
}

static int
import_qpopper(const struct popperctl *p, char **args)
{
	struct import m = { .path = NULL };
	const char *popper_conf = NULL;
	const struct argument_option options[] = {
		{ "--popper-conf", ARGUMENT_VALUE, "a new file", &popper_conf },
		{ "--modules-conf", ARGUMENT_VALUE, "a new file",
		    &m.modules_conf },
		{ NULL, ARGUMENT_FLAG, NULL, NULL }
	};
	const struct argument_word words[] = {
		{ "Qpopper's file", false, &m.path }, { NULL, false, NULL }
	};

	(void)p;
	if (!arguments_parse(&import_family, "qpopper", args, options, words))
		return POPPERCTL_USAGE;
	if (m.modules_conf != NULL && m.modules_conf[0] != '/') {
		popperctl_say("--modules-conf %s: must be an absolute path, "
			      "since popper.conf names it",
		    m.modules_conf);
		return POPPERCTL_USAGE;
	}
	return run(&m, m.path, popper_conf);
}

static const struct subcommand subcommands[] = {
	{ "qpopper", "FILE [--popper-conf NEW] [--modules-conf NEW]",
	    "show a configuration file of Qpopper 4 as popper.conf and "
	    "modules.conf, or write these",
	    import_qpopper },
	{ NULL, NULL, NULL, NULL },
};

const struct family import_family = { "import",
	"take over what another server has", subcommands };
