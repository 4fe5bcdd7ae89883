/*
 * qpopper.c - what statements of Qpopper's configuration mean here.
 *
 * Runs in: the master, at start and at SIGHUP, as root; popperctl.
 */
#include "conf/qpopper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "conf/file.h"
#include "conf/nearest.h"

#define VALUE_MAX 1024

/* Those of the build come last in the table. */
static const char *
name_at(size_t i)
{
	return qpopper_options[i].built ? NULL : qpopper_options[i].name;
}

static int
unknown(const char *name, struct popper_error *e)
{
	const char *meant = nearest_word(name_at, name);

	if (meant != NULL)
		return error_set(e, POPPER_PERMANENT,
		    "Qpopper has no option \"%.80s\"; \"%s\" is one", name,
		    meant);
	return error_set(e, POPPER_PERMANENT,
	    "Qpopper has no option \"%.80s\"; popper-qpopper(5) lists them",
	    name);
}

static const struct qpopper_option *
find(const struct qpopper *q, const char *name)
{
	const struct qpopper_option *o = qpopper_options;

	for (; o->name != NULL; o++)
		if (strcasecmp(o->name, name) == 0 &&
		    (q->building || !o->built))
			return o;
	return NULL;
}

/* --- Values. --- */

static int
wrong(const struct qpopper_statement *s, const char *right,
    struct popper_error *e)
{
	return error_set(e, POPPER_PERMANENT, "%.60s = \"%.80s\": must be %s",
	    s->name, s->value, right);
}

static int
truth(const struct qpopper_statement *s, const struct qpopper_word *words,
    char *out, struct popper_error *e)
{
	bool yes = !s->reset;

	if (s->value != NULL) {
		yes = strcasecmp(s->value, "true") == 0 ||
		    strcmp(s->value, "1") == 0;
		if (!yes && strcasecmp(s->value, "false") != 0 &&
		    strcmp(s->value, "0") != 0)
			return wrong(s, "true, false, 1 or 0", e);
	}
	if (words != NULL)
		text_copy(out, VALUE_MAX, words[yes ? 0 : 1].ours);
	else
		text_copy(out, VALUE_MAX, yes ? "yes" : "no");
	return 0;
}

/* A negative number means that nothing is said. */
static int
number(const struct qpopper_statement *s, char *out, struct popper_error *e)
{
	const char *digits = s->value + (s->value[0] == '-');
	char *end;
	long n;

	errno = 0;
	n = strtol(s->value, &end, 0);
	if (strchr("0123456789", digits[0]) == NULL || digits[0] == '\0' ||
	    *end != '\0' || errno != 0)
		return wrong(s, "a number, as 10, 0x0a or 012", e);
	text_print(out, VALUE_MAX, "%ld", n);
	return 0;
}

static int
word(const struct qpopper_statement *s, const struct qpopper_word *words,
    char *out, struct popper_error *e)
{
	char all[160] = "one of:";
	size_t len;

	for (const struct qpopper_word *w = words; w->theirs != NULL; w++) {
		if (strcasecmp(w->theirs, s->value) == 0) {
			text_copy(out, VALUE_MAX, w->ours);
			return 0;
		}
		len = strlen(all);
		text_print(all + len, sizeof(all) - len, " %s", w->theirs);
	}
	return wrong(s, all, e);
}

static int
limit(const struct qpopper_statement *s, const struct qpopper_option *o,
    char *value, struct popper_error *e)
{
	char copy[32];
	struct qpopper_statement plain = *s;

	if (o->words == NULL)
		return 0;
	text_copy(copy, sizeof(copy), value);
	plain.value = copy;
	return word(&plain, o->words, value, e);
}

static int
translate(const struct qpopper_statement *s, const struct qpopper_option *o,
    char *out, struct popper_error *e)
{
	if (o->kind == QPOPPER_BOOL)
		return truth(s, o->words, out, e);
	if (s->reset)
		return error_set(e, POPPER_PERMANENT,
		    "reset %.60s: only what is true or false can be reset",
		    s->name);
	if (s->value == NULL)
		return error_set(e, POPPER_PERMANENT,
		    "set %.60s: \"= value\" must follow", s->name);
	if (o->kind == QPOPPER_NUMBER)
		return number(s, out, e) == -1 ? -1 : limit(s, o, out, e);
	if (o->kind == QPOPPER_WORD)
		return word(s, o->words, out, e);
	if (text_copy(out, VALUE_MAX, s->value))
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "the value of %.60s is longer than %d octets", s->name,
	    VALUE_MAX - 1);
}

/* --- Meanings. --- */

static void
note(struct qpopper *q, const struct qpopper_statement *s, bool does_nothing,
    const char *text)
{
	if (q->events->note != NULL)
		q->events->note(q->events->context, s, does_nothing, text);
}

/* A pattern of printf(3), with %s for the user, becomes one of ours. */
static int
amend_pattern(char *value, struct popper_error *e)
{
	for (char *p = strchr(value, '%'); p != NULL; p = strchr(p + 2, '%'))
		if (p[1] != 's' && p[1] != '%')
			return error_set(e, POPPER_PERMANENT,
			    "temp-name = \"%.80s\": %%s must stand for the "
			    "user, and no other %%",
			    value);
	for (char *p = strchr(value, '%'); p != NULL; p = strchr(p + 2, '%'))
		if (p[1] == 's')
			p[1] = 'u';
	return 0;
}

static int
amend(const struct qpopper_option *o, char *value, struct popper_error *e)
{
	if (strcmp(o->name, "temp-name") == 0)
		return amend_pattern(value, e);
	/* A negative number announces nothing. */
	if (value[0] == '-' && strcmp(o->name, "announce-expire") == 0)
		text_copy(value, VALUE_MAX, "never");
	if (value[0] == '-' && strcmp(o->name, "announce-login-delay") == 0)
		text_copy(value, VALUE_MAX, "");
	return 0;
}

static int
chain(struct qpopper *q, const struct qpopper_statement *s, const char *path,
    struct popper_error *e)
{
	if (path[0] == '/')
		return qpopper_read(q, path, e);
	return error_set(e, POPPER_PERMANENT,
	    "config-file = \"%.80s\": must be an absolute path; Qpopper took "
	    "it from the folder that it was started in",
	    s->value);
}

static int
set(struct qpopper *q, const struct qpopper_statement *s,
    const struct qpopper_option *o, const char *value, struct popper_error *e)
{
	return q->events->set(q->events->context, s, o, value, e);
}

/* Qpopper deleted nothing by itself while sessions that broke off counted.
 * Whoever has never said so must not begin to lose mail. */
static int
set_auto_delete(struct qpopper *q, const struct qpopper_statement *s,
    struct popper_error *e)
{
	return set(q, s, find(q, "auto-delete"),
	    q->auto_delete && !q->aborts_count ? "yes" : "no", e);
}

/* One row of the table. */
static int
mean(struct qpopper *q, const struct qpopper_statement *s,
    const struct qpopper_option *o, struct popper_error *e)
{
	char value[VALUE_MAX];
	bool yes;

	if (translate(s, o, value, e) == -1)
		return -1;
	yes = strcmp(value, "yes") == 0;
	if (strcmp(o->name, "config-file") == 0)
		return chain(q, s, value, e);
	if (strcmp(o->name, "kerberos") == 0 && yes && !q->importing)
		return error_set(e, POPPER_PERMANENT, "%s", o->note);
	if (amend(o, value, e) == -1)
		return -1;
	if (o->note != NULL)
		note(q, s, o->section == NULL, o->note);
	if (strcmp(o->name, "auto-delete") == 0) {
		q->auto_delete = yes;
		return set_auto_delete(q, s, e);
	}
	if (o->section != NULL && set(q, s, o, value, e) == -1)
		return -1;
	if (strcmp(o->name, "update-on-abort") != 0)
		return 0;
	q->aborts_count = yes;
	return q->auto_delete ? set_auto_delete(q, s, e) : 0;
}

static int
take(void *context, const struct qpopper_statement *s, struct popper_error *e)
{
	struct qpopper *q = context;
	const struct qpopper_option *o = find(q, s->name);

	if (o == NULL)
		return unknown(s->name, e);
	if (q->events->statement != NULL)
		q->events->statement(q->events->context, s);
	if (s->cut)
		note(q, s, false,
		    "no newline ends this line: Qpopper refuses such a "
		    "file");
	do
		if (mean(q, s, o, e) == -1)
			return -1;
	while ((++o)->name != NULL && strcasecmp(o->name, s->name) == 0);
	return 0;
}

void
qpopper_init(struct qpopper *q, const struct qpopper_events *events)
{
	*q = (struct qpopper){ .events = events, .aborts_count = true };
}

int
qpopper_apply(
    struct qpopper *q, char *text, const char *file, struct popper_error *e)
{
	return qpopper_parse(file, text, take, q, e);
}

int
qpopper_read(struct qpopper *q, const char *path, struct popper_error *e)
{
	char *text;
	int result;

	if (++q->files > QPOPPER_FILES)
		return error_set(e, POPPER_PERMANENT,
		    "more than %d files, one naming the other by config-file",
		    QPOPPER_FILES);
	if ((text = conf_load(path, e)) == NULL)
		return -1;
	result = qpopper_apply(q, text, path, e);
	free(text);
	return result;
}

int
qpopper_say(struct qpopper *q, const char *origin, const char *name,
    const char *value, struct popper_error *e)
{
	struct qpopper_statement s = {
		.file = origin, .name = name, .value = value
	};

	return take(q, &s, e) == -1 ? qpopper_located(&s, e) : 0;
}
