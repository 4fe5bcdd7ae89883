/*
 * mailbox.c - work on the maildrop of one user.
 *
 * Runs as:  root, or the user himself.  The work is done in a child that has
 * become the user and is shut off from all else, as a session is.
 */
#include "tools/popperctl/mailbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "auth/name.h"
#include "auth/verdict.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/nearest.h"
#include "master/journal.h"
#include "master/statements.h"
#include "mod/loader.h"
#include "priv/sandbox.h"
#include "session/maildrop.h"
#include "tools/popperctl/people.h"
#include "tools/popperctl/watch.h"
#include "tools/popperctl/when.h"

#define USUAL_WAIT 600 /* seconds: the least that a session stays idle */

struct mailbox_server mailbox_server = { .states = -1 };

/* --- The server's configuration. --- */

/* What drivers log on the way; what they found they tell anyhow. */
static void
log_line(enum popper_level level, pid_t pid, const char *text)
{
	if (mailbox_server.journaled)
		journal_write(level, pid, text);
	if (level >= POPPER_LOG_WARNING)
		popperctl_say("%s", text);
}

static int
read_conf(const struct popperctl *p, struct popper_error *e)
{
	if (statements_begin(&mailbox_server.settings, e) == -1)
		return -1;
	if (statements_file(p->conf, e) == -1 &&
	    (p->given || e->status != POPPER_ABSENT))
		return -1;
	return statements_end(e);
}

/* The state folders' folder: as the server wants it, but root's is good for
 * everybody. */
static int
open_states(struct popper_error *e)
{
	const char *path = mailbox_server.settings.state_folder;
	struct stat st;

	mailbox_server.states = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mailbox_server.states == -1 ||
	    fstat(mailbox_server.states, &st) == -1)
		return error_system(
		    e, POPPER_PERMANENT, "%s (state-folder)", path);
	if ((st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "%s (state-folder) belongs to uid %u with mode %04o: it must "
	    "belong to root, or to who calls popperctl, and be written by "
	    "nobody else",
	    path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
}

/* Looked up here, since that may need more than the work is allowed. */
static void
find_mail_group(void)
{
	const struct group *g = NULL;

	if (geteuid() == 0 && mailbox_server.settings.mail_group[0] != '\0')
		g = getgrnam(mailbox_server.settings.mail_group);
	mailbox_server.has_mail_group = g != NULL;
	mailbox_server.mail_group = g != NULL ? g->gr_gid : 0;
}

int
mailbox_start(const struct popperctl *p, struct popper_error *e)
{
	struct modules_source source;

	log_to(log_line);
	if (read_conf(p, e) == -1 || open_states(e) == -1 ||
	    loader_start(mailbox_server.settings.module_folder, e) == -1 ||
	    people_start(&mailbox_server.settings, e) == -1)
		return -1;
	find_mail_group();
	source = (struct modules_source){ mailbox_server.settings.modules,
		mailbox_server.settings.overlay };
	if (modules_read(
		&source, "drop", loader_load, &mailbox_server.drops, e) == -1 ||
	    maildrop_configured(&mailbox_server.drops, e) == -1)
		return -1;
	if (mailbox_server.drops.count > 0)
		return 0;
	return error_set(e, POPPER_PERMANENT,
	    "%s names no drop module: there is no mail",
	    mailbox_server.settings.modules);
}

void
mailbox_journal(void)
{
	struct popper_error e;

	error_clear(&e);
	tzset(); /* who works as the user cannot open the zone's file */
	mailbox_server.journaled =
	    journal_start(&mailbox_server.settings, false, &e) == 0;
	log_to(log_line);
	if (!mailbox_server.journaled)
		popperctl_say("%s: the log does not hear of this", e.text);
}

static int
is_entry(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_name[0] != '\0';
}

int
mailbox_states(struct dirent ***names)
{
	return scandirat(
	    mailbox_server.states, ".", names, is_entry, alphasort);
}

/* --- Who it is. --- */

int
mailbox_find_again(const char *user, const char *folder,
    struct popper_identity *i, struct popper_error *e)
{
	if (people_find(user, i, e) == -1)
		return -1;
	(void)text_copy(i->folder, sizeof(i->folder), folder);
	return verdict_check(&mailbox_server.settings, i, e);
}

int
mailbox_find(
    const char *given, struct popper_identity *i, struct popper_error *e)
{
	struct name name;

	if (name_make(&mailbox_server.settings, given, &name, e) == -1)
		return -1;
	return mailbox_find_again(name.user, name.folder, i, e);
}

const char *
mailbox_shown(const struct popper_identity *i)
{
	static char shown[4 * (POPPER_USER_MAX + POPPER_FOLDER_MAX + 2)];
	char name[POPPER_USER_MAX + POPPER_FOLDER_MAX + 2];
	const char *between = mailbox_server.settings.mailbox_separator;

	if (i->folder[0] == '\0')
		(void)text_copy(name, sizeof(name), i->user);
	else
		(void)text_print(name, sizeof(name), "%s%s%s", i->user,
		    between[0] == '\0' ? "+" : between, i->folder);
	text_escape(shown, sizeof(shown), popper_slice_text(name));
	return shown;
}

/* --- In the parent. --- */

unsigned
mailbox_needs(void)
{
	unsigned all = 0;

	for (size_t i = 0; i < mailbox_server.drops.count; i++)
		all |= mailbox_server.drops.used[i].module->needs;
	return all;
}

void
mailbox_refusal(const char *name, const char *text)
{
	char line[LOG_LINE_MAX + 1], shown[LOG_LINE_MAX + 1];

	(void)text_print(line, sizeof(line), "popperctl: %s: %s", name, text);
	text_escape(shown, sizeof(shown), popper_slice_text(line));
	if (mailbox_server.journaled)
		journal_write(POPPER_LOG_ERROR, getpid(), shown);
}

bool
mailbox_wait(struct mailbox_work *w, const char *text)
{
	w->wait = text == NULL ? 0 : USUAL_WAIT;
	if (text == NULL || text[0] == '\0' || when_span(text, &w->wait))
		return true;
	popperctl_say("\"%.200s\" is no time to wait; times are: 90, 90s, "
		      "5m, 2h",
	    text);
	return false;
}

/* The filter of a session, once, for all children: nothing is done here any
 * more that it refuses. */
static void
filter(void)
{
	static bool done;

	if (!done && mailbox_server.settings.sandbox &&
	    !sandbox_filter_session(mailbox_needs()))
		popperctl_say("works without a seccomp filter: the kernel has "
			      "none or refused it");
	done = true;
}

static int
late(const struct popper_identity *i, const struct mailbox_work *w, bool ended)
{
	char text[200];

	(void)text_print(text, sizeof(text),
	    "not done within %llus: %s; the next login, or recover, "
	    "goes on with it",
	    (unsigned long long)w->limit,
	    ended ? "ended" : "could not even be ended, and is left");
	mailbox_refusal(mailbox_shown(i), text);
	popperctl_say("%s: %s", mailbox_shown(i), text);
	return MAILBOX_LATE;
}

int
mailbox_run(const struct popper_identity *i, const struct mailbox_work *w)
{
	int status;
	pid_t pid;

	filter();
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		status = mailbox_work(i, w);
		_exit(status);
	}
	if (pid == -1) {
		popperctl_say("fork: %s", strerror(errno));
		return POPPERCTL_FAILED;
	}
	switch (watch(pid, w->limit == 0 ? 0 : w->limit + w->wait, &status)) {
	case WATCH_ENDED:
		break;
	case WATCH_KILLED:
		return late(i, w, true);
	case WATCH_STUCK:
		return late(i, w, false);
	case WATCH_LOST:
		popperctl_say("waitpid: %s", strerror(errno));
		return POPPERCTL_FAILED;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	popperctl_say("the work on the maildrop of %s was ended by signal %d",
	    mailbox_shown(i), WTERMSIG(status));
	return POPPERCTL_FAILED;
}

/* Who has been here and is called nearly like ${word}?  Those are known without
 * asking the auth modules, who may know very many. */
static bool
is_meant(const char *word, char *meant, size_t size)
{
	struct popper_option *names;
	struct dirent **d = NULL;
	int n = mailbox_states(&d), count = 0;
	const char *near = NULL;

	if (n == -1)
		return false;
	if ((names = calloc((size_t)n + 1, sizeof(*names))) != NULL) {
		for (int i = 0; i < n; i++)
			if (strchr(d[i]->d_name, '%') == NULL)
				names[count++].name = d[i]->d_name;
		near = nearest_option(names, word);
	}
	/* He himself: his account is gone. */
	if (near != NULL &&
	    (strcmp(near, word) == 0 || !text_copy(meant, size, near)))
		near = NULL;
	for (int i = 0; i < n; i++)
		free(d[i]);
	free(d);
	free(names);
	return near != NULL;
}

int
mailbox_do(
    const struct popperctl *p, const char *user, const struct mailbox_work *w)
{
	static struct popper_identity i;
	char meant[POPPER_USER_MAX + 1];
	struct popper_error e;

	error_clear(&e);
	if (mailbox_start(p, &e) == -1)
		return popperctl_fail(&e);
	if (w->journal)
		mailbox_journal();
	if (mailbox_find(user, &i, &e) == 0)
		return mailbox_run(&i, w) == POPPERCTL_DONE ? POPPERCTL_DONE
							    : POPPERCTL_FAILED;
	if (e.status == POPPER_ABSENT && is_meant(user, meant, sizeof(meant)))
		popperctl_say(
		    "user \"%.200s\": %s; is it \"%s\"?", user, e.text, meant);
	else
		popperctl_say("user \"%.200s\": %s", user, e.text);
	return POPPERCTL_FAILED;
}
