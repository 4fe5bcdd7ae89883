/*
 * recover.c - "popperctl recover": finish or undo what a crash left half done.
 *
 * Runs as:  root, or the user; the work itself as the user.  The next login
 * would do the same; this is for those who do not want to wait for it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
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

static int
recover(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct output o;

	(void)arg;
	output_to(&o, stdout);
	return m->drop->recover(&host_services, m->conf, m->place, &o.sink, e);
}

/* "USER: what was found; and what else", if anything was. */
static int
recover_line(void *arg, const struct mailbox *m, struct popper_error *e)
{
	struct output o;
	struct keeper k;
	char *rest, *line;
	const char *between = "";
	int result;

	(void)arg;
	keeper_start(&k);
	output_to(&o, stdout);
	result =
	    m->drop->recover(&host_services, m->conf, m->place, &k.sink, e);
	for (rest = k.text; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '\0' || strcmp(line, NOTHING) == 0)
			continue;
		if (between[0] == '\0')
			(void)printf("%s: ", mailbox_shown(m->place->identity));
		(void)fputs(between, stdout);
		(void)o.sink.put(&o.sink, popper_slice_text(line));
		between = "; ";
	}
	if (between[0] != '\0')
		(void)putchar('\n');
	keeper_end(&k);
	return result;
}

static const struct mailbox_work one = { .slot = "recovery",
	.offset = MAILBOX_SLOT(recover),
	.makes = true,
	.run = recover };

static const struct mailbox_work each = { .slot = "recovery",
	.offset = MAILBOX_SLOT(recover),
	.each = true,
	.run = recover_line };

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
