/*
 * undelete.c - "popperctl undelete": bring back what POP3 clients deleted.
 *
 * Runs as:  root, or the user; the work itself as the user.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mod/host.h"
#include "tools/popperctl/mailbox.h"
#include "tools/popperctl/when.h"

static int undelete_command(const struct popperctl *, char **args, int count);

static const struct subcommand subcommands[] = {
	{ "", "USER [--since TIME]",
	    "bring back what POP3 clients deleted, if trash was set; TIME: "
	    "2d, 3h,\n      2026-11-20, \"2026-11-20 13:00\"",
	    1, 3, undelete_command },
	{ NULL, NULL, NULL, 0, 0, NULL },
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

/* ${word} does not belong here.  Returns -1. */
static int
misused(const char *word)
{
	char shown[256];

	text_escape(shown, sizeof(shown), popper_slice_text(word));
	if (strcmp(word, "--since") == 0)
		popperctl_say("--since needs a time, as 3h");
	else if (word[0] == '-')
		popperctl_say("\"%s\" is no option; there is: --since", shown);
	else
		popperctl_say("\"%s\" is one user too many", shown);
	(void)popperctl_misused(&undelete_family, "");
	return -1;
}

static int
parse(char **args, int count, const char **user, uint64_t *since)
{
	char shown[256];

	*user = NULL;
	*since = 0;
	for (int i = 0; i < count; i++) {
		if (strcmp(args[i], "--since") == 0 && i + 1 < count) {
			if (when_parse(args[++i], time(NULL), since))
				continue;
			text_escape(
			    shown, sizeof(shown), popper_slice_text(args[i]));
			popperctl_say("\"%s\" is no time that has been; times "
				      "are: 90s, 30m, 3h, 2d, 2026-11-20, "
				      "\"2026-11-20 13:00\"",
			    shown);
			return -1;
		}
		if (args[i][0] == '-' || *user != NULL)
			return misused(args[i]);
		*user = args[i];
	}
	if (*user == NULL)
		(void)popperctl_misused(&undelete_family, "");
	return *user == NULL ? -1 : 0;
}

static int
undelete_command(const struct popperctl *p, char **args, int count)
{
	uint64_t since;
	const struct mailbox_work w = { .slot = "trash",
		.offset = MAILBOX_SLOT(undelete),
		.makes = true,
		.run = undelete,
		.arg = &since };
	const char *user;

	if (parse(args, count, &user, &since) == -1)
		return POPPERCTL_USAGE;
	return mailbox_do(p, user, &w);
}
