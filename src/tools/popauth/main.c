/*
 * main.c - popauth and mailauth: secrets and hashes of users, in files.
 *
 * Runs as:  root, the owner of a file, or (set-user-id) for somebody else who
 *           changes his own secret; never set-user-id root.
 * Finds the sub-command, in today's form or the first popper's, and runs it.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "tools/popauth/popauth.h"

static const struct subcommand *const tables[] = {
	mailauth_subcommands,
	users_subcommands,
	app_subcommands,
};

/* The first popper's popauth. */
static const struct old_form {
	const char *option, *name;
	bool own; /* without a name: one's own */
} old_forms[] = {
	{ "-init", "init", false },
	{ "-list", "list", true },
	{ "-user", "add", false },
	{ "-delete", "delete", false },
};

/* Names by which popauth was called, here and there. */
static const char *const names[] = { "popauth", "mailauth", "apopauth",
	"qpopauth" };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int log_options;

void
popauth_say(const struct popauth *p, const char *format, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s: ", p->program);
	va_start(ap, format);
	(void)vfprintf(stderr, format, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
}

int
popauth_fail(const struct popauth *p, const struct popper_error *e)
{
	popauth_say(p, "%s", e->text);
	return POPAUTH_FAILED;
}

void
popauth_log(const struct popauth *p, const char *format, ...)
{
	char text[1024], escaped[2048];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_escape(escaped, sizeof(escaped), popper_slice_text(text));
	openlog(p->program, LOG_PID | log_options, LOG_AUTH);
	syslog(LOG_NOTICE, "%s (uid %lu) %s",
	    p->user[0] == '\0' ? "somebody" : p->user, (unsigned long)p->uid,
	    escaped);
}

int
popauth_check_name(const char *name, struct popper_error *e)
{
	size_t len = strlen(name);

	if (len == 0 || len > POPPER_USER_MAX)
		return error_set(e, POPPER_INVALID,
		    "a user's name has 1 to %d octets", POPPER_USER_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return error_set(e, POPPER_INVALID,
			    "a user's name has no control characters");
	return 0;
}

static const struct subcommand *
find(const char *name)
{
	const struct subcommand *s;

	for (size_t i = 0; i < COUNT(tables); i++)
		for (s = tables[i]; s->name != NULL; s++)
			if (strcmp(s->name, name) == 0)
				return s;
	return NULL;
}

static int
usage(const struct popauth *p, FILE *out)
{
	const struct subcommand *s;

	(void)fprintf(out,
	    "usage: %s [-f FILE] [SUB-COMMAND]\n"
	    "Without one: change. Secrets come from the terminal or, a line\n"
	    "each, from standard input; never from arguments.\n",
	    p->program);
	for (size_t i = 0; i < COUNT(tables); i++)
		for (s = tables[i]; s->name != NULL; s++)
			(void)fprintf(out, "  %-8s %-16s %s\n", s->name,
			    s->arguments, s->help);
	(void)fprintf(out,
	    "The first popper's forms: -init [-safe], -list [USER|ALL], "
	    "-user USER,\n-delete USER.  -debug shows what is logged.\n");
	return out == stdout ? POPAUTH_DONE : POPAUTH_USAGE;
}

/* Who is it?  Set-user-id we become the owner for good: then the caller cannot
 * stop, trace or dump us while we hold the lock. */
static int
identify(struct popauth *p, struct popper_error *e)
{
	const struct rlimit none = { 0, 0 };
	const struct passwd *pw = getpwuid(getuid());
	uid_t owner = geteuid();

	p->uid = getuid();
	if (pw != NULL)
		(void)text_copy(p->user, sizeof(p->user), pw->pw_name);
	p->borrowed = owner != p->uid || getegid() != getgid();
	(void)umask(077);
	if (!p->borrowed)
		return 0;
	if (owner == 0 || getegid() != getgid())
		return error_set(e, POPPER_DENIED,
		    "this program may be set-user-id to the owner of its file, "
		    "but neither to root nor to a group");
	if (clearenv() != 0 || prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1 ||
	    setresuid(owner, owner, owner) == -1)
		return error_system(e, POPPER_PERMANENT, "become uid %lu",
		    (unsigned long)owner);
	return 0;
}

static int
run(struct popauth *p, const struct subcommand *s, char **args)
{
	int count = 0;

	while (args[count] != NULL)
		count++;
	if (count > s->most) {
		popauth_say(p,
		    "%s: too many arguments; a secret is never one of them, "
		    "since everybody can see it there",
		    s->name);
		return POPAUTH_USAGE;
	}
	if (count < s->least) {
		popauth_say(
		    p, "usage: %s %s %s", p->program, s->name, s->arguments);
		return POPAUTH_USAGE;
	}
	if (p->borrowed && (!s->everybody || p->file != NULL)) {
		popauth_say(p, "only for root and the owner of the file: %s",
		    s->everybody ? "-f" : s->name);
		return POPAUTH_FAILED;
	}
	if (p->file == NULL)
		p->file = s->file;
	return s->run(p, args, count);
}

/* ${args} begins with a word that may be one of the first popper's. */
static int
choose(struct popauth *p, char **args)
{
	static char *own[] = { NULL, NULL };
	const struct subcommand *s = find(args[0]);

	args++;
	for (size_t i = 0; s == NULL && i < COUNT(old_forms); i++)
		if (strcmp(old_forms[i].option, args[-1]) == 0) {
			s = find(old_forms[i].name);
			own[0] = p->user;
			if (old_forms[i].own && args[0] == NULL)
				args = own;
		}
	return s != NULL ? run(p, s, args) : usage(p, stderr);
}

/* Set-user-id it wrote to files that the caller could not. */
static int
no_trace(const struct popauth *p)
{
	popauth_say(
	    p, "-trace is no more: -debug shows the same on standard error");
	return POPAUTH_USAGE;
}

static bool
is(const char *arg, const char *a, const char *b)
{
	return strcmp(arg, a) == 0 || strcmp(arg, b) == 0;
}

/* A name of ours that ${path} ends in. */
static const char *
name_of(const char *path)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	const char *last = slash == NULL ? path : slash + 1;

	for (size_t i = 0; last != NULL && i < COUNT(names); i++)
		if (strcmp(names[i], last) == 0)
			return names[i];
	return names[0];
}

int
main(int argc, char **argv)
{
	static struct popauth p;
	static char change[] = "change";
	static char *nothing[] = { change, NULL };
	struct popper_error e;

	p.program = name_of(argv[0]);
	if (identify(&p, &e) == -1)
		return popauth_fail(&p, &e);
	/* A reader that went away or a limit is an error like others. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	for (char **args = argv + (argc > 0); *args != NULL; args++) {
		if (is(*args, "-f", "--file") && args[1] != NULL)
			p.file = *++args;
		else if (is(*args, "-debug", "--debug"))
			log_options = LOG_PERROR;
		else if (is(*args, "-trace", "--trace"))
			return no_trace(&p);
		else if (is(*args, "-help", "--help") || is(*args, "-h", "-?"))
			return usage(&p, stdout);
		else if (is(*args, "-version", "--version"))
			return printf("%s %s\n", p.program, POPPER_VERSION) < 0;
		else
			return choose(&p, args);
	}
	return choose(&p, nothing);
}
