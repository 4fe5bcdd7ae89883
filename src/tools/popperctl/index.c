/*
 * index.c - "popperctl index": what a drop module keeps beside the mail.
 *
 * Runs as:  root, or the user; the work itself as the user.
 */
#include <stdio.h>

#include "mod/host.h"
#include "tools/popperctl/arguments.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/output.h"

static int index_dump(const struct popperctl *, char **args);
static int index_check(const struct popperctl *, char **args);
static int index_rebuild(const struct popperctl *, char **args);

static const struct subcommand subcommands[] = {
	{ "dump", "USER [--wait[=TIME]]", "show it as text", index_dump },
	{ "check", "USER [--wait[=TIME]]",
	    "compare it with the mail, change nothing", index_check },
	{ "rebuild", "USER [--wait[=TIME]]",
	    "make it anew from the mail; unique-ids stay", index_rebuild },
	{ NULL, NULL, NULL, NULL },
};

const struct family index_family = { "index",
	"what is kept of a user's maildrop, so that it need not be read",
	subcommands };

static int
dump(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct output o;

	(void)arg;
	output_to(&o, stdout);
	return m->drop->dump(&host_services, m->conf, m->place, &o.sink, e);
}

/* Each line is something wrong. */
static int
check(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct output o;

	(void)arg;
	output_to(&o, stderr);
	if (m->drop->check(&host_services, m->conf, m->place, &o.sink, e) == -1)
		return -1;
	return o.lines > 0;
}

static int
rebuild(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct output o;

	(void)arg;
	output_to(&o, stdout);
	return m->drop->rebuild(&host_services, m->conf, m->place, &o.sink, e);
}

/* One user, and nothing else. */
static int
do_for(const struct popperctl *p, const char *name, char **args,
    struct mailbox_work *w)
{
	const char *user = NULL, *wait = NULL;
	const struct argument_option options[] = { MAILBOX_WAIT(&wait),
		{ NULL, ARGUMENT_FLAG, NULL, NULL } };
	const struct argument_word words[] = { { "a user", false, &user },
		{ NULL, false, NULL } };

	if (!arguments_parse(&index_family, name, args, options, words) ||
	    !mailbox_wait(w, wait))
		return POPPERCTL_USAGE;
	return mailbox_do(p, user, w);
}

static int
index_dump(const struct popperctl *p, char **args)
{
	struct mailbox_work w = {
		.slot = "index", .offset = MAILBOX_SLOT(dump), .run = dump
	};

	return do_for(p, "dump", args, &w);
}

static int
index_check(const struct popperctl *p, char **args)
{
	struct mailbox_work w = { .slot = "check of its index",
		.offset = MAILBOX_SLOT(check),
		.run = check };

	return do_for(p, "check", args, &w);
}

static int
index_rebuild(const struct popperctl *p, char **args)
{
	struct mailbox_work w = { .slot = "index",
		.offset = MAILBOX_SLOT(rebuild),
		.makes = true,
		.run = rebuild };

	return do_for(p, "rebuild", args, &w);
}
