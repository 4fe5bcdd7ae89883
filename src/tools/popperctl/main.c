/*
 * main.c - popperctl: what an administrator does beside the server.
 *
 * Runs as:  whoever calls it, mostly root; never set-user-id.
 * Finds the family and the sub-command, and runs it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "tools/popperctl/popperctl.h"

static const struct family *const families[] = {
	&bulletin_family,
	&import_family,
	&index_family,
	&recover_family,
	&undelete_family,
	&uidl_family,
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define NAMES_MAX 32
#define LONG_CONFIG "--config="

static void
describe(FILE *out, const struct family *f, const struct subcommand *s)
{
	(void)fprintf(out, "  %s%s%s %s\n      %s\n", f->name,
	    popperctl_is_alone(f) ? "" : " ", s->name, s->arguments, s->help);
}

static int
usage(FILE *out)
{
	const struct subcommand *s;

	(void)fprintf(out,
	    "usage: popperctl [-f FILE] COMMAND [SUB-COMMAND] [ARGUMENT ...]\n"
	    "  -f, --config FILE   the server's, instead of " CONF_FOLDER
	    "/popper.conf\n"
	    "  -h, --help          show this\n"
	    "  -v, --version       show the version\n");
	for (size_t i = 0; i < COUNT(families); i++) {
		(void)fprintf(
		    out, "%s: %s\n", families[i]->name, families[i]->help);
		for (s = families[i]->subcommands; s->name != NULL; s++)
			describe(out, families[i], s);
	}
	return out == stdout ? POPPERCTL_DONE : POPPERCTL_USAGE;
}

static int
unknown_family(const char *word)
{
	struct popper_option names[NAMES_MAX + 1] = { 0 };

	for (size_t i = 0; i < COUNT(families) && i < NAMES_MAX; i++)
		names[i].name = families[i]->name;
	return popperctl_unknown("command", word, names);
}

static int
unknown_subcommand(const struct family *f, const char *word)
{
	struct popper_option names[NAMES_MAX + 1] = { 0 };
	char what[64];

	for (size_t i = 0; i < NAMES_MAX; i++) {
		names[i].name = f->subcommands[i].name;
		if (names[i].name == NULL)
			break;
	}
	(void)text_print(what, sizeof(what), "sub-command of %s", f->name);
	return popperctl_unknown(what, word, names);
}

static int
unknown_option(const char *word)
{
	static const struct popper_option names[] = { { .name = "-f" },
		{ .name = "--config" }, { .name = "--help" },
		{ .name = "--version" }, { .name = NULL } };

	return popperctl_unknown(
	    "option that stands before a command", word, names);
}

static int
run(const struct popperctl *p, const struct family *f,
    const struct subcommand *s, char **args)
{
	if (args[0] != NULL && args[1] == NULL &&
	    strcmp(args[0], "--help") == 0) {
		describe(stdout, f, s);
		return POPPERCTL_DONE;
	}
	return s->run(p, args);
}

static int
choose_subcommand(
    const struct popperctl *p, const struct family *f, char **args)
{
	const struct subcommand *s = f->subcommands;

	if (popperctl_is_alone(f))
		return run(p, f, s, args);
	if (args[0] == NULL) {
		popperctl_say("%s needs a sub-command:", f->name);
		for (; s->name != NULL; s++)
			describe(stderr, f, s);
		return POPPERCTL_USAGE;
	}
	if (strcmp(args[0], "--help") == 0) {
		for (; s->name != NULL; s++)
			describe(stdout, f, s);
		return POPPERCTL_DONE;
	}
	while (s->name != NULL && strcmp(s->name, args[0]) != 0)
		s++;
	if (s->name == NULL)
		return unknown_subcommand(f, args[0]);
	return run(p, f, s, args + 1);
}

static int
choose(const struct popperctl *p, char **args)
{
	for (size_t i = 0; i < COUNT(families); i++)
		if (strcmp(families[i]->name, args[0]) == 0)
			return choose_subcommand(p, families[i], args + 1);
	return unknown_family(args[0]);
}

static bool
is(const char *arg, const char *a, const char *b)
{
	return strcmp(arg, a) == 0 || strcmp(arg, b) == 0;
}

/* What was printed must have arrived: a full disk is an error. */
static int
finish(int status)
{
	if (status == POPPERCTL_DONE &&
	    (fflush(stdout) == EOF || ferror(stdout))) {
		popperctl_say("standard output cannot be written");
		return POPPERCTL_FAILED;
	}
	return status;
}

int
main(int argc, char **argv)
{
	static struct popperctl p = { .conf = CONF_FOLDER "/popper.conf" };
	char **args = argv + (argc > 0);

	/* A reader that went away or a limit is an error like others. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL); /* whoever has started us */
	(void)umask(022);
	for (; *args != NULL && args[0][0] == '-'; args++) {
		if (is(*args, "-h", "--help"))
			return finish(usage(stdout));
		if (is(*args, "-v", "--version"))
			return finish(
			    printf("popperctl %s\n", POPPER_VERSION) < 0);
		if (strncmp(*args, LONG_CONFIG, strlen(LONG_CONFIG)) == 0) {
			p.conf = *args + strlen(LONG_CONFIG);
		} else if (!is(*args, "-f", "--config")) {
			return unknown_option(*args);
		} else if (*++args == NULL) {
			popperctl_say("%s needs the name of a file", args[-1]);
			return POPPERCTL_USAGE;
		} else {
			p.conf = *args;
		}
		p.given = true;
	}
	return *args == NULL ? usage(stderr) : finish(choose(&p, args));
}
