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
#include "tools/popperctl/arguments.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/output.h"
#include "tools/popperctl/people.h"
#include "tools/popperctl/when.h"

#define NOTHING "nothing to do"

#define USUAL_LIMIT 300 /* seconds for a user, with --all */
#define NAMES_TOLD 10
#define NAMES_ROOM 1024

static int recover_command(const struct popperctl *, char **args);

static const struct subcommand subcommands[] = {
	{ "", "USER [--wait[=TIME]] [--limit TIME] | --all [--limit TIME]",
	    "finish or undo what a crash left half done, as the next login "
	    "does;\n      --limit: how long it may last for a user, with "
	    "--all 5m",
	    recover_command },
	{ NULL, NULL, NULL, NULL },
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
	.limit = USUAL_LIMIT,
	.run = recover_each,
	.instead = open_each };

/* --- All of them, and what is told at the end. --- */

/* Names of those with whom something was wrong. */
struct names {
	size_t count;
	char text[NAMES_ROOM];
};

struct summary {
	size_t count;
	struct names failed, late;
};

static void
note(struct names *n, const char *name)
{
	size_t len = strlen(n->text);

	n->count++;
	if (n->count <= NAMES_TOLD &&
	    !text_print(n->text + len, sizeof(n->text) - len, "%s%s",
		len == 0 ? "" : ", ", name))
		n->text[len] = '\0';
	if (n->count == NAMES_TOLD + 1)
		(void)text_print(n->text + len, sizeof(n->text) - len, ", ...");
}

static void
count_in(struct summary *s, const char *name, int status)
{
	s->count++;
	if (status == MAILBOX_LATE)
		note(&s->late, name);
	else if (status != POPPERCTL_DONE)
		note(&s->failed, name);
}

/* Nothing, if nothing was wrong.  An exit status. */
static int
conclude(const struct summary *s, uint64_t limit)
{
	char failed[NAMES_ROOM + 64] = "", late[NAMES_ROOM + 64] = "";

	if (s->failed.count > 0)
		(void)text_print(failed, sizeof(failed), "; %zu failed: %s",
		    s->failed.count, s->failed.text);
	if (s->late.count > 0)
		(void)text_print(late, sizeof(late),
		    "; %zu not done within %llus: %s", s->late.count,
		    (unsigned long long)limit, s->late.text);
	if (failed[0] == '\0' && late[0] == '\0')
		return POPPERCTL_DONE;
	popperctl_say("%zu state folders%s%s", s->count, failed, late);
	return POPPERCTL_FAILED;
}

static int
recover_state(const char *name, const struct mailbox_work *w)
{
	static struct popper_identity i, whose;
	struct popper_error e;

	error_clear(&e);
	if (!state_whose(name, &whose)) {
		popperctl_say("%s is no state folder", name);
		return POPPERCTL_DONE;
	}
	if (mailbox_find_again(whose.user, whose.folder, &i, &e) == 0)
		return mailbox_run(&i, w);
	popperctl_say("state folder %s: %s", name, e.text);
	return e.status == POPPER_ABSENT ? POPPERCTL_DONE : POPPERCTL_FAILED;
}

static int
recover_all(const struct popperctl *p, const struct mailbox_work *w)
{
	struct summary s = { .count = 0 };
	struct popper_error e;
	struct dirent **d;
	int n;

	error_clear(&e);
	if (mailbox_start(p, &e) == -1)
		return popperctl_fail(&e);
	people_patience(w->limit);
	mailbox_journal();
	if ((n = mailbox_states(&d)) == -1) {
		popperctl_say(
		    "the state folders cannot be listed: %s", strerror(errno));
		return POPPERCTL_FAILED;
	}
	for (int i = 0; i < n; i++) {
		if (!people_gone())
			count_in(
			    &s, d[i]->d_name, recover_state(d[i]->d_name, w));
		else
			note(&s.failed, d[i]->d_name);
		free(d[i]);
	}
	free(d);
	return conclude(&s, w->limit);
}

/* --- How it is called. --- */

struct given {
	const char *user, *all, *wait, *limit;
};

static int
misused(const char *why)
{
	popperctl_say("%s", why);
	return popperctl_misused(&recover_family, "");
}

static int
run(const struct popperctl *p, const struct given *g)
{
	struct mailbox_work w = g->all != NULL ? each : one;

	if (g->limit != NULL &&
	    (!when_span(g->limit, &w.limit) || w.limit == 0)) {
		popperctl_say("\"%.200s\" is no limit; limits are: 90, 90s, "
			      "5m, 2h",
		    g->limit);
		return POPPERCTL_USAGE;
	}
	if (!mailbox_wait(&w, g->wait))
		return POPPERCTL_USAGE;
	return g->all != NULL ? recover_all(p, &w) : mailbox_do(p, g->user, &w);
}

static int
recover_command(const struct popperctl *p, char **args)
{
	struct given g = { .user = NULL };
	const struct argument_option options[] = { { "--all", ARGUMENT_FLAG,
						       NULL, &g.all },
		{ "--limit", ARGUMENT_VALUE, "a time, as 5m", &g.limit },
		MAILBOX_WAIT(&g.wait), { NULL, ARGUMENT_FLAG, NULL, NULL } };
	const struct argument_word words[] = { { "a user", true, &g.user },
		{ NULL, false, NULL } };

	if (!arguments_parse(&recover_family, "", args, options, words))
		return POPPERCTL_USAGE;
	if (g.all == NULL && g.user == NULL)
		return misused("recover needs a user, or --all");
	if (g.all != NULL && g.user != NULL)
		return misused("recover takes a user or --all, not both");
	if (g.all != NULL && g.wait != NULL)
		return misused("--wait is about one user: --all passes over "
			       "who is logged in, since his login has "
			       "recovered all");
	return run(p, &g);
}
