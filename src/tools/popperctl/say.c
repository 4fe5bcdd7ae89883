/*
 * say.c - what popperctl tells the administrator.
 *
 * Runs as:  whoever calls popperctl, and the user whose mail it works on.
 *
 * Names, file names and what modules say may hold anything: a line never
 * commands the terminal, whatever went into it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/nearest.h"
#include "tools/popperctl/output.h"
#include "tools/popperctl/popperctl.h"

#define SAY_MAX 8192

void
popperctl_say(const char *format, ...)
{
	char text[SAY_MAX];
	va_list ap;

	va_start(ap, format);
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	(void)fputs("popperctl: ", stderr);
	output_text(stderr, text);
	(void)fputc('\n', stderr);
}

int
popperctl_fail(const struct popper_error *e)
{
	popperctl_say("%s", e->text);
	return POPPERCTL_FAILED;
}

bool
popperctl_is_alone(const struct family *f)
{
	return f->subcommands[0].name[0] == '\0';
}

int
popperctl_misused(const struct family *f, const char *name)
{
	const struct subcommand *s = f->subcommands;

	for (; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			(void)fprintf(stderr, "usage: popperctl %s%s%s %s\n",
			    f->name, popperctl_is_alone(f) ? "" : " ", s->name,
			    s->arguments);
	return POPPERCTL_USAGE;
}

int
popperctl_unknown(
    const char *what, const char *word, const struct popper_option *names)
{
	const char *meant = nearest_option(names, word);
	char list[512] = "";
	size_t at = 0;

	for (const struct popper_option *n = names; n->name != NULL; n++)
		if (text_print(list + at, sizeof(list) - at, "%s%s",
			at == 0 ? "" : ", ", n->name))
			at += strlen(list + at);
	if (at == 0)
		popperctl_say("\"%.200s\" is no %s: there is none", word, what);
	else if (meant != NULL)
		popperctl_say("\"%.200s\" is no %s; is it \"%s\"?  There "
			      "%s: %s",
		    word, what, meant, strchr(list, ',') ? "are" : "is", list);
	else
		popperctl_say("\"%.200s\" is no %s; there %s: %s", word, what,
		    strchr(list, ',') ? "are" : "is", list);
	return POPPERCTL_USAGE;
}
