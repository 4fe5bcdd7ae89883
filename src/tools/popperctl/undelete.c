/*
 * undelete.c - "popperctl undelete": bring back what POP3 clients deleted.
 *
 * Runs as:  root, or the user; the work itself as the user.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "mod/host.h"
#include "tools/popperctl/arguments.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/when.h"

static int undelete_command(const struct popperctl *, char **args);

static const struct subcommand subcommands[] = {
	{ "", "USER [--since TIME] [--wait[=TIME]]",
	    "bring back what POP3 clients deleted, if trash was set; TIME: "
	    "2d, 3h,\n      2026-11-20, \"2026-11-20 13:00\"",
	    undelete_command },
	{ NULL, NULL, NULL, NULL },
};

const struct family undelete_family = { "undelete",
	"mail that POP3 clients deleted", subcommands };

static int
undelete(void *arg, const struct mailbox *m, struct popper_error *e)
{
	const uint64_t *since = arg;
	uint64_t count = 0;

	if (m->drop->undelete(
		&host_services, m->conf, m->place, *since, &count, e) == -1)
		return -1;
	(void)printf("%" PRIu64 " message%s brought back\n", count,
	    count == 1 ? "" : "s");
	return 0;
}

static bool
since_when(const char *text, uint64_t *since)
{
	*since = 0;
	if (text == NULL || when_parse(text, time(NULL), since))
		return true;
	popperctl_say("\"%.200s\" is no time that has been; times are: 90s, "
		      "30m, 3h, 2d, 2026-11-20, \"2026-11-20 13:00\"",
	    text);
	return false;
}

static int
undelete_command(const struct popperctl *p, char **args)
{
	const char *user = NULL, *since_text = NULL, *wait = NULL;
	const struct argument_option options[] = {
		{ "--since", ARGUMENT_VALUE, "a time, as 3h", &since_text },
		MAILBOX_WAIT(&wait), { NULL, ARGUMENT_FLAG, NULL, NULL }
	};
	const struct argument_word words[] = { { "a user", false, &user },
		{ NULL, false, NULL } };
	uint64_t since;
	struct mailbox_work w = { .slot = "trash",
		.offset = MAILBOX_SLOT(undelete),
		.makes = true,
		.run = undelete,
		.arg = &since };

	if (!arguments_parse(&undelete_family, "", args, options, words) ||
	    !since_when(since_text, &since) || !mailbox_wait(&w, wait))
		return POPPERCTL_USAGE;
	return mailbox_do(p, user, &w);
}
