/*
 * options.c - the command line of popper(8).
 *
 * Runs in: the master, at start.  All of the first popper's options are here,
 * with their meaning.
 */
#include "master/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "conf/hints.h"
#include "master/statements.h"

enum {
	OPTION_MODULES = 256,
	CHECK,
	INETD,
	DAEMON,
	PID_FILE,
	LOG_TO,
	NO_SANDBOX,
	FOREGROUND,
	PRINT
};

static const struct option long_options[] = {
	{ "allow-low-uids", no_argument, NULL, 'a' },
	{ "bulletins", required_argument, NULL, 'b' },
	{ "bulldb-nonfatal", no_argument, NULL, 'B' },
	{ "downcase-user", no_argument, NULL, 'c' },
	{ "debug", no_argument, NULL, 'd' },
	{ "trim-domain", no_argument, NULL, 'C' },
	{ "drac-host", required_argument, NULL, 'D' },
	{ "announce", required_argument, NULL, 'e' },
	{ "fast-update", no_argument, NULL, 'F' },
	{ "kerberos", no_argument, NULL, 'k' },
	{ "kerberos-service", required_argument, NULL, 'K' },
	{ "mail-lock-check", required_argument, NULL, 'L' },
	{ "tls-support", required_argument, NULL, 'l' },
	{ "clear-text-password", required_argument, NULL, 'p' },
	{ "config", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "no-reverse-lookup", no_argument, NULL, 'R' },
	{ "statistics", no_argument, NULL, 's' },
	{ "server-mode", no_argument, NULL, 'S' },
	{ "trace-file", required_argument, NULL, 't' },
	{ "timeout", required_argument, NULL, 'T' },
	{ "user-options", no_argument, NULL, 'u' },
	{ "spool-options", no_argument, NULL, 'U' },
	{ "version", no_argument, NULL, 'v' },
	{ "log-facility", required_argument, NULL, 'y' },
	{ "set", required_argument, NULL, 'o' },
	{ "modules", no_argument, NULL, OPTION_MODULES },
	{ "check", no_argument, NULL, CHECK },
	{ "print", no_argument, NULL, PRINT },
	{ "inetd", no_argument, NULL, INETD },
	{ "daemon", no_argument, NULL, DAEMON },
	{ "foreground", no_argument, NULL, FOREGROUND },
	{ "pid-file", required_argument, NULL, PID_FILE },
	{ "log-to", required_argument, NULL, LOG_TO },
	{ "no-sandbox", no_argument, NULL, NO_SANDBOX },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
    "usage: popper [options] [[address][:port] ...]\n"
    "  -f, --config FILE       read FILE instead of " CONF_FOLDER
    "/popper.conf;\n"
    "                          it may be Qpopper's, popper-qpopper(5)\n"
    "  -o, --set NAME=VALUE    set an option of popper.conf\n"
    "  -T, --timeout SECONDS   without a command\n"
    "  -s, --statistics        log a Stats line per session\n"
    "  -d, --debug             log debugging messages\n"
    "  -t, --trace-file FILE   log to FILE, with debugging messages\n"
    "  -y, --log-facility F    of syslog: mail, daemon, local0 ... local7\n"
    "  -c, --downcase-user     lower-case user names\n"
    "  -C, --trim-domain       cut user names at @\n"
    "  -l, --tls-support N     0 none, 1 stls, 2 alternate-port\n"
    "  -p, --clear-text-password N\n"
    "                          0 default, 1 never, 2 always, 3 local, 4 tls\n"
    "  -e, --announce login_delay=SECONDS,expire=DAYS\n"
    "  -a, --allow-low-uids    let users below min-uid log in (never root)\n"
    "  -R, --no-reverse-lookup do not ask for the names of clients\n"
    "  -b, --bulletins FOLDER  add the bulletins that lie in FOLDER\n"
    "  -B, --bulldb-nonfatal   go on without bulletins if the database fails\n"
    "  -F, --fast-update       a hint, see popper.conf(5)\n"
    "  -S, --server-mode       a hint, see popper.conf(5)\n"
    "  -u, --user-options      read ~/.qpopper-options\n"
    "  -U, --spool-options     read .USER.qpopper-options beside the mail\n"
    "  -D, -K, -L ARGUMENT, -M, -x, -Z\n"
    "                          accepted, do nothing\n"
    "      --inetd             standard input is the connection\n"
    "      --daemon            go to the background\n"
    "      --pid-file FILE     write the process id to FILE\n"
    "      --log-to WHERE      syslog (usual) or stderr\n"
    "      --no-sandbox        for debugging only\n"
    "      --check             test the configuration\n"
    "      --print             show all settings\n"
    "      --modules           list modules and their options\n"
    "  -v, --version           show the version\n"
    "  -h, --help              show this\n";

#define SET_MAX 64

/* What the command line says, in its order: -f, an option of popper.conf, or
 * one of Qpopper's. */
static struct assigned {
	const char *flag; /* of Qpopper's option, or NULL */
	const char *name; /* NULL: ${value} is a file to read */
	const char *value;
} sets[SET_MAX];
static size_t set_count;
static char listeners[4096];

static void wrong(const char *what) __attribute__((noreturn));

static void
wrong(const char *what)
{
	fprintf(stderr, "popper: %s\n%s", what, usage);
	exit(1);
}

static void
set(const char *name, const char *value)
{
	if (set_count == SET_MAX)
		wrong("too many options");
	sets[set_count++] = (struct assigned){ .name = name, .value = value };
}

static void
say(const char *flag, const char *name, const char *value)
{
	set(name, value);
	sets[set_count - 1].flag = flag;
}

/* "name=value" of -o. */
static void
set_pair(const char *argument)
{
	char *text = strdup(argument), *equals = NULL;

	/* A copy: ps(1) shows the original. */
	if (text == NULL || (equals = strchr(text, '=')) == NULL)
		wrong("-o takes NAME=VALUE");
	*equals = '\0';
	set(text, equals + 1);
}

/* An option whose words have numbers on the command line. */
struct numbered {
	const char *name;
	const char *words[6]; /* ended by NULL */
};

static const struct numbered tls_support = { "tls-support",
	{ "none", "stls", "alternate-port", NULL } };
static const struct numbered clear_text_password = { "clear-text-password",
	{ "default", "never", "always", "local", "tls", NULL } };

static void
set_word(const char *argument, const struct numbered *n)
{
	char text[256];
	size_t len;

	for (size_t i = 0; n->words[i] != NULL; i++)
		if ((argument[0] == (char)('0' + i) && argument[1] == '\0') ||
		    strcmp(argument, n->words[i]) == 0) {
			set(n->name, n->words[i]);
			return;
		}
	text_print(
	    text, sizeof(text), "--%s \"%.40s\": must be", n->name, argument);
	for (size_t i = 0; n->words[i] != NULL; i++) {
		len = strlen(text);
		text_print(text + len, sizeof(text) - len, "%s %zu (%s)",
		    i == 0 ? "" : ",", i, n->words[i]);
	}
	wrong(text);
}

/* One of "login_delay=5,expire=30", to be announced as it is; without a value
 * there is no delay, and no end of mail. */
static void
set_announcement(const char *item)
{
	const char *value = strchr(item, '=');
	size_t len = value == NULL ? strlen(item) : (size_t)(value - item);
	char text[128];

	if (len == 11 && memcmp(item, "login_delay", len) == 0)
		set("announce-login-delay", value == NULL ? "" : value + 1);
	else if (len == 6 && memcmp(item, "expire", len) == 0)
		set("expire", value == NULL ? "never" : value + 1);
	else {
		text_print(text, sizeof(text),
		    "-e \"%.60s\": must be login_delay=SECONDS or "
		    "expire=DAYS",
		    item);
		wrong(text);
	}
}

static void
set_announcements(const char *argument)
{
	char *text = strdup(argument), *item, *rest = text;

	if (text == NULL)
		wrong("out of memory");
	while ((item = strsep(&rest, ",")) != NULL)
		set_announcement(item);
}

/* A path as it is from here: a daemon goes elsewhere, and a reload asks again.
 */
static const char *
absolute(const char *path)
{
	char here[PATH_MAX];
	char *whole = NULL;

	if (path[0] == '/')
		return path;
	if (getcwd(here, sizeof(here)) == NULL ||
	    asprintf(&whole, "%s/%s", here, path) == -1)
		wrong("the working directory is not to be had");
	return whole;
}

/* What sets an option of popper.conf.  False if it does not. */
static bool
take_setting(int c, char *argument)
{
	switch (c) {
	case 'a':
		set("min-uid", "1");
		return true;
	case 'c':
		set("downcase-user", "yes");
		return true;
	case 'd':
		set("debug", "yes");
		return true;
	case 'o':
		set_pair(argument);
		return true;
	case 'R':
		set("reverse-lookup", "no");
		return true;
	case 's':
		set("statistics", "yes");
		return true;
	case 't':
		set("trace-file", absolute(argument));
		set("debug", "yes");
		return true;
	case 'T':
		set("timeout", argument);
		return true;
	case 'C':
		set("trim-domain", "yes");
		return true;
	case 'e':
		set_announcements(argument);
		return true;
	case 'l':
		set_word(argument, &tls_support);
		return true;
	case 'p':
		set_word(argument, &clear_text_password);
		return true;
	case 'y':
		set("log-facility", argument);
		return true;
	case NO_SANDBOX:
		set("sandbox", "no");
		return true;
	default:
		return false;
	}
}

/* What means an option of Qpopper's file.  False if it does not. */
static bool
take_statement(int c, const char *argument)
{
	static const struct {
		int letter;
		const char *flag, *name;
	} flags[] = {
		{ 'b', "-b", "bulldir" },
		{ 'B', "-B", "bulldb-nonfatal" },
		{ 'D', "-D", "drac-host" },
		{ 'F', "-F", "fast-update" },
		{ 'k', "-k", "kerberos" },
		{ 'K', "-K", "kerberos-service" },
		{ 'L', "-L", "mail-lock-check" },
		{ 'S', "-S", "server-mode" },
		{ 'u', "-u", "user-options" },
		{ 'U', "-U", "spool-options" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (flags[i].letter == c) {
			say(flags[i].flag, flags[i].name, argument);
			return true;
		}
	return false;
}

static void
take(struct options *o, int c, char *argument)
{
	if (take_setting(c, argument) || take_statement(c, argument))
		return;
	switch (c) {
	case 'f':
		set(NULL, absolute(argument));
		o->config_given = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	case 'v':
	case 'V':
		puts(settings_implementation);
		exit(0);
	case 'M':
	case 'x':
	case 'Z':
		o->idle_flag = (char)c;
		break;
	case FOREGROUND:
		break;
	case PRINT:
		o->print = true;
		break;
	case OPTION_MODULES:
		o->list = true;
		break;
	case CHECK:
		o->check = true;
		break;
	case INETD:
		o->inetd = true;
		break;
	case DAEMON:
		o->daemon = true;
		break;
	case PID_FILE:
		o->pid_file = absolute(argument);
		break;
	case LOG_TO:
		o->to_stderr = strcmp(argument, "stderr") == 0;
		if (!o->to_stderr && strcmp(argument, "syslog") != 0)
			wrong("--log-to takes syslog or stderr");
		break;
	default:
		fputs(usage, stderr);
		exit(1);
	}
}

void
options_parse(struct options *o, int argc, char **argv)
{
	size_t len = 0;
	int c;

	*o = (struct options){ .config = CONF_FOLDER "/popper.conf" };
	while ((c = getopt_long(argc, argv,
		    "ab:BcCdD:e:f:FhkK:l:L:Mo:p:RsSt:T:uUvVxy:Z", long_options,
		    NULL)) != -1)
		take(o, c, optarg);
	for (; optind < argc; optind++) {
		if (!text_print(listeners + len, sizeof(listeners) - len,
			"%s%s", len > 0 ? " " : "", argv[optind]))
			wrong("too many addresses");
		len += strlen(listeners + len);
	}
	if (len > 0)
		set("listen", listeners);
}

static int
apply(const struct assigned *a, struct popper_error *e)
{
	if (a->name == NULL)
		return statements_file(a->value, e);
	if (a->flag != NULL)
		return statements_say(a->flag, a->name, a->value, e);
	return statements_set(a->name, a->value, e);
}

int
options_apply(
    const struct options *o, struct settings *s, struct popper_error *e)
{
	hints_forget();
	if (statements_begin(s, e) == -1)
		return -1;
	if (!o->config_given && statements_file(o->config, e) == -1 &&
	    e->status != POPPER_ABSENT)
		return -1;
	if (o->idle_flag == 'M')
		statements_note("-M does nothing, and never did");
	else if (o->idle_flag != '\0')
		statements_note("-%c does nothing here", o->idle_flag);
	for (size_t i = 0; i < set_count; i++)
		if (apply(&sets[i], e) == -1)
			return -1;
	return statements_end(e);
}
