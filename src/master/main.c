/*
 * main.c - popper: reads the configuration, binds, starts and watches.
 *
 * Runs as: root, the only long-lived process that stays root without need of
 * anybody's credentials (or as whoever started it).  No octet of a client, no
 * TLS, no module, no mail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/hints.h"
#include "conf/print.h"
#include "master/activation.h"
#include "master/files.h"
#include "master/generation.h"
#include "master/journal.h"
#include "master/options.h"
#include "master/statements.h"
#include "master/watch.h"

static struct options options;
static struct settings settings;
static struct sockets sockets;
static struct sockets passed; /* by the service manager, or none */
static bool logged; /* to where the settings say, no more to standard error */
static int waiting_parent = -1; /* the shell waits at the other end */

/* The start has failed: whoever started us may not look into syslog. */
static void
fail(const struct popper_error *e)
{
	if (logged && !options.to_stderr)
		fprintf(stderr, "popper: %s\n", e->text);
	log_fatal("%s", e->text);
}

/* The sockets that the settings ask for, or that were passed; those of ${old}
 * are taken over. */
static int
open_sockets(const struct settings *s, struct sockets *old,
    struct sockets *fresh, struct popper_error *e)
{
	struct listen_list wanted;

	if (passed.count > 0)
		return sockets_settle(fresh, &passed, s, e);
	if (listen_wanted(s, &wanted, e) == -1)
		return -1;
	return sockets_open(fresh, old, &wanted, e);
}

/* SIGHUP: new settings for new connections; old ones end as they began. */
static void
reload(void)
{
	static struct settings s;
	static struct sockets fresh;
	struct popper_error e;

	activation_notify("RELOADING=1");
	if (options_apply(&options, &s, &e) == -1 ||
	    journal_reopen(&s, &e) == -1 ||
	    open_sockets(&s, &sockets, &fresh, &e) == -1) {
		log_error("still running with the old settings: %s", e.text);
		activation_notify("READY=1");
		return;
	}
	files_watch(&s);
	if (watch_start(&s, &fresh, false, &e) == -1) {
		log_error("still running with the old settings: %s", e.text);
		sockets_close_others(&fresh, &sockets);
		files_watch(&settings);
	} else {
		sockets_tell(&fresh, &sockets);
		sockets_tune(&fresh, &s);
		sockets_close_others(&sockets, &fresh);
		sockets = fresh;
		settings = s;
		statements_tell(POPPER_LOG_NOTICE);
		log_notice("settings read again");
		hints_tell();
	}
	activation_notify("READY=1");
}

/* Certificates have changed: new services read them.  popper.conf may be half
 * edited, nobody has asked for it. */
static void
renew(void)
{
	struct popper_error e;

	files_watch(&settings);
	activation_notify("RELOADING=1");
	if (watch_start(&settings, &sockets, false, &e) == -1)
		log_error(
		    "still running with the old certificates: %s", e.text);
	else
		log_notice("certificates read again");
	activation_notify("READY=1");
}

/* One connection ends as it began. */
static void
keep_settings(void)
{
	log_debug("SIGHUP means nothing to a single connection");
}

/* Go to the background; the first process stays until we are ready. */
static void
detach(void)
{
	int pair[2];
	char ok = 0;

	if (pipe2(pair, O_CLOEXEC) == -1)
		log_fatal("pipe: %s", strerror(errno));
	switch (fork()) {
	case -1:
		log_fatal("fork: %s", strerror(errno));
	case 0:
		break;
	default:
		fd_close(&pair[1]);
		exit(read(pair[0], &ok, 1) == 1 ? 0 : 1);
	}
	fd_close(&pair[0]);
	waiting_parent = pair[1];
	generation_silent = !options.to_stderr;
	if (setsid() == -1 || chdir("/") == -1)
		log_fatal("setsid: %s", strerror(errno));
}

static void
tell_parent(void)
{
	int null;

	if (waiting_parent == -1)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, 0) == -1 || dup2(null, 1) == -1 ||
	    (!options.to_stderr && dup2(null, 2) == -1))
		log_fatal("/dev/null: %s", strerror(errno));
	fd_close(&null);
	if (fd_write_all(waiting_parent, "", 1) == -1)
		log_warning("nobody waits for popper to be ready");
	fd_close(&waiting_parent);
}

static void
write_pid(void)
{
	char text[32];
	int fd;

	if (options.pid_file == NULL)
		return;
	fd = open(options.pid_file,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	text_print(text, sizeof(text), "%d\n", (int)getpid());
	if (fd == -1 || fd_write_all(fd, text, strlen(text)) == -1)
		log_fatal("pid file %s: %s", options.pid_file, strerror(errno));
	fd_close(&fd);
}

/* Modules: what there is, or what is used, behind the settings. */
static int
list_modules(void)
{
	static char text[3 * LISTING_MAX];
	struct popper_error e;
	size_t len;

	if (options.print)
		print_options(
		    settings_options, &settings, "", text, sizeof(text));
	len = strlen(text);
	if (watch_list(&settings, options.print, text + len, sizeof(text) - len,
		&e) == -1)
		fail(&e);
	fputs(text, stdout);
	watch_stop();
	return fflush(stdout) == 0 ? 0 : 1;
}

static int
check(void)
{
	struct listen_list l;
	struct popper_error e;

	statements_tell(POPPER_LOG_NOTICE);
	if (listen_wanted(&settings, &l, &e) == -1 ||
	    watch_check(&settings, &e) == -1)
		fail(&e);
	watch_stop();
	hints_tell();
	puts("the configuration is good");
	return 0;
}

static int
serve_one(int connection)
{
	static const struct watch_events none = { .reload = keep_settings };
	struct sockets one = { .count = 1,
		.fd = { connection },
		.tls = { sockets_port(connection) == LISTEN_PORT_TLS } };
	struct popper_error e;

	/* Not for every connection, unless somebody looks for it. */
	statements_tell(POPPER_LOG_DEBUG);
	if (sockets_settle(&sockets, &one, &settings, &e) == -1 ||
	    watch_start(&settings, &sockets, true, &e) == -1)
		fail(&e);
	sockets_tune(&sockets, &settings);
	fd_close(&connection);
	watch_run(&none);
	watch_stop();
	return 0;
}

static int
serve(void)
{
	static const struct watch_events events = { .reload = reload,
		.renew = renew };
	struct popper_error e;

	statements_tell(POPPER_LOG_NOTICE);
	activation_listeners(&passed);
	if (open_sockets(&settings, NULL, &sockets, &e) == -1)
		fail(&e);
	sockets_tune(&sockets, &settings);
	sockets_tell(&sockets, NULL);
	files_watch(&settings);
	if (watch_start(&settings, &sockets, false, &e) == -1)
		fail(&e);
	write_pid();
	hints_tell();
	log_info("ready");
	activation_notify("READY=1");
	tell_parent();
	watch_run(&events);
	activation_notify("STOPPING=1");
	log_info("stopping");
	watch_stop();
	if (options.pid_file != NULL && unlink(options.pid_file) == -1)
		log_warning("pid file: %s", strerror(errno));
	return 0;
}

/* Whoever started us with a standard descriptor closed: no socket of ours may
 * get its number and hear what is written there. */
static void
fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	while (fd != -1 && fd <= STDERR_FILENO);
	if (fd == -1)
		exit(1);
	fd_close(&fd);
}

int
main(int argc, char **argv)
{
	static struct settings shown;
	struct popper_error e;
	int connection = -1;
	bool talks;

	fill_standard();
	umask(077);
	options_parse(&options, argc, argv);
	talks = options.list || options.check || options.print;
	if (!talks)
		connection = activation_connection(options.inetd);
	if (options.inetd && connection == -1 && !talks)
		log_fatal("--inetd: standard input is no connection");
	if (options_apply(&options, &settings, &e) == -1)
		fail(&e);
	if (options.daemon && connection == -1 && !talks)
		detach();
	options.to_stderr = options.to_stderr || talks;
	if (journal_start(&settings, options.to_stderr, &e) == -1)
		fail(&e);
	/* Who asks wants to see the answer. */
	shown = settings;
	shown.trace_file = "";
	if (talks && journal_reopen(&shown, &e) == -1)
		fail(&e);
	logged = true;
	if (watch_init(&e) == -1)
		fail(&e);
	if (options.list || options.print)
		return list_modules();
	if (options.check)
		return check();
	return connection != -1 ? serve_one(connection) : serve();
}
