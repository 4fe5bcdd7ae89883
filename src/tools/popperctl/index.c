/*
 * index.c - "popperctl index": what a drop module keeps beside the mail.
 *
 * Runs as:  root, or the user; the work itself as the user.
 */
#include <stdio.h>

#include "mod/host.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/output.h"

static int index_dump(const struct popperctl *, char **args, int count);
static int index_check(const struct popperctl *, char **args, int count);
static int index_rebuild(const struct popperctl *, char **args, int count);

static const struct subcommand subcommands[] = {
	{ "dump", "USER", "show it as text", 1, 1, index_dump },
	{ "check", "USER", "compare it with the mail, change nothing", 1, 1,
	    index_check },
	{ "rebuild", "USER", "make it anew from the mail; unique-ids stay", 1,
	    1, index_rebuild },
	{ NULL, NULL, NULL, 0, 0, NULL },
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

static int
index_dump(const struct popperctl *p, char **args, int count)
{
	const struct mailbox_work w = {
		.slot = "index", .offset = MAILBOX_SLOT(dump), .run = dump
	};

	(void)count;
	return mailbox_do(p, args[0], &w);
}

static int
index_check(const struct popperctl *p, char **args, int count)
{
	const struct mailbox_work w = { .slot = "check of its index",
		.offset = MAILBOX_SLOT(check),
		.run = check };

	(void)count;
	return mailbox_do(p, args[0], &w);
}

static int
index_rebuild(const struct popperctl *p, char **args, int count)
{
	const struct mailbox_work w = { .slot = "index",
		.offset = MAILBOX_SLOT(rebuild),
		.makes = true,
		.run = rebuild };

	(void)count;
	return mailbox_do(p, args[0], &w);
}
