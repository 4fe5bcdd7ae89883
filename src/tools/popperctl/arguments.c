/*
 * arguments.c - the words behind a sub-command.
 *
 * Runs as:  whoever calls popperctl.
 */
#include "tools/popperctl/arguments.h"

#include <string.h>

#include "base/text.h"

#define OPTIONS_MAX 16

struct parsing {
	const struct family *family;
	const char *name; /* of the sub-command */
	const struct argument_option *options;
	const struct argument_word *words; /* that are still to come */
	char **args; /* that are still to come */
};

/* "index dump", "recover". */
static const char *
called(const struct parsing *p)
{
	static char text[80];

	(void)text_print(text, sizeof(text), "%s%s%s", p->family->name,
	    p->name[0] == '\0' ? "" : " ", p->name);
	return text;
}

static bool
misused(const struct parsing *p)
{
	(void)popperctl_misused(p->family, p->name);
	return false;
}

static bool
refuse_option(const struct parsing *p, const char *word)
{
	struct popper_option names[OPTIONS_MAX + 1] = { 0 };
	char what[100];

	for (size_t i = 0; i < OPTIONS_MAX; i++) {
		names[i].name = p->options[i].name;
		if (names[i].name == NULL)
			break;
	}
	(void)text_print(what, sizeof(what), "option of %s", called(p));
	(void)popperctl_unknown(what, word, names);
	return misused(p);
}

/* ${o} got ${value}, or NULL; a value may also be the next argument. */
static bool
take_value(
    struct parsing *p, const struct argument_option *o, const char *value)
{
	if (o->kind == ARGUMENT_FLAG && value != NULL) {
		popperctl_say("%s takes nothing: \"%.200s\"", o->name, value);
		return misused(p);
	}
	if (o->kind == ARGUMENT_VALUE && value == NULL)
		value = *p->args == NULL ? NULL : *p->args++;
	if (o->kind == ARGUMENT_VALUE && value == NULL) {
		popperctl_say("%s needs %s", o->name, o->needs);
		return misused(p);
	}
	*o->value = value == NULL ? "" : value;
	return true;
}

static bool
take_long(struct parsing *p, const char *arg)
{
	size_t len = strcspn(arg, "=");
	const struct argument_option *o = p->options;

	for (; o->name != NULL; o++)
		if (strlen(o->name) == len && strncmp(o->name, arg, len) == 0)
			return take_value(
			    p, o, arg[len] == '=' ? arg + len + 1 : NULL);
	return refuse_option(p, arg);
}

/* "-8cl", "-d folder", "-dfolder". */
static bool
take_letters(struct parsing *p, const char *arg)
{
	const struct argument_option *o;
	char word[] = "-?";

	for (const char *at = arg + 1; *at != '\0'; at++) {
		word[1] = *at;
		for (o = p->options; o->name != NULL; o++)
			if (strcmp(o->name, word) == 0)
				break;
		if (o->name == NULL)
			return refuse_option(p, at == arg + 1 ? arg : word);
		if (o->kind == ARGUMENT_VALUE)
			return take_value(p, o, at[1] == '\0' ? NULL : at + 1);
		*o->value = "";
	}
	return true;
}

static bool
take_word(struct parsing *p, const char *arg)
{
	if (p->words->what == NULL) {
		popperctl_say("\"%.200s\" is one word too many", arg);
		return misused(p);
	}
	*p->words->value = arg;
	p->words++;
	return true;
}

static bool
take(struct parsing *p, bool *ended)
{
	const char *arg = *p->args++;

	if (*ended || arg[0] != '-' || arg[1] == '\0')
		return take_word(p, arg);
	if (strcmp(arg, "--") == 0) {
		*ended = true;
		return true;
	}
	return arg[1] == '-' ? take_long(p, arg) : take_letters(p, arg);
}

bool
arguments_parse(const struct family *f, const char *name, char **args,
    const struct argument_option *options, const struct argument_word *words)
{
	struct parsing p = { f, name, options, words, args };
	bool ended = false;

	while (*p.args != NULL)
		if (!take(&p, &ended))
			return false;
	if (p.words->what == NULL || p.words->may)
		return true;
	popperctl_say("%s needs %s", called(&p), p.words->what);
	return misused(&p);
}
