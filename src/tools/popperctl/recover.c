/*
 * recover.c - "popperctl recover": finish or undo what a crash left half done.
 *
 * Runs as:  root, or the user; the work itself as the user.  The next login
 * would do the same; this is for those who do not want to wait for it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "mod/host.h"
#include "session/state.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/output.h"

#define NOTHING "nothing to do"

static int recover_command(const struct popperctl *, char **args, int count);

static const struct subcommand subcommands[] = {
	{ "", "USER | --all",
	    "finish or undo what a crash left half done, as the next login "
	    "does",
	    1, 1, recover_command },
	{ NULL, NULL, NULL, 0, 0, NULL },
};

const struct family recover_family = { "recover",
	"after a crash or power failure", subcommands };

/* One way to do it; what was found goes to the sink as lines. */
typedef int way(
    const struct mailbox *, struct popper_sink *, struct popper_error *);

static int
by_slot(
    const struct mailbox *m, struct popper_sink *sink, struct popper_error *e)
{
	return m->drop->recover(&host_services, m->conf, m->place, sink, e);
}

/* --- A module that has no function for it does it when it opens. --- */

static struct popper_sink *told; /* gets what it logs then */
static bool found;

static void POPPER_PRINTF(2, 3)
    tell(enum popper_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX + 2] = "";
	va_list ap;

	if (level < POPPER_LOG_NOTICE)
		return;
	va_start(ap, format);
	(void)vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	found = true;
	(void)told->put(told, popper_slice_text(strcat(line, "\n")));
}

static int
by_opening(
    const struct mailbox *m, struct popper_sink *sink, struct popper_error *e)
{
	static struct popper_host host;
	void *self;

	host = host_services;
	host.log = tell;
	told = sink;
	if (m->drop->open(&host, m->conf, m->place, &self, e) == -1)
		return -1;
	m->drop->close(self);
	if (!found)
		(void)sink->put(sink, popper_slice_text(NOTHING "\n"));
	return 0;
}

/* --- What is shown, and logged if anything was found. --- */

/* Hand each line that was found to ${use}; ${k} is used up. */
static void
each_line(struct keeper *k, const struct mailbox *m,
    void (*use)(const char *name, const char *line))
{
	const char *name = mailbox_shown(m->place->identity);
	char *rest = k->text, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '\0')
			continue;
		use(name, line);
		if (strcmp(line, NOTHING) != 0)
			log_notice("popperctl recover: %s: %s", name, line);
	}
	keeper_end(k);
}

static void
show_text(const char *line)
{
	struct output o;

	output_to(&o, stdout);
	(void)o.sink.put(&o.sink, popper_slice_text(line));
}

static void
use_line(const char *name, const char *line)
{
	(void)name;
	show_text(line);
	(void)putchar('\n');
}

/* "USER: what was found; and what else", if anything was. */
static bool begun; /* that line; in a child of its own for each user */

static void
use_in_one(const char *name, const char *line)
{
	if (strcmp(line, NOTHING) == 0)
		return;
	(void)printf("%s%s", begun ? "; " : name, begun ? "" : ": ");
	begun = true;
	show_text(line);
}

static int
show(way *recover, const struct mailbox *m, struct popper_error *e)
{
	struct keeper k;
	int result;

	keeper_start(&k);
	result = recover(m, &k.sink, e);
	each_line(&k, m, use_line);
	return result;
}

static int
show_line(way *recover, const struct mailbox *m, struct popper_error *e)
{
	struct keeper k;
	int result;

	keeper_start(&k);
	result = recover(m, &k.sink, e);
	each_line(&k, m, use_in_one);
	if (begun)
		(void)putchar('\n');
	begun = false;
	return result;
}

static int
recover_one(void *arg, const struct mailbox *m, struct popper_error *e)
{
	(void)arg;
	return show(by_slot, m, e);
}

static int
open_one(void *arg, const struct mailbox *m, struct popper_error *e)
{
	(void)arg;
	return show(by_opening, m, e);
}

static int
recover_each(void *arg, const struct mailbox *m, struct popper_error *e)
{
	(void)arg;
	return show_line(by_slot, m, e);
}

static int
open_each(void *arg, const struct mailbox *m, struct popper_error *e)
{
	(void)arg;
	return show_line(by_opening, m, e);
}

static const struct mailbox_work one = { .slot = "recovery",
	.offset = MAILBOX_SLOT(recover),
	.makes = true,
	.journal = true,
	.run = recover_one,
	.instead = open_one };

static const struct mailbox_work each = { .slot = "recovery",
	.offset = MAILBOX_SLOT(recover),
	.each = true,
	.run = recover_each,
	.instead = open_each };

static int
recover_state(const char *name)
{
	static struct popper_identity i, whose;
	struct popper_error e;
	char shown[1024];

	error_clear(&e);
	text_escape(shown, sizeof(shown), popper_slice_text(name));
	if (!state_whose(name, &whose)) {
		popperctl_say("%s is no state folder", shown);
		return POPPERCTL_DONE;
	}
	if (mailbox_find_again(whose.user, whose.folder, &i, &e) == 0)
		return mailbox_run(&i, &each);
	popperctl_say("state folder %s: %s", shown, e.text);
	return e.status == POPPER_ABSENT ? POPPERCTL_DONE : POPPERCTL_FAILED;
}

static int
is_entry(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_name[0] != '\0';
}

static int
recover_all(const struct popperctl *p)
{
	int fd, n, status = POPPERCTL_DONE;
	struct popper_error e;
	struct dirent **d;

	error_clear(&e);
	if (mailbox_start(p, &e) == -1)
		return popperctl_fail(&e);
	mailbox_journal();
	if ((fd = mailbox_states()) == -1)
		return POPPERCTL_FAILED;
	if ((n = scandirat(fd, ".", &d, is_entry, alphasort)) == -1) {
		popperctl_say("state-folder: %s", strerror(errno));
		n = 0;
		d = NULL;
		status = POPPERCTL_FAILED;
	}
	fd_close(&fd);
	for (int i = 0; i < n; i++) {
		if (recover_state(d[i]->d_name) != POPPERCTL_DONE)
			status = POPPERCTL_FAILED;
		free(d[i]);
	}
	free(d);
	return status;
}

static int
recover_command(const struct popperctl *p, char **args, int count)
{
	(void)count;
	if (strcmp(args[0], "--all") == 0)
		return recover_all(p);
	if (args[0][0] == '-') {
		popperctl_say("\"%s\" is no option; there is: --all", args[0]);
		return POPPERCTL_USAGE;
	}
	return mailbox_do(p, args[0], &one);
}
